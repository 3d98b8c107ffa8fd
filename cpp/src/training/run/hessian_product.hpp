// The Gauss-Newton part of a network's Hessian, N S of theory.md section 15, as products with vectors.
#pragma once

#include <algorithm>
#include <cmath>

#include "training/data/modes.hpp"
#include "training/data/samples.hpp"
#include "training/network/network.hpp"
#include "training/run/lanczos.hpp"
#include "training/weights/loops.hpp"

namespace lindmft::training {

/// In the white coordinates s = Lambda^(1/2) x / sqrt(D) of modes.hpp, N S is M C: C = F^T F is the covariance of the
/// white inputs, and M = Lambda^(1/2) N Lambda^(1/2). If F has fewer rows than columns, C has a kernel, in which the
/// vectors of Lanczos' method would grow without bounds. Then the vectors are those of residuals, f = F s, on which the
/// Hessian is F M F^T, symmetric in the usual inner product. Vectors are doubles, and the products have the network's
/// precision.
template <class T>
class HessianProduct : public SymmetricProduct {
 public:
  /// The product of the first network. Its vectors g^l must be those of its weights. `scale`: a factor of S.
  HessianProduct(const Modes& modes, Networks<T>& networks, Samples<T>& samples, int dim, double scale)
      : modes_(modes),
        networks_(networks),
        samples_(samples),
        scale_(scale / dim),
        of_residuals_(samples.factor_rows(dim) <= dim),
        in_(1, dim),
        out_(1, dim),
        residuals_(1, samples.factor_rows(dim)) {}

  /// The vector of Lanczos' method for a direction x of the predictor. Its length does not matter.
  [[nodiscard]] PaddedVector vector_of(PaddedVector x) {
    modes_.color(x.data(), x.data());
    normalize(x);
    if (!of_residuals_) return x;
    convert(x.span(), in_.row(0));
    samples_.factor_forward(in_.view(), residuals_.view());
    PaddedVector f(residuals_.cols());
    convert(residuals_.span(0), f.data());
    return f;
  }

  double right(const PaddedVector& x, PaddedVector& y) override {
    if (of_residuals_) {
      std::ranges::copy(x.span(), y.data());
      return dot(x, x);
    }
    convert(x.span(), in_.row(0));
    samples_.factor_forward(in_.view(), residuals_.view());
    samples_.factor_backward(residuals_.view(), out_.view());
    convert(out_.span(0), y.data());
    return dot(residuals_.row(0), residuals_.row(0), residuals_.view().width());
  }

  void left(const PaddedVector& x, PaddedVector& y) override {
    if (!of_residuals_) {
      convert(x.span(), in_.row(0));
      multiply_by_kernel();
      convert(in_.span(0), y.data());
      return;
    }
    convert(x.span(), residuals_.row(0));
    samples_.factor_backward(residuals_.view(), in_.view());
    multiply_by_kernel();
    samples_.factor_forward(in_.view(), residuals_.view());
    convert(residuals_.span(0), y.data());
  }

 private:
  /// in = M in. color() multiplies by sqrt(D), twice.
  void multiply_by_kernel() {
    modes_.color(in_.row(0), in_.row(0));
    networks_.kernel_product(in_.view(), out_.view());
    modes_.color(out_.row(0), in_.row(0));
    scale_and_add(in_.row(0), static_cast<T>(scale_), in_.row(0), T{}, in_.view().width());
  }

  /// Divides by the largest entry, so that no square is too small for a number.
  static void normalize(PaddedVector& x) {
    double most = 0.0;
    for (const double entry : x.span()) most = std::max(most, std::abs(entry));
    if (most == 0.0) return;
    for (double& entry : x.span()) entry /= most;
  }

  template <class From, class To>
  static void convert(From from, To* to) {
    std::ranges::transform(from, to, [](auto x) { return static_cast<To>(x); });
  }

  const Modes& modes_;
  Networks<T>& networks_;
  Samples<T>& samples_;
  double scale_;
  bool of_residuals_;
  PaddedRows<T> in_;
  PaddedRows<T> out_;
  PaddedRows<T> residuals_;
};

}  // namespace lindmft::training
