// The Jacobi matrix of Lanczos' method, and what it says about the spectrum (theory.md section 15).
#pragma once

#include <cstddef>
#include <vector>

namespace lindmft::hessian {

/// A symmetric tridiagonal matrix: n entries on the diagonal, n - 1 positive ones beside it.
struct Jacobi {
  std::vector<double> diagonal;
  std::vector<double> beside;
};

/// Its eigenvalues, the Ritz values, in descending order, and their weights: the squares of the first components of the
/// eigenvectors, with sum 1. They are a Gauss rule for the spectral density as seen from the start vector.
struct Ritz {
  std::vector<double> values;
  std::vector<double> weights;
  double residual = 0.0;  ///< of the largest value: an eigenvalue lies no farther away
};

/// Computes them by implicit QL steps. `next` is the entry beside the diagonal that the next step of Lanczos' method
/// would add, for the residual.
[[nodiscard]] Ritz ritz(const Jacobi& matrix, double next);

/// The leading entries that rounding errors leave accurate, where the method amplifies a perturbation of the start
/// vector in an eigenvalue `at`: by the square of the orthonormal polynomial there, which grows where the spectrum has
/// no part.
[[nodiscard]] std::size_t accurate_entries(const Jacobi& matrix, double at);

/// A number between bounds that an estimate gives.
struct Estimate {
  double value;
  double error;
};

/// The upper edge of a continuous spectrum: of the density as seen from a random vector, on which single eigenvalues
/// have no weight. The largest Ritz value approaches it from below with an error of order 1 / n^2, but the entries of
/// the matrix approach a and b, and the edge is a + 2 b. Where they keep oscillating, since the spectrum has gaps, the
/// error is the distance between the largest Ritz value and the bound of Gershgorin's theorem.
[[nodiscard]] Estimate upper_edge(const Jacobi& matrix, const Ritz& values);

}  // namespace lindmft::hessian
