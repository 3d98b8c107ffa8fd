#include "linalg/block_solve.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft::linalg {
namespace {

void add_row(double* to, const double* from, double factor, int n) {
  for (int j = 0; j < n; ++j) to[j] += factor * from[j];
}

bool lower_triangular(ConstView s) {
  for (int i = 0; i < s.rows; ++i) {
    for (int j = i + 1; j < s.cols; ++j) {
      if (s(i, j) != 0.0) return false;
    }
  }
  return true;
}

/// Exchanges rows so that the largest entry of column k on or below the diagonal is on the diagonal.
void pivot(View s, View x, int k) {
  int best = k;
  for (int i = k + 1; i < s.rows; ++i) {
    if (std::abs(s(i, k)) > std::abs(s(best, k))) best = i;
  }
  if (best == k) return;
  std::swap_ranges(s.row(k), s.row(k) + s.cols, s.row(best));
  std::swap_ranges(x.row(k), x.row(k) + x.cols, x.row(best));
}

}  // namespace

void solve_block(View s, View x) {
  const int p = s.rows;
  const bool pivots = !lower_triangular(s);
  for (int k = 0; k < p; ++k) {
    if (pivots) pivot(s, x, k);
    for (int i = k + 1; i < p; ++i) {
      const double factor = -s(i, k) / s(k, k);
      if (factor == 0.0) continue;
      add_row(s.row(i) + k + 1, s.row(k) + k + 1, factor, p - k - 1);
      add_row(x.row(i), x.row(k), factor, x.cols);
    }
  }
  for (int k = p - 1; k >= 0; --k) {
    for (int i = k + 1; i < p; ++i) {
      if (s(k, i) != 0.0) add_row(x.row(k), x.row(i), -s(k, i), x.cols);
    }
    if (s(k, k) != 1.0) {
      for (int j = 0; j < x.cols; ++j) x(k, j) /= s(k, k);
    }
  }
}

void add_block_product(View out, ConstView a, ConstView x, double scale) {
  for (int i = 0; i < a.rows; ++i) {
    for (int k = 0; k < a.cols; ++k) {
      if (a(i, k) != 0.0) add_row(out.row(i), x.row(k), scale * a(i, k), x.cols);
    }
  }
}

}  // namespace lindmft::linalg
