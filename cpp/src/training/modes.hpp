// The eigenmodes of the inputs' covariance in one finite problem, and the target on them (theory.md sections 1 and 6).
//
// The data are described in white coordinates, z = Lambda^(-1/2) x: there, with s = Lambda^(1/2) v / sqrt(D),
// a sample's residual is z . s + sigma eps, the test loss |s|^2, and the mean of z (z . s) is s itself.
#pragma once

#include <cstdint>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/padded.hpp"

namespace lindmft::training {

/// How many of `dim` coordinates belong to each mode: weights times dim, rounded by largest remainders.
[[nodiscard]] std::vector<int> mode_counts(const std::vector<double>& weights, int dim);

class Modes {
 public:
  /// The target's components are +- sqrt(target_power) with random signs: its norm does not fluctuate.
  Modes(const Spectrum& spectrum, int dim, std::uint64_t seed);

  [[nodiscard]] const PaddedVector& target() const { return target_; }
  /// s = Lambda^(1/2) v / sqrt(D)
  void whiten(const PaddedVector& v, PaddedVector& s) const;
  /// u = sqrt(D) Lambda^(1/2) q, the data gradient from q, the mean of z Delta over the samples (theory.md section 2)
  void color(const PaddedVector& q, PaddedVector& u) const;

 private:
  PaddedVector root_;    // D  sqrt(lambda_k)
  PaddedVector target_;  // D  w*_k
};

}  // namespace lindmft::training
