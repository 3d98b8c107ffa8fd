#include "training/weights/coefficients.hpp"

#include "training/weights/sgd.hpp"

namespace lindmft::training {

void Coefficients::step(int t) {
  const LinearStep step = linear_step(optimizer_, t, 1.0);
  const auto advance = [&](double& weight, double& velocity) {
    const double old = weight;
    weight = step.keep * old + step.push * velocity;
    velocity = step.sink * old + step.fade * velocity;
  };
  advance(weight_.base, velocity_.base);
  advance(weight_.buffer, velocity_.buffer);
  for (std::size_t s = 0; s < weight_.gains.size(); ++s) advance(weight_.gains[s], velocity_.gains[s]);
  weight_.gains.push_back(step.gain);
  velocity_.gains.push_back(step.feed);
}

void Coefficients::fold() {
  weight_ = {1.0, 0.0, {}};
  velocity_ = {0.0, 1.0, {}};
}

void Coefficients::persist(Archive& archive, int capacity) {
  for (Combination* one : {&weight_, &velocity_}) {
    archive.value(one->base);
    archive.value(one->buffer);
    one->gains.resize(static_cast<std::size_t>(archive.count(static_cast<int>(one->gains.size()), capacity)));
    archive.values(std::span(one->gains));
  }
}

}  // namespace lindmft::training
