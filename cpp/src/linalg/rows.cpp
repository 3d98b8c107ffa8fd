#include "linalg/rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lindmft::linalg {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The largest entry of a new row, and the largest change of an entry; the change is infinite if an entry is not
/// finite.
struct RowChange {
  double largest = 0.0;
  double change = 0.0;
};

RowChange replace_row(double* to, const double* from, int n) {
  RowChange r;
  double sum = 0.0;  // zero unless an entry is not finite
  for (int j = 0; j < n; ++j) {
    const double size = std::abs(from[j]);
    const double change = std::abs(from[j] - to[j]);
    r.largest = std::max(r.largest, size);
    r.change = std::max(r.change, change);
    sum += from[j] - from[j];
    to[j] = from[j];
  }
  if (sum != 0.0) r.change = kInfinity;
  return r;
}

double ratio(double change, double size) { return change == 0.0 ? 0.0 : change / std::max(size, 1e-300); }

}  // namespace

void replace_rows(Matrix& m, Panel panel, ConstView rows, RowChanges& changes) {
  for (int i = 0; i < rows.rows; ++i) {
    const RowChange r = replace_row(m.row(panel.begin + i), rows.row(i), rows.cols);
    changes.note(i, ratio(r.change, r.largest));
  }
}

void replace_symmetric(Matrix& m, Panel panel, ConstView rows, RowChanges& changes) {
  double scale = panel.begin > 0 ? std::max(m(0, 0), m(panel.begin - 1, panel.begin - 1)) : 0.0;
  for (int i = 0; i < rows.rows; ++i) scale = std::max(scale, rows(i, panel.begin + i));
  for (int i = 0; i < rows.rows; ++i) {
    const int t = panel.begin + i;
    changes.note(i, ratio(replace_row(m.row(t), rows.row(i), t + 1).change, scale));
    // Entries of later rows, whose changes are noted there.
    std::copy(rows.row(i) + t + 1, rows.row(i) + rows.cols, m.row(t) + t + 1);
  }
  mirror(m, panel);
}

void mirror(Matrix& m, Panel panel) {
  for (int j = 0; j < panel.begin; ++j) {
    for (int t = panel.begin; t < panel.end; ++t) m(j, t) = m(t, j);
  }
}

double sum(const double* x, int n) {
  double total = 0.0;
  for (int j = 0; j < n; ++j) total += x[j];
  return total;
}

double dot(const double* x, const double* y, int n) {
  double total = 0.0;
  for (int j = 0; j < n; ++j) total += x[j] * y[j];
  return total;
}

}  // namespace lindmft::linalg
