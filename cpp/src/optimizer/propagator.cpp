#include "optimizer/propagator.hpp"

namespace lindmft {

Propagator::Propagator(const Problem& problem)
    : optimizer_(problem.optimizer), start_{problem.network.init_scale, 0.0} {}

// PyTorch's SGD. The gradient points uphill in the loss there and downhill in theory.md section 2, hence the sign of
// the decay.
void Propagator::step(Weight& weight, double gradient, double lr) const {
  const double force = gradient - optimizer_.weight_decay * weight.value;
  weight.velocity = optimizer_.momentum * weight.velocity + force;
  weight.value += lr * (optimizer_.nesterov ? force + optimizer_.momentum * weight.velocity : weight.velocity);
}

void Propagator::next(double* row, double& decay) {
  if (time_ > 0) {
    const auto last = static_cast<std::size_t>(time_ - 1);
    const double lr = optimizer_.lr.size() == 1 ? optimizer_.lr.front() : optimizer_.lr[last];
    for (Weight& weight : impulse_) step(weight, 0.0, lr);
    impulse_.push_back({0.0, 0.0});
    step(impulse_.back(), 1.0, lr);
    step(start_, 0.0, lr);
  }
  ++time_;
  for (const Weight& weight : impulse_) *row++ = weight.value;
  decay = start_.value;
}

}  // namespace lindmft
