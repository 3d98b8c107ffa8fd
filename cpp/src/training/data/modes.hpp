// The eigenmodes of the inputs' covariance in one finite problem, and the components of targets on them (theory.md
// sections 1, 6, 8).
//
// The data are described in white coordinates, z = Lambda^(-1/2) x: there, with s = Lambda^(1/2) v / sqrt(D),
// a sample's residual is z . s + sigma eps, the test loss |s|^2, and the mean of z (z . s) is s itself.
#pragma once

#include <cstdint>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// The number of the `dim` coordinates that belong to each mode: weights times dim, rounded by the largest remainders.
[[nodiscard]] std::vector<int> mode_counts(const std::vector<double>& weights, int dim);

/// Sums over the coordinates of a mode.
struct ModeSums {
  double loss = 0.0;     // sum of s^2 over the coordinates
  double learned = 0.0;  // sum of w_hat w*
  double target = 0.0;   // sum of w*^2
};

/// The modes and targets of one seed.
class Modes {
 public:
  /// The components of channel c are +- s_c sqrt(target_power) with independent random signs. Norms of targets do not
  /// fluctuate; their products do, by order 1 / sqrt(D). The rotation mixes channels to outputs. The components of
  /// outputs that share modes have one sign for each coordinate, so that their products do not fluctuate either.
  Modes(const Data& data, int dim, std::uint64_t seed);

  /// The target of an output, now.
  [[nodiscard]] const PaddedVector& target(int output = 0) const {
    return (second_ ? second_targets_ : targets_)[static_cast<std::size_t>(output)];
  }
  /// Takes the target of step t.
  void place(int t) { second_ = !second_targets_.empty() && t >= switch_at_; }
  [[nodiscard]] bool has_second_target() const { return !second_targets_.empty(); }
  /// The test loss of an output on the first target, from its s.
  template <class T>
  [[nodiscard]] double first_task_loss(const T* s, int output) const;
  /// Lambda w*, the direction in which the population gradient first moves a centered predictor.
  [[nodiscard]] PaddedVector weighted_target(int output = 0) const;
  /// s = Lambda^(1/2) v / sqrt(D) for the discrepancy v = w* - w_hat of an output.
  template <class T>
  void whiten(const T* w_hat, int output, T* s) const;
  /// u = sqrt(D) Lambda^(1/2) q, the data gradient from q, the mean of z Delta over the samples (theory.md section 2).
  template <class T>
  void color(const T* q, T* u) const;
  /// Adds an output to the sums of all modes, from its s. Coordinates without variance are never learned.
  template <class T>
  void add_by_mode(const T* s, int output, std::vector<ModeSums>& sums) const;

 private:
  void make_second_targets(const Data& data, std::uint64_t seed);

  std::vector<int> counts_;                   // modes   the number of coordinates of each
  PaddedVector root_;                         // D       sqrt(lambda_k)
  std::vector<PaddedVector> targets_;         // C of D  w*_k of every output
  std::vector<PaddedVector> second_targets_;  // the same from step switch_at_ on; empty if there is one target
  int switch_at_;
  bool second_ = false;
};

}  // namespace lindmft::training
