// Lanczos' method for the Hessian (theory.md section 15), from one start vector.
#pragma once

#include "hessian/jacobi.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// An operator that is a product M C of two symmetric factors, with C positive definite. It is symmetric in the inner
/// product <x, y> = x . C y.
class SymmetricProduct {
 public:
  SymmetricProduct() = default;
  SymmetricProduct(const SymmetricProduct&) = delete;
  SymmetricProduct& operator=(const SymmetricProduct&) = delete;
  virtual ~SymmetricProduct() = default;

  /// y = C x. Returns x . y, which is not negative.
  virtual double right(const PaddedVector& x, PaddedVector& y) = 0;
  /// y = M x
  virtual void left(const PaddedVector& x, PaddedVector& y) = 0;
};

/// The result of Lanczos' method from one start vector.
struct Krylov {
  hessian::Jacobi matrix;  ///< no entries if the start vector is zero
  double next = 0.0;       ///< the entry beside the diagonal that one more step would add
  bool finite = true;      ///< false if a product is not finite; then the matrix has no meaning
};

/// At most `steps` steps from this vector, and at most as many as it has entries. Each vector is made orthogonal to all
/// before it. The method ends early when the square of the next entry beside the diagonal is below 1e-12 times that of
/// the first one on it: the start vector has a part in no further eigenvectors.
[[nodiscard]] Krylov lanczos(PaddedVector start, int steps, SymmetricProduct& product);

/// Bytes that it takes.
[[nodiscard]] double lanczos_bytes(int dim, int steps);

}  // namespace lindmft::training
