// The coefficients with which a network's weights are composed of stored arrays and gradients: the propagator of
// theory.md section 7, which restarts whenever gradients are folded into the stored arrays.
#pragma once

#include <span>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/weights/archive.hpp"

namespace lindmft::training {

/// An array (weights or momentum buffers) as a combination of the weights W and buffers B at the last fold and the
/// gradients G_s since then: base W + buffer B + sum_s gains_s G_s.
struct Combination {
  double base;
  double buffer;
  std::vector<double> gains;
};

/// The combinations of the weights and the momentum buffers of one network.
class Coefficients {
 public:
  /// At the start, weights are `start` times the stored array, and buffers are zero.
  Coefficients(const Optimizer& optimizer, double start)
      : optimizer_(optimizer), weight_{start, 0.0, {}}, velocity_{0.0, 1.0, {}} {}

  /// Advances the coefficients by the update of step t, which adds a gradient. They hold for a learning rate multiplier
  /// of 1; gains are proportional to it.
  void step(int t);

  /// Restarts after a fold: the stored arrays are now the weights and the buffers.
  void fold();

  /// Writes or reads the coefficients of at most `capacity` gradients.
  void persist(Archive& archive, int capacity);

  [[nodiscard]] const Combination& weight() const { return weight_; }
  [[nodiscard]] const Combination& velocity() const { return velocity_; }

 private:
  Optimizer optimizer_;
  Combination weight_;
  Combination velocity_;
};

}  // namespace lindmft::training
