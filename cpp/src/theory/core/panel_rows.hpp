// Loops over the rows of a panel that both sides of the equations use.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "linalg/rows.hpp"
#include "theory/core/state.hpp"

namespace lindmft::theory {

/// out += weight * x
inline void add(linalg::View out, linalg::ConstView x, double weight) {
  for (int i = 0; i < out.rows; ++i) {
    for (int s = 0; s < out.cols; ++s) out(i, s) += weight * x(i, s);
  }
}

/// out += weight * x(t) x(s)
inline void add_outer(linalg::View out, Panel panel, const std::vector<double>& x, double weight) {
  for (int i = 0; i < out.rows; ++i) {
    const double scale = weight * x[static_cast<std::size_t>(panel.begin + i)];
    for (int s = 0; s < out.cols; ++s) out(i, s) += scale * x[static_cast<std::size_t>(s)];
  }
}

/// Sets all entries to zero.
inline void set_zero(linalg::View out) {
  for (int i = 0; i < out.rows; ++i) std::fill_n(out.row(i), out.cols, 0.0);
}

/// The panel's rows of m, with the columns up to the panel's end.
inline linalg::ConstView rows_of(const Matrix& m, Panel panel) {
  return linalg::leading(m, panel.end, panel.end).block(panel.begin, 0, panel.size(), panel.end);
}

/// sums[t] = the action of the first `columns` entries of row t on the function 1, for the panel's rows t; unit: its
/// coefficients, or null if they are all 1.
inline void row_sums(std::vector<double>& sums, const Matrix& m, Panel panel, int columns, const double* unit) {
  for (int t = panel.begin; t < panel.end; ++t)
    sums[static_cast<std::size_t>(t)] =
        unit == nullptr ? linalg::sum(m.row(t), columns) : linalg::dot(m.row(t), unit, columns);
}

/// Sums over the columns of each output, C of n: the action of a function on sources that are constant in time.
using OutputSums = std::vector<std::vector<double>>;

inline OutputSums output_sums(int outputs, int nodes) {
  return OutputSums(static_cast<std::size_t>(outputs), std::vector<double>(static_cast<std::size_t>(nodes)));
}

/// sums[c][t] = the action of the entries of row t in columns of output c on 1, for the panel's rows t.
inline void row_sums(OutputSums& sums, const Matrix& m, Panel panel, int columns, const double* unit) {
  const auto outputs = static_cast<int>(sums.size());
  if (outputs == 1) return row_sums(sums.front(), m, panel, columns, unit);
  for (int t = panel.begin; t < panel.end; ++t) {
    for (int c = 0; c < outputs; ++c) {
      double sum = 0.0;
      for (int s = c; s < columns; s += outputs) sum += m(t, s) * (unit == nullptr ? 1.0 : unit[s]);
      sums[static_cast<std::size_t>(c)][static_cast<std::size_t>(t)] = sum;
    }
  }
}

/// out += weight * sum over outputs of x(t) x(s)
inline void add_outer(linalg::View out, Panel panel, const OutputSums& x, double weight) {
  for (const std::vector<double>& output : x) add_outer(out, panel, output, weight);
}

inline void visit_sums(const std::string& name, OutputSums& sums, const StateVisitor& visitor) {
  for (std::size_t c = 0; c < sums.size(); ++c)
    visitor.series(sums.size() == 1 ? name : name + std::to_string(c), sums[c]);
}

}  // namespace lindmft::theory
