#include "linalg/extrapolate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "linalg/rows.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kHighestOrder = 6;  // beyond this, rounding in the history is amplified more than smoothness gains
constexpr int kSamples = 64;      // columns on which rules are compared

/// How a row is extrapolated: Lagrange polynomials through rows `last`, last - stride, .., last - order * stride.
struct Rule {
  int order;
  int stride;
  double near;  // columns beyond this fraction of the history follow the diagonal, those before it stay at fixed s
};

/// Weights of those rows for row last + shift.
class Weights {
 public:
  Weights(const Rule& rule, int shift) {
    for (int j = 0; j <= rule.order; ++j) {
      double w = 1.0;
      for (int k = 0; k <= rule.order; ++k) {
        if (k != j) w *= (static_cast<double>(shift) / rule.stride + k) / static_cast<double>(k - j);
      }
      weight_[static_cast<std::size_t>(j)] = w;
    }
  }
  double operator[](int j) const { return weight_[static_cast<std::size_t>(j)]; }

 private:
  std::array<double, kHighestOrder + 1> weight_{};
};

/// m(last + shift, s)
double predict(const Matrix& m, int last, int shift, int s, const Rule& rule, const Weights& w) {
  const int reach = rule.order * rule.stride;
  double value = 0.0;
  if (s >= rule.near * last && s - shift - reach >= 0) {
    for (int j = 0; j <= rule.order; ++j) value += w[j] * m(last - j * rule.stride, s - shift - j * rule.stride);
  } else if (s <= last - reach) {
    for (int j = 0; j <= rule.order; ++j) value += w[j] * m(last - j * rule.stride, s);
  } else {  // too little history: the lag alone
    value = m(last, std::max(0, s - shift));
  }
  return value;
}

/// How far off a rule would have been for row `last`, predicted over the panel's length.
double hindsight(const Matrix& m, int last, int distance, const Rule& rule) {
  const Weights w(rule, distance);
  double worst = 0.0;
  for (int i = 0; i <= kSamples; ++i) {
    const int s = last * i / kSamples;
    worst = std::max(worst, std::abs(predict(m, last - distance, distance, s, rule, w) - m(last, s)));
  }
  return worst;
}

Rule best_rule(const Matrix& m, Panel panel) {
  const int last = panel.begin - 1;
  const int p = panel.size();
  Rule best{0, 1, 0.5};
  double least = last >= p ? hindsight(m, last, p, best) : 0.0;
  for (const double near : {0.5, 0.9}) {
    for (const int stride : {1, std::max(2, p / 2)}) {
      for (int order = 0; order <= kHighestOrder && last - p - order * stride >= 0; ++order) {
        const Rule rule{order, stride, near};
        const double off = hindsight(m, last, p, rule);
        if (off >= least) continue;
        best = rule;
        least = off;
      }
    }
  }
  return best;
}

void extrapolate(Matrix& m, Panel panel) {
  const int last = panel.begin - 1;
  const Rule rule = best_rule(m, panel);
  for (int t = panel.begin; t < panel.end; ++t) {
    const Weights w(rule, t - last);
    for (int s = 0; s <= t; ++s) m(t, s) = predict(m, last, t - last, s, rule, w);
  }
}

}  // namespace

void guess_causal(Matrix& m, Panel panel) {
  if (panel.begin == 0) return;
  extrapolate(m, panel);
  // The whole rest of the row: a longer panel may have been tried and given up here.
  for (int t = panel.begin; t < panel.end; ++t) std::fill(m.row(t) + t + 1, m.row(t) + m.cols(), 0.0);
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
