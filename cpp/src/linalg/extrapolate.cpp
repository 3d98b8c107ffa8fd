#include "linalg/extrapolate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "linalg/rows.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kHighestOrder = 6;  // highest order: above it, amplified rounding errors outweigh what smoothness gains
// Larger spacing of rows, which amplifies rounding errors less where functions vary slowly.
constexpr int kWideStride = 4;
constexpr int kSamples = 16;  // number of columns on which rules are compared

/// The rule by which a row is extrapolated: Lagrange polynomials through rows `last`, last - stride, .., last - order *
/// stride.
struct Rule {
  int order;
  int stride;
  // Columns beyond this fraction of the history are extrapolated along the diagonal, the others at fixed s.
  double near;
  int condensed;  // the first columns are always extrapolated at fixed s
};

/// Weights of the rows of a rule for row last + shift.
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

/// The columns that are extrapolated in each of the two directions of a rule, for row last + shift.
struct Borders {
  int fixed_end;    // columns before it are extrapolated at fixed s
  int along_begin;  // columns from it on are extrapolated along the diagonal; those between have too little history and
                    // take the value at the same lag in the last row

  Borders(const Rule& rule, int last, int shift) {
    const int reach = rule.order * rule.stride;
    along_begin = std::max(static_cast<int>(std::ceil(rule.near * last)), rule.condensed + shift + reach);
    fixed_end = std::max(rule.condensed, std::min(along_begin, last - reach + 1));
  }
};

/// The extrapolated value of m(last + shift, s).
double predict(const Matrix& m, int last, int shift, int s, const Rule& rule, const Weights& w,
               const Borders& borders) {
  if (s >= borders.fixed_end && s < borders.along_begin) return m(last, std::max(0, s - shift));
  const int along = s >= borders.along_begin ? 1 : 0;
  double value = 0.0;
  for (int j = 0; j <= rule.order; ++j) {
    const int back = j * rule.stride;
    value += w[j] * m(last - back, s - along * (shift + back));
  }
  return value;
}

/// Writes the extrapolated values of all columns of row last + shift.
void predict_row(Matrix& m, int last, int shift, const Rule& rule) {
  const Weights w(rule, shift);
  const Borders borders(rule, last, shift);
  const int t = last + shift;
  double* row = m.row(t);
  std::fill_n(row, t + 1, 0.0);
  for (int s = borders.fixed_end; s < std::min(borders.along_begin, t + 1); ++s)
    row[s] = m(last, std::max(0, s - shift));
  for (int j = 0; j <= rule.order; ++j) {
    const int back = j * rule.stride;
    const double weight = w[j];
    const double* from = m.row(last - back);
    for (int s = 0; s < borders.fixed_end; ++s) row[s] += weight * from[s];
    for (int s = borders.along_begin; s <= t; ++s) row[s] += weight * from[s - shift - back];
  }
}

/// The error that a rule would have made for row `last`, predicted over the panel's length. Once the error exceeds
/// `least`, its exact size does not matter and the search ends.
double past_error(const Matrix& m, int last, int distance, const Rule& rule, double least) {
  const Weights w(rule, distance);
  const Borders borders(rule, last - distance, distance);
  double worst = 0.0;
  for (int i = kSamples; i >= 0 && worst < least; --i) {
    const int s = last * i / kSamples;
    worst = std::max(worst, std::abs(predict(m, last - distance, distance, s, rule, w, borders) - m(last, s)));
  }
  return worst;
}

Rule best_rule(const Matrix& m, const Guess& guess, double near) {
  const int last = guess.panel.begin - 1;
  const int p = guess.panel.size();
  const int outputs = guess.outputs;
  Rule best{0, outputs, near, guess.condensed};
  double least = last >= p ? past_error(m, last, p, best, std::numeric_limits<double>::infinity()) : 0.0;
  for (const int stride : {outputs, kWideStride * outputs}) {
    for (int order = 1; order <= kHighestOrder && last - p - order * stride >= guess.condensed; ++order) {
      const Rule rule{order, stride, near, guess.condensed};
      const double off = past_error(m, last, p, rule, least);
      if (off >= least) continue;
      best = rule;
      least = off;
    }
  }
  return best;
}

/// The last row of the history that belongs to the same output as a row of the panel.
int last_row(const Guess& guess, int row) {
  return guess.panel.begin - guess.outputs + (row - guess.panel.begin) % guess.outputs;
}

/// The rows of each output follow from earlier rows of the same output.
void extrapolate(Matrix& m, const Guess& guess, double near) {
  const Panel panel = guess.panel;
  const Rule rule = best_rule(m, guess, near);
  for (int t = panel.begin; t < panel.end; ++t) {
    const int last = last_row(guess, t);
    predict_row(m, last, t - last, rule);
  }
}

/// Repeats the last row in the panel's rows.
void repeat_last_row(Matrix& m, const Guess& guess) {
  const Panel panel = guess.panel;
  for (int t = panel.begin; t < panel.end; ++t) {
    std::copy_n(m.row(last_row(guess, t)), panel.begin, m.row(t));
    std::fill(m.row(t) + panel.begin, m.row(t) + m.cols(), 0.0);
  }
}

}  // namespace

void clear_rows(Matrix& m, Panel panel) {
  for (int t = panel.begin; t < panel.end; ++t) std::fill_n(m.row(t), m.cols(), 0.0);
}

void guess_causal(Matrix& m, const Guess& guess) {
  const Panel panel = guess.panel;
  if (panel.begin == 0) return clear_rows(m, panel);
  if (guess.before.size() > 0) {
    repeat_last_row(m, guess);
    const int n = std::min(panel.size(), guess.before.size());
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j)
        m(panel.begin + i, panel.begin + j) =
            1.0 / guess.length_ratio * m(guess.before.begin + i, guess.before.begin + j);
    }
    return;
  }
  extrapolate(m, guess, 0.5);
  // Clears the rest of the row, which may hold values of a longer panel that was rejected.
  for (int t = panel.begin; t < panel.end; ++t) std::fill(m.row(t) + t + 1, m.row(t) + m.cols(), 0.0);
}

void guess_symmetric(Matrix& m, const Guess& guess) {
  const Panel panel = guess.panel;
  if (panel.begin == 0) return clear_rows(m, panel);
  if (guess.before.size() > 0) {
    repeat_last_row(m, guess);
    for (int t = panel.begin; t < panel.end; ++t) {
      for (int s = panel.begin; s < panel.end; ++s) m(t, s) = m(last_row(guess, t), last_row(guess, s));
    }
    return mirror(m, panel);
  }
  extrapolate(m, guess, 0.9);
  for (int t = panel.begin; t < panel.end; ++t) {
    for (int s = t + 1; s < panel.end; ++s) m(t, s) = m(s, t);
  }
  mirror(m, panel);
}

}  // namespace lindmft::linalg
