#include "training/run/lanczos.hpp"

#include <algorithm>
#include <cmath>

#include "support/interruption.hpp"
#include "training/weights/loops.hpp"

namespace lindmft::training {
namespace {

constexpr double kEnd = 1e-12;  // square of an entry beside the diagonal, relative to the first one on it

/// Orthonormal vectors in the inner product, with their products with C.
class Basis {
 public:
  Basis(int most, int dim) : vectors_(most, dim), images_(most, dim), image_(dim) {}

  [[nodiscard]] int size() const { return size_; }

  void add(const PaddedVector& x, const PaddedVector& image, double length) {
    scale_and_add(vectors_.row(size_), 0.0, x.data(), 1.0 / length, x.width());
    scale_and_add(images_.row(size_), 0.0, image.data(), 1.0 / length, x.width());
    ++size_;
  }

  /// The product of the last vector with C.
  [[nodiscard]] const PaddedVector& last_image() {
    std::ranges::copy(images_.span(size_ - 1), image_.data());
    return image_;
  }

  /// Subtracts the components of x along all vectors, and returns the one along the last of them.
  [[nodiscard]] double remove(PaddedVector& x) const {
    support::interruption_point(2.0 * size_ * x.size());
    double along = 0.0;
    for (int j = 0; j < size_; ++j) {
      along = dot(images_.row(j), x.data(), x.width());
      scale_and_add(x.data(), 1.0, vectors_.row(j), -along, x.width());
    }
    return along;
  }

 private:
  int size_ = 0;
  PaddedMatrix vectors_;
  PaddedMatrix images_;
  PaddedVector image_;
};

}  // namespace

Krylov lanczos(PaddedVector start, int steps, SymmetricProduct& product) {
  PaddedVector& x = start;
  PaddedVector image(x.size());
  Krylov out;
  steps = std::min(steps, x.size());
  Basis basis(steps, x.size());
  double square = product.right(x, image);
  double least = 0.0;
  while (std::isfinite(square) && square > least && basis.size() < steps) {
    if (basis.size() > 0) out.matrix.beside.push_back(std::sqrt(square));
    basis.add(x, image, std::sqrt(square));
    product.left(basis.last_image(), x);
    const double along = basis.remove(x);
    out.matrix.diagonal.push_back(along + basis.remove(x));  // once more: the first time leaves rounding errors
    least = kEnd * out.matrix.diagonal.front() * out.matrix.diagonal.front();
    square = product.right(x, image);
  }
  out.finite = std::isfinite(square);
  out.next = std::sqrt(square);
  return out;
}

double lanczos_bytes(int dim, int steps) {
  constexpr double kOthers = 3.0;  // the last image, the next vector and its image
  return padded_bytes(2.0 * steps + kOthers, dim, sizeof(double));
}

}  // namespace lindmft::training
