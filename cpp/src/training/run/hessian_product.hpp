// The Gauss-Newton part of a network's Hessian, N S of theory.md section 16, as products with vectors.
#pragma once

#include <algorithm>

#include "training/data/modes.hpp"
#include "training/data/samples.hpp"
#include "training/network/network.hpp"
#include "training/run/lanczos.hpp"

namespace lindmft::training {

/// In the white coordinates s = Lambda^(1/2) x / sqrt(D) of modes.hpp, N S is M C: C is the covariance of the white
/// inputs, and M = Lambda^(1/2) N Lambda^(1/2). Vectors are doubles, and the products have the network's precision.
template <class T>
class HessianProduct : public SymmetricProduct {
 public:
  /// Of the first network, whose vectors g^l must be those of its weights. `scale`: a factor of S.
  HessianProduct(const Modes& modes, Networks<T>& networks, Samples<T>& samples, int dim, double scale)
      : modes_(modes), networks_(networks), samples_(samples), scale_(scale / dim), in_(1, dim), out_(1, dim) {}

  void right(const PaddedVector& x, PaddedVector& y) override {
    convert(x.span(), in_.row(0));
    samples_.covariance(in_.view(), out_.view());
    convert(out_.span(0), y.data());
  }

  /// color() multiplies by sqrt(D), twice.
  void left(const PaddedVector& x, PaddedVector& y) override {
    modes_.color(x.data(), y.data());
    convert(y.span(), in_.row(0));
    networks_.kernel_product(in_.view(), out_.view());
    convert(out_.span(0), y.data());
    modes_.color(y.data(), y.data());
    for (double& entry : y.span()) entry *= scale_;
  }

 private:
  template <class From, class To>
  static void convert(From from, To* to) {
    std::ranges::transform(from, to, [](auto x) { return static_cast<To>(x); });
  }

  const Modes& modes_;
  Networks<T>& networks_;
  Samples<T>& samples_;
  double scale_;
  PaddedRows<T> in_;
  PaddedRows<T> out_;
};

}  // namespace lindmft::training
