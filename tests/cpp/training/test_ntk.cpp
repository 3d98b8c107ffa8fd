// Comparison of the neural tangent kernel's observables with their definition, the change of the predictor in a small
// step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/train.hpp"
#include "training/data/modes.hpp"
#include "training/network/network.hpp"
#include "training/random/normals.hpp"
#include "training/weights/loops.hpp"

namespace lindmft {
namespace {

using training::Networks;
using training::PaddedVector;

Problem perceptron() {
  Problem p;
  p.network = {.depth = 3, .width = {0.5, 1.5, 0.8}, .gamma0 = 0.7};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer = {.lr = {0.05}, .layer_lr = {0.5, 1.2, 1.5, 0.8}};
  return p;
}

Problem residual() {
  Problem p = perceptron();
  p.network = {.kind = Architecture::resnet, .depth = 3, .width = {0.8}, .gamma0 = 0.7, .branch = 1.4};
  return p;
}

constexpr training::Schedule kInPlace{.method = TrainMethod::in_place};

std::vector<int> sizes(const Problem& p, int dim) {
  std::vector<int> out{dim};
  for (int l = 0; l < p.network.depth; ++l) {
    const std::vector<double>& width = p.network.width;
    const double nu = width.size() == 1 ? width.front() : width[static_cast<std::size_t>(l)];
    out.push_back(static_cast<int>(std::round(nu * dim)));
  }
  return out;
}

TEST(TrainKernel, IsTheResponseOfThePredictor) {
  constexpr double kRate = 1e-7;
  constexpr int kDim = 24;
  for (Problem problem : {perceptron(), residual()}) {
    problem.optimizer.lr = {kRate};
    Networks<double> network({problem}, sizes(problem, kDim), {5}, kInPlace, 1);
    PaddedVector x(kDim), before(kDim), after(kDim);
    training::fill_normals({9, 1}, 0, x.span());
    network.backward();
    network.predictor(0, 0, before.data());
    const double probed = network.kernel_quotients(x).front();
    std::ranges::copy(x.span(), network.input());
    network.forward_and_update(0);
    const double own = network.kernel_quotient(0);
    network.backward();
    network.predictor(0, 0, after.data());
    for (int k = 0; k < kDim; ++k) after[k] -= before[k];
    const double measured = training::dot(x, after) / (kRate * training::dot(x, x));
    EXPECT_NEAR(measured, probed, 1e-5 * probed);
    EXPECT_DOUBLE_EQ(own, probed);
  }
}

/// The whole vector, for networks with different scales that share their weights.
TEST(TrainKernel, ProductIsTheResponseOfThePredictor) {
  constexpr double kRate = 1e-7;
  constexpr int kDim = 24;
  for (Problem first : {perceptron(), residual()}) {
    first.optimizer.lr = {kRate};
    Problem second = first;
    second.network.gamma0 = 1.3;
    second.network.init_scale = {0.8};
    second.optimizer.layer_lr = {};
    const training::Schedule shared{.method = TrainMethod::shared, .capacity = 2};
    Networks<double> networks({first, second}, sizes(first, kDim), {5}, shared, 1);
    training::PaddedMatrix x(2, kDim), product(2, kDim), before(2, kDim), after(2, kDim);
    networks.backward();
    for (int k = 0; k < 2; ++k) {
      training::fill_normals({9, 1}, 100 * static_cast<std::uint64_t>(k), x.span(k));
      networks.predictor(k, 0, before.row(k));
      std::ranges::copy(x.span(k), networks.input(k));
    }
    networks.kernel_product(x.view(), product.view());
    networks.forward_and_update(0);
    networks.backward();
    for (int k = 0; k < 2; ++k) {
      networks.predictor(k, 0, after.row(k));
      const double size = std::sqrt(training::dot(product.row(k), product.row(k), product.view().width()));
      for (int i = 0; i < kDim; ++i)
        EXPECT_NEAR((after.row(k)[i] - before.row(k)[i]) / kRate, product.row(k)[i], 1e-5 * size);
    }
  }
}

TEST(TrainKernel, IsMissingForNoVector) {
  Problem problem = perceptron();
  Networks<double> network({problem}, sizes(problem, 16), {5}, kInPlace, 1);
  network.backward();
  EXPECT_TRUE(std::isnan(network.kernel_quotients(PaddedVector(16)).front()));
  PaddedVector tiny(16);
  tiny[3] = 1e-160;  // its square has lost digits
  EXPECT_TRUE(std::isnan(network.kernel_quotients(tiny).front()));
}

/// For the population and a centered start u(0) = Lambda w*, so that two of the three quotients are the same there.
TEST(TrainKernel, AlongGradientAndTargetAgreeAtTheStart) {
  Problem p = residual();
  p.network.centered = true;
  p.data = {.mode = DataMode::population, .spectrum = {}};
  p.data.spectrum = {.eigenvalues = {2.0, 0.5}, .target_power = {0.4, 1.6}, .weights = {0.5, 0.5}};
  const Ensemble e = train(p, 8, {.dim = 30, .kernels = true});
  EXPECT_NEAR(e.kernel_gradient(0, 0), e.kernel_target(0, 0), 1e-12);
  EXPECT_GT(std::abs(e.kernel_gradient(0, 7) - e.kernel_target(0, 7)), 1e-6);
}

/// theory.md section 12 item 9: (1 + b^2)^(L-1) (2 + (L-1) b^2 / (1 + b^2)) is the mean trace at every width.
TEST(TrainKernel, ScaleIsThatOfTheoryAtTheStart) {
  Problem p = residual();
  p.optimizer.layer_lr = {};
  p.network.branch_scaling = BranchScaling::constant;
  p.network.branch = 0.5;
  std::vector<std::uint64_t> seeds(200);
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = i;
  const Ensemble e = train(p, 1, {.dim = 30, .seeds = seeds, .kernels = true});
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < 200; ++i) {
    sum += e.kernel_scale(i, 0);
    squares += e.kernel_scale(i, 0) * e.kernel_scale(i, 0);
  }
  const double mean = sum / 200.0;
  const double error = std::sqrt((squares / 200.0 - mean * mean) / 199.0);
  const double expected = 1.25 * 1.25 * (2.0 + 2.0 * 0.25 / 1.25);
  EXPECT_NEAR(mean, expected, 4.0 * error);
  EXPECT_LT(error, 0.03 * expected);
}

TEST(TrainKernel, IsLeftOutUnlessAskedFor) {
  const Ensemble without = train(perceptron(), 5, {.dim = 20});
  const Ensemble with = train(perceptron(), 5, {.dim = 20, .kernels = true});
  EXPECT_TRUE(without.kernel_gradient.empty() && without.kernel_target.empty() && without.kernel_scale.empty());
  for (int t = 0; t < 5; ++t) EXPECT_EQ(without.test_loss(0, t), with.test_loss(0, t)) << "probing changes nothing";
  EXPECT_GT(estimate_train_memory(perceptron(), 5, {.dim = 20, .kernels = true}),
            estimate_train_memory(perceptron(), 5, {.dim = 20}));
}

TEST(TrainKernel, IsOfOneTargetAlone) {
  Problem p = perceptron();
  p.data.targets = {1.0, 0.5};
  try {
    static_cast<void>(train(p, 5, {.dim = 20, .kernels = true}));
    FAIL() << "not refused";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(
        error.what(),
        "kernels cannot be combined with several targets: each output has a different kernel. Leave kernels out.");
  }
}

}  // namespace
}  // namespace lindmft
