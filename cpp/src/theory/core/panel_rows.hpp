// Loops over the rows of a panel that both sides of the equations use.
#pragma once

#include <algorithm>
#include <vector>

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "linalg/rows.hpp"

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

/// sums[t] = sum of the first `columns` entries of row t, for the panel's rows t.
inline void row_sums(std::vector<double>& sums, const Matrix& m, Panel panel, int columns) {
  for (int t = panel.begin; t < panel.end; ++t) sums[static_cast<std::size_t>(t)] = linalg::sum(m.row(t), columns);
}

}  // namespace lindmft::theory
