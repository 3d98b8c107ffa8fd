#include "optimizer/propagator.hpp"

namespace lindmft {

// The update of PyTorch's SGD. Its gradient points uphill in the loss; the one of theory.md section 2 points downhill,
// hence the sign of the decay.
void WeightStepper::step(Weight& weight, double gradient, int time) const {
  const double lr = at_step(optimizer_.lr, time);
  const double momentum = at_step(optimizer_.momentum, time);
  const double force = gradient - optimizer_.weight_decay * weight.value;
  weight.velocity = momentum * weight.velocity + force;
  weight.value += lr * (optimizer_.nesterov ? force + momentum * weight.velocity : weight.velocity);
}

Propagator::Propagator(const Problem& problem) : stepper_(problem.optimizer), start_{init_unit(problem.network), 0.0} {}

void Propagator::next(double* row, double& decay) {
  if (time_ > 0) {
    for (Weight& weight : impulse_) stepper_.step(weight, 0.0, time_ - 1);
    impulse_.push_back({0.0, 0.0});
    stepper_.step(impulse_.back(), 1.0, time_ - 1);
    stepper_.step(start_, 0.0, time_ - 1);
  }
  ++time_;
  for (const Weight& weight : impulse_) *row++ = weight.value;
  decay = start_.value;
}

}  // namespace lindmft
