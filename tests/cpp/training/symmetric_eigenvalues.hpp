// Eigenvalues of a small symmetric matrix by Jacobi rotations, as a comparison for Lanczos' method.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace lindmft::naive {

/// Makes entry (p, q) zero by a rotation of both rows and columns.
inline void rotate(std::vector<std::vector<double>>& a, std::size_t p, std::size_t q) {
  if (a[p][q] == 0.0) return;
  const double angle = 0.5 * std::atan2(2.0 * a[p][q], a[q][q] - a[p][p]);
  const double c = std::cos(angle), s = std::sin(angle);
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double x = a[k][p], y = a[k][q];
    a[k][p] = c * x - s * y;
    a[k][q] = s * x + c * y;
  }
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double x = a[p][k], y = a[q][k];
    a[p][k] = c * x - s * y;
    a[q][k] = s * x + c * y;
  }
}

/// In descending order.
inline std::vector<double> symmetric_eigenvalues(std::vector<std::vector<double>> a) {
  constexpr int kSweeps = 30;  // converged to rounding after about ten
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t q = 1; q < a.size(); ++q) {
      for (std::size_t p = 0; p < q; ++p) rotate(a, p, q);
    }
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(a[i][i]);
  std::ranges::sort(out, std::greater());
  return out;
}

}  // namespace lindmft::naive
