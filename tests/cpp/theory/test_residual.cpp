// Residual networks of finite and infinite depth: closed forms, limits, and the behaviour of solve().
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Problem example(int depth) {
  Problem p;
  p.network = {.kind = Architecture::resnet, .depth = depth, .width = {0.75}, .gamma0 = 0.8, .branch = 0.9};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {0.03};
  return p;
}

Problem lazy(int depth) {
  Problem p = example(depth);
  p.network.width = {kInfinity};
  p.network.gamma0 = 0.0;
  p.data = {.mode = DataMode::population, .spectrum = {}};
  return p;
}

std::string refusal(const Problem& problem, int depth_nodes) {
  try {
    static_cast<void>(solve(problem, 3, {.save = {}, .depth_nodes = depth_nodes, .progress = {}}));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Residual, InitialLossIsExact) {  // theory.md section 12 item 1
  const double rho = 1.0 / (0.8 * 0.8 * 0.75), b_sq = 0.9 * 0.9;
  for (const int depth : {1, 2, 5}) {
    Problem p = example(depth);
    EXPECT_NEAR(solve(p, 1).test_loss[0], 1.0 + std::pow(1.0 + b_sq / depth, depth - 1) * rho, 1e-13);
    p.network.branch_scaling = BranchScaling::constant;
    EXPECT_NEAR(solve(p, 1).test_loss[0], 1.0 + std::pow(1.0 + b_sq, depth - 1) * rho, 1e-12);
  }
  EXPECT_NEAR(solve(example(kInfiniteDepth), 1).test_loss[0], 1.0 + std::exp(b_sq) * rho, 1e-11);
}

TEST(Residual, LazyPopulationDecaysGeometrically) {  // theory.md section 12 item 9
  const double b_sq = 0.9 * 0.9;
  for (const int depth : {1, 4, kInfiniteDepth}) {
    const double b = b_sq / depth;
    const double finite = std::pow(1.0 + b, depth - 1) * (2.0 + (depth - 1) * b / (1.0 + b));
    const double kernel = depth == kInfiniteDepth ? std::exp(b_sq) * (2.0 + b_sq) : finite;
    const Solution theory = solve(lazy(depth), 30, {.save = {}, .kernels = true, .progress = {}});
    for (std::size_t t = 0; t < 30; ++t) {
      EXPECT_NEAR(theory.test_loss[t], std::pow(1.0 - 0.03 * kernel, 2.0 * static_cast<double>(t)), 1e-9);
      EXPECT_NEAR(theory.kernels.scale[t], kernel, 1e-9);
    }
  }
}

TEST(Residual, DepthOneIsAPerceptron) {
  Problem p = example(1);
  const Solution residual = solve(p, 40);
  p.network.kind = Architecture::mlp;
  p.network.branch = 1.0;
  const Solution perceptron = solve(p, 40);
  for (std::size_t t = 0; t < 40; ++t) {
    EXPECT_NEAR(residual.test_loss[t], perceptron.test_loss[t], 1e-12);
    EXPECT_NEAR(residual.feature_norm[0][t], perceptron.feature_norm[0][t], 1e-12);
  }
}

TEST(Residual, TermsAddUpAndTheSelfCheckHolds) {
  for (const int depth : {3, kInfiniteDepth}) {
    const Solution theory = solve(example(depth), 60);
    for (std::size_t t = 0; t < 60; ++t) {
      const double sum = theory.term_target[t] + theory.term_init[t] + theory.term_data[t];
      EXPECT_NEAR(sum, theory.test_loss[t], 1e-12 * theory.test_loss[0]);
    }
    EXPECT_LT(theory.stats.chain_residual, depth == 3 ? 1e-11 : 1e-7);
    EXPECT_EQ(theory.stats.depth_error == 0.0, depth == 3);
  }
}

TEST(Residual, DepthApproachesItsLimitLikeItsInverse) {  // theory.md section 12 item 12
  const Solution limit = solve(example(kInfiniteDepth), 10);
  double before = 0.0;
  for (const int depth : {32, 64, 128}) {
    const double error = std::abs(solve(example(depth), 10).test_loss[9] - limit.test_loss[9]);
    if (before > 0.0) {
      EXPECT_NEAR(before / error, 2.0, 0.1);
    }
    before = error;
  }
}

TEST(Residual, SameBitsWhateverTheThreads) {
  for (const int depth : {3, kInfiniteDepth}) {
    const Solution one = solve(example(depth), 80, {.threads = 1, .save = {}, .replicas = true, .progress = {}});
    const Solution two = solve(example(depth), 80, {.threads = 2, .save = {}, .replicas = true, .progress = {}});
    EXPECT_EQ(one.test_loss, two.test_loss);
    EXPECT_EQ(one.feature_norm, two.feature_norm);
    EXPECT_EQ(one.replicas.shared_init, two.replicas.shared_init);
    EXPECT_EQ(one.replicas.shared_data, two.replicas.shared_data);
  }
}

TEST(Residual, KeepsWhatIsAskedForByName) {
  for (const int depth : {4, kInfiniteDepth}) {
    const Solution theory = solve(example(depth), 7, {.save = {"all"}, .progress = {}});
    const std::size_t layers = theory.depth.size();
    EXPECT_EQ(theory.functions.C_h.size(), layers + 1);
    EXPECT_EQ(theory.functions.R_hr.size(), layers + 1);
    EXPECT_EQ(theory.functions.C_g.size(), layers);
    EXPECT_EQ(theory.functions.R_gu.size(), layers);
    EXPECT_EQ(theory.feature_norm.size(), layers);
    EXPECT_EQ(theory.depth, depth == 4 ? (std::vector<double>{1.0, 2.0, 3.0, 4.0}) : theory.depth);
    for (std::size_t l = 0; l < layers; ++l) EXPECT_EQ(theory.functions.C_g[l](6, 6), theory.gradient_norm[l][6]);
  }
}

TEST(Residual, AsksForMemoryFirst) {
  for (const int depth : {5, kInfiniteDepth}) {
    SolveOptions options{.save = {"all"}, .replicas = true, .kernels = true, .progress = {}};
    if (depth == kInfiniteDepth) options.depth_nodes = 8;
    const double needed = estimate_solve_memory(example(depth), 80, options);
    options.memory_limit = needed;
    EXPECT_NO_THROW(static_cast<void>(solve(example(depth), 80, options)));
    options.memory_limit = 0.99 * needed;
    EXPECT_THROW(static_cast<void>(solve(example(depth), 80, options)), MemoryLimit);
    const double least = (depth == 5 ? 5.0 : 8.0) * 4.0 * 8.0 * 80 * 80;
    EXPECT_GT(needed, least);
  }
}

TEST(Residual, RefusesBadDepthNodes) {
  EXPECT_EQ(refusal(example(3), 6),
            "depth_nodes cannot be combined with a finite depth: every layer is solved there. Leave depth_nodes out.");
  for (const int nodes : {-1, 1, 65}) {
    EXPECT_EQ(refusal(example(kInfiniteDepth), nodes),
              "depth_nodes must be between 2 and 64, or 0 for as many as an error estimate asks for, got " +
                  std::to_string(nodes));
  }
  EXPECT_EQ(refusal(example(kInfiniteDepth), 5), "accepted");
}

TEST(InfiniteDepth, AgreesWithTheReference) {  // theory.md section 5
  Problem p = example(kInfiniteDepth);
  p.network.width = {1.0};
  p.network.gamma0 = 0.5;
  p.network.branch = 1.0;
  p.data.alpha = 2.0;
  p.optimizer.lr = {0.02};
  const Solution theory = solve(p, 16);
  EXPECT_LE(theory.depth.size(), 8U);
  EXPECT_NEAR(theory.test_loss[0], 11.87312731, 1e-8);
  EXPECT_NEAR(theory.test_loss[7], 2.06644406, 1e-8);
  EXPECT_NEAR(theory.test_loss[15], 1.28987346, 1e-8);
  const Solution fine = solve(p, 16, {.save = {}, .depth_nodes = 20, .progress = {}});
  EXPECT_EQ(fine.depth.size(), 20U);
  EXPECT_LT(fine.stats.depth_error, 1e-13);
}

TEST(InfiniteDepth, DivergenceIsAFlaggedPrefix) {
  Problem p = example(kInfiniteDepth);
  p.optimizer.lr = {0.8};
  const Solution lost = solve(p, 30, {.save = {"C_h"}, .replicas = true, .kernels = true, .progress = {}});
  ASSERT_TRUE(lost.diverged_at.has_value());
  const int at = *lost.diverged_at;
  ASSERT_GT(at, 0);
  ASSERT_LT(at, 30);
  for (const std::vector<double>* series :
       {&lost.test_loss, &lost.train_loss, &lost.feature_norm[1], &lost.replicas.shared_init,
        &lost.replicas.shared_data, &lost.replicas.independent, &lost.kernels.scale, &lost.kernels.gradient}) {
    ASSERT_EQ(series->size(), 30U);
    for (int t = 0; t < 30; ++t) EXPECT_EQ((*series)[static_cast<std::size_t>(t)] == kInfinity, t >= at);
  }
  EXPECT_EQ(lost.functions.C_h[1].rows(), at);
}

TEST(InfiniteDepth, ABranchThatNoGridResolvesIsRefused) {
  Problem p = example(kInfiniteDepth);
  p.network.branch = 12.0;
  p.optimizer.lr = {1e-70};
  EXPECT_THROW(static_cast<void>(solve(p, 5)), NotConverged);
}

}  // namespace
}  // namespace lindmft
