// How a network's weights are made of what is kept of them: the propagator of theory.md section 7, restarted whenever
// what was learned is folded into the weights themselves.
#pragma once

#include <span>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/weights/archive.hpp"

namespace lindmft::training {

/// What one kind of array (weights, or momentum buffers) is, in terms of the two at the last fold and the gradients
/// since: base W + buffer B + sum_s gains_s G_s.
struct Combination {
  double base;
  double buffer;
  std::vector<double> gains;
};

class Coefficients {
 public:
  /// Weights are `start` times the array that is kept, with empty buffers.
  Coefficients(const Optimizer& optimizer, double start)
      : optimizer_(optimizer), weight_{start, 0.0, {}}, velocity_{0.0, 1.0, {}} {}

  /// After the update of step t, with one gradient more. Of arrays without a learning rate multiplier: gains are
  /// proportional to it.
  void step(int t);

  /// The arrays that are kept are now the weights and the buffers.
  void fold();

  /// Write or read the coefficients of at most `capacity` gradients
  void persist(Archive& archive, int capacity);

  [[nodiscard]] const Combination& weight() const { return weight_; }
  [[nodiscard]] const Combination& velocity() const { return velocity_; }

 private:
  Optimizer optimizer_;
  Combination weight_;
  Combination velocity_;
};

}  // namespace lindmft::training
