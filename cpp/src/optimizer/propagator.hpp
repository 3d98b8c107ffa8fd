// (schedule, momentum, decay) -> propagator K and decay d (theory.md section 7).
#pragma once

#include <vector>

#include "lindmft/problem.hpp"

namespace lindmft {

/// One scalar weight under the optimizer.
struct Weight {
  double value;
  double velocity;  // momentum buffer
};

class WeightStepper {
 public:
  explicit WeightStepper(Optimizer optimizer) : optimizer_(std::move(optimizer)) {}
  /// Update number `time`, with this gradient (downhill, as in theory.md section 2).
  void step(Weight& weight, double gradient, int time) const;

 private:
  Optimizer optimizer_;
};

/// K(t, s) and d(t) are what one scalar weight is at step t after a unit gradient at step s, and after a unit start
/// without gradients. Stepping all those weights together yields K row by row.
class Propagator {
 public:
  explicit Propagator(const Problem& problem);

  /// Row t of K (t entries, s < t) and d(t), for t = 0, 1, 2, ... in order.
  void next(double* row, double& decay);

 private:
  WeightStepper stepper_;
  int time_ = 0;
  Weight start_;                 // answers d
  std::vector<Weight> impulse_;  // entry s answers K(., s)
};

}  // namespace lindmft
