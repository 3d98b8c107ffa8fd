// Small dense complex matrices and the Schur form. Functions of the block of a panel are computed in the basis in which
// it is upper triangular.
#pragma once

#include <complex>
#include <vector>

#include "linalg/blas.hpp"

namespace lindmft::linalg {

using Complex = std::complex<double>;

/// A small square matrix, row-major.
class Small {
 public:
  explicit Small(int n, Complex diagonal = 0.0) : n_(n), values_(static_cast<std::size_t>(n * n)) {
    for (int i = 0; i < n; ++i) (*this)(i, i) = diagonal;
  }
  [[nodiscard]] int size() const { return n_; }
  Complex& operator()(int i, int j) { return values_[static_cast<std::size_t>(i * n_ + j)]; }
  Complex operator()(int i, int j) const { return values_[static_cast<std::size_t>(i * n_ + j)]; }

 private:
  int n_;
  std::vector<Complex> values_;
};

Small operator*(const Small& a, const Small& b);
/// x a + y b
Small combine(Complex x, const Small& a, Complex y, const Small& b);

/// a = U T U^*, U unitary, T upper triangular, by the shifted QR algorithm.
struct Schur {
  explicit Schur(ConstView a);
  Small U, T;
};

/// The inverse of an upper triangular matrix.
[[nodiscard]] Small triangular_inverse(const Small& t);
/// The square root of an upper triangular matrix whose eigenvalues have non-negative real parts.
[[nodiscard]] Small triangular_root(const Small& t);

/// x <- x s^-1 for one row x, with pivoting; s is destroyed.
void solve_row(Small& s, Complex* x);

}  // namespace lindmft::linalg
