#include "linalg/extrapolate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "linalg/rows.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kHighestOrder = 6;  // beyond this, rounding in the history is amplified more than smoothness gains
constexpr int kSamples = 48;      // columns on which orders are compared

/// Lagrange weights of the nodes 0, -1, .., -order at distance x.
class Weights {
 public:
  Weights(int order, int x) : order_(order) {
    for (int j = 0; j <= order; ++j) {
      double w = 1.0;
      for (int k = 0; k <= order; ++k) {
        if (k != j) w *= static_cast<double>(x + k) / static_cast<double>(k - j);
      }
      weight_[static_cast<std::size_t>(j)] = w;
    }
  }
  [[nodiscard]] int order() const { return order_; }
  double operator[](int j) const { return weight_[static_cast<std::size_t>(j)]; }

 private:
  int order_;
  std::array<double, kHighestOrder + 1> weight_{};
};

/// m(last + shift, s) from rows last, last - 1, ..
double predict(const Matrix& m, int last, int shift, int s, const Weights& w) {
  const int order = w.order();
  double value = 0.0;
  if (2 * s >= last && s - shift - order >= 0) {
    for (int j = 0; j <= order; ++j) value += w[j] * m(last - j, s - shift - j);
  } else if (s <= last - order) {
    for (int j = 0; j <= order; ++j) value += w[j] * m(last - j, s);
  } else {  // too little history: the lag alone
    value = m(last, std::max(0, s - shift));
  }
  return value;
}

/// How far off an order would have been for row `last`, predicted over the panel's length.
double hindsight(const Matrix& m, int last, int distance, int order) {
  const Weights w(order, distance);
  double worst = 0.0;
  for (int i = 0; i <= kSamples; ++i) {
    const int s = last * i / kSamples;
    worst = std::max(worst, std::abs(predict(m, last - distance, distance, s, w) - m(last, s)));
  }
  return worst;
}

int best_order(const Matrix& m, Panel panel) {
  const int last = panel.begin - 1;
  int best = 0;
  double least = -1.0;
  for (int order = 0; order <= kHighestOrder && last - panel.size() - order >= 0; ++order) {
    const double off = hindsight(m, last, panel.size(), order);
    if (least >= 0.0 && off >= least) continue;
    best = order;
    least = off;
  }
  return best;
}

void extrapolate(Matrix& m, Panel panel) {
  const int last = panel.begin - 1;
  const int order = best_order(m, panel);
  for (int t = panel.begin; t < panel.end; ++t) {
    const Weights w(order, t - last);
    for (int s = 0; s <= t; ++s) m(t, s) = predict(m, last, t - last, s, w);
  }
}

}  // namespace

void guess_causal(Matrix& m, Panel panel) {
  if (panel.begin == 0) return;
  extrapolate(m, panel);
  for (int t = panel.begin; t < panel.end; ++t) std::fill(m.row(t) + t + 1, m.row(t) + panel.end, 0.0);
}

void guess_symmetric(Matrix& m, Panel panel) {
  if (panel.begin == 0) return;
  extrapolate(m, panel);
  for (int t = panel.begin; t < panel.end; ++t) {
    for (int s = t + 1; s < panel.end; ++s) m(t, s) = m(s, t);
  }
  mirror(m, panel);
}

}  // namespace lindmft::linalg
