// The propagator K and the decay d of an optimizer, from its schedule, momentum and decay (theory.md section 7).
#pragma once

#include <vector>

#include "lindmft/problem.hpp"

namespace lindmft {

/// The state of one scalar weight under the optimizer.
struct Weight {
  double value;
  double velocity;  // momentum buffer
};

/// Applies the updates of an optimizer to scalar weights.
class WeightStepper {
 public:
  explicit WeightStepper(Optimizer optimizer) : optimizer_(std::move(optimizer)) {}
  /// Makes update number `time` with a gradient that points downhill, as in theory.md section 2.
  void step(Weight& weight, double gradient, int time) const;

 private:
  Optimizer optimizer_;
};

/// K(t, s) is the value at step t of a scalar weight that starts at 0 and gets one unit gradient, at step s. d(t) is
/// the value of a weight that starts at init_unit() and gets no gradients. Stepping all these weights together gives K
/// row by row.
class Propagator {
 public:
  explicit Propagator(const Problem& problem);

  /// Writes row t of K (t entries, s < t) and d(t); the calls are for t = 0, 1, 2, ... in order.
  void next(double* row, double& decay);

 private:
  WeightStepper stepper_;
  int time_ = 0;
  Weight start_;                 // its value is d(t)
  std::vector<Weight> impulse_;  // the value of entry s is K(t, s)
};

}  // namespace lindmft
