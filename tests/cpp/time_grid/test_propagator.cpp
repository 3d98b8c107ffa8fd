// Comparison of the propagator K and the decay d with a weight trained step by step, and with closed forms.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "lindmft/matrix.hpp"
#include "optimizer/propagator.hpp"

namespace lindmft {
namespace {

constexpr int kSteps = 20;

struct Operators {
  Matrix K{kSteps, kSteps};
  std::vector<double> decay = std::vector<double>(kSteps);
};

Operators operators(const Optimizer& optimizer, double init_scale = 1.0) {
  Problem problem;
  problem.optimizer = optimizer;
  problem.network.init_scale = {init_scale};
  Propagator propagator(problem);
  Operators out;
  for (int t = 0; t < kSteps; ++t) propagator.next(out.K.row(t), out.decay[static_cast<std::size_t>(t)]);
  return out;
}

double gradient(int t) { return std::sin(1.7 * t) + 0.3; }

/// torch.optim.SGD on one weight, statement by statement; the gradient is minus the direction G.
std::vector<double> trained_weight(const Optimizer& optimizer, double start) {
  std::vector<double> weights{start};
  double buffer = 0.0;
  for (int t = 0; t + 1 < kSteps; ++t) {
    const double lr = optimizer.lr.size() == 1 ? optimizer.lr[0] : optimizer.lr[static_cast<std::size_t>(t)];
    double grad = -gradient(t) + optimizer.weight_decay * weights.back();
    if (has_momentum(optimizer)) {
      const double momentum = at_step(optimizer.momentum, t);
      buffer = t == 0 ? grad : momentum * buffer + grad;
      grad = optimizer.nesterov ? grad + momentum * buffer : buffer;
    }
    weights.push_back(weights.back() - lr * grad);
  }
  return weights;
}

struct Case {
  std::string name;
  Optimizer optimizer;
};

std::vector<Case> cases() {
  std::vector<double> schedule;
  std::vector<double> momenta;
  for (int t = 0; t < kSteps; ++t) {
    schedule.push_back(0.05 + 0.01 * (t % 4));
    momenta.push_back(0.3 * (t % 3));
  }
  const Optimizer plain{.lr = {0.1}, .layer_lr = {}};
  const Optimizer scheduled{.lr = schedule, .layer_lr = {}};
  const Optimizer decay{.lr = {0.1}, .weight_decay = 0.4, .layer_lr = {}};
  const Optimizer momentum{.lr = {0.1}, .momentum = {0.8}, .layer_lr = {}};
  const Optimizer nesterov{.lr = {0.1}, .momentum = {0.8}, .nesterov = true, .layer_lr = {}};
  const Optimizer varied{.lr = schedule, .momentum = momenta, .nesterov = true, .weight_decay = 0.4, .layer_lr = {}};
  const Optimizer heavy{.lr = schedule, .momentum = {0.8}, .weight_decay = 0.4, .layer_lr = {}};
  const Optimizer everything{.lr = schedule, .momentum = {0.8}, .nesterov = true, .weight_decay = 0.4, .layer_lr = {}};
  return {{"plain", plain},
          {"schedule", scheduled},
          {"decay", decay},
          {"momentum", momentum},
          {"nesterov", nesterov},
          {"momentum_schedule", varied},
          {"momentum_decay_schedule", heavy},
          {"everything", everything}};
}

class OptimizerOperators : public testing::TestWithParam<Case> {};

/// w(t) = d(t) w(0) + sum_s K(t,s) G(s), for any gradients and any start.
TEST_P(OptimizerOperators, ReproduceATrainedWeight) {
  const Optimizer& optimizer = GetParam().optimizer;
  const auto [K, decay] = operators(optimizer);
  constexpr double kStart = 1.3;
  const std::vector<double> weights = trained_weight(optimizer, kStart);
  for (int t = 0; t < kSteps; ++t) {
    double value = decay[static_cast<std::size_t>(t)] * kStart;
    for (int s = 0; s < t; ++s) value += K(t, s) * gradient(s);
    EXPECT_NEAR(value, weights[static_cast<std::size_t>(t)], 1e-14) << "step " << t;
  }
}

TEST_P(OptimizerOperators, ScaleWithTheInitialWeightsInTheDecayAlone) {
  const auto [K, decay] = operators(GetParam().optimizer);
  const auto [K_scaled, decay_scaled] = operators(GetParam().optimizer, 2.0);
  for (int t = 0; t < kSteps; ++t) {
    EXPECT_DOUBLE_EQ(decay_scaled[static_cast<std::size_t>(t)], 2.0 * decay[static_cast<std::size_t>(t)]);
    for (int s = 0; s < t; ++s) EXPECT_EQ(K_scaled(t, s), K(t, s));
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizers, OptimizerOperators, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(PropagatorForms, PlainStepsAddUp) {
  const auto [K, decay] = operators({.lr = {0.1}, .layer_lr = {}});
  for (int t = 0; t < kSteps; ++t) {
    EXPECT_EQ(decay[static_cast<std::size_t>(t)], 1.0);
    for (int s = 0; s < t; ++s) EXPECT_EQ(K(t, s), 0.1);
  }
}

TEST(PropagatorForms, AScheduleGivesEachColumnTheRateOfItsStep) {
  std::vector<double> rates;
  for (int t = 0; t < kSteps; ++t) rates.push_back(0.01 * (t + 1));
  const Matrix K = operators({.lr = rates, .layer_lr = {}}).K;
  for (int t = 0; t < kSteps; ++t) {
    for (int s = 0; s < t; ++s) EXPECT_EQ(K(t, s), rates[static_cast<std::size_t>(s)]);
  }
}

TEST(PropagatorForms, WeightDecayForgetsGeometrically) {
  const auto [K, decay] = operators({.lr = {0.1}, .weight_decay = 0.5, .layer_lr = {}});
  for (int t = 0; t < kSteps; ++t) {
    EXPECT_NEAR(decay[static_cast<std::size_t>(t)], std::pow(0.95, t), 1e-15);
    for (int s = 0; s < t; ++s) EXPECT_NEAR(K(t, s), 0.1 * std::pow(0.95, t - s - 1), 1e-15);
  }
}

TEST(PropagatorForms, MomentumKeepsPushing) {
  const Matrix plain = operators({.lr = {0.1}, .momentum = {0.8}, .layer_lr = {}}).K;
  const Matrix nesterov = operators({.lr = {0.1}, .momentum = {0.8}, .nesterov = true, .layer_lr = {}}).K;
  for (int t = 0; t < kSteps; ++t) {
    for (int s = 0; s < t; ++s) {
      EXPECT_NEAR(plain(t, s), 0.1 * (1.0 - std::pow(0.8, t - s)) / 0.2, 1e-15);
      EXPECT_NEAR(nesterov(t, s), 0.1 * (1.0 - std::pow(0.8, t - s + 1)) / 0.2, 1e-15);
    }
  }
}

TEST(PropagatorForms, NothingIsWrittenOnOrBeyondTheDiagonal) {
  const Matrix K = operators({.lr = {0.1}, .momentum = {0.8}, .weight_decay = 0.5, .layer_lr = {}}).K;
  for (int t = 0; t < kSteps; ++t) {
    for (int s = t; s < kSteps; ++s) EXPECT_EQ(K(t, s), 0.0);
  }
}

}  // namespace
}  // namespace lindmft
