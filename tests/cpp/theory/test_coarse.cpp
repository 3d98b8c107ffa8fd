// Coarse time grids in solve() and flow(): comparison with all steps, refused input, resuming and interruption.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Problem example() {
  Problem p;
  p.network = {.depth = 2, .width = {1.0}};
  p.data = {.mode = DataMode::full_batch, .alpha = 2.0, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {0.1};
  return p;
}

Spectrum two_modes() { return {.eigenvalues = {1.5, 0.5}, .target_power = {1.0, 0.7}, .weights = {0.5, 0.5}}; }

SolveOptions adaptive(double rtol = 1e-6) {
  SolveOptions options;
  options.grid = Grid::adaptive;
  options.rtol = rtol;
  return options;
}

/// Largest difference in units of rtol |loss| + atol loss(0), over the coarse grid's nodes.
double worst(const Solution& coarse, const Solution& exact, const SolveOptions& options) {
  double out = 0.0;
  for (std::size_t i = 0; i < coarse.time.size(); ++i) {
    const auto t = static_cast<std::size_t>(coarse.time[i]);
    for (auto loss : {&Solution::test_loss, &Solution::train_loss}) {
      const double allowed = options.rtol * std::abs((exact.*loss)[t]) + options.atol * (exact.*loss).front();
      out = std::max(out, std::abs((coarse.*loss)[i] - (exact.*loss)[t]) / allowed);
    }
  }
  return out;
}

void expect_accurate(const Problem& problem, int steps) {
  const Solution exact = solve(problem, steps);
  for (const double rtol : {1e-4, 1e-6, 1e-8}) {
    const Solution coarse = solve(problem, steps, adaptive(rtol));
    EXPECT_LT(worst(coarse, exact, adaptive(rtol)), 1.0) << rtol;
    EXPECT_LT(coarse.time.size(), exact.time.size());
    EXPECT_EQ(coarse.time.back(), steps - 1.0);
    EXPECT_EQ(coarse.panels.back(), static_cast<int>(coarse.time.size()));
  }
}

TEST(Coarse, AdaptiveStepsAgreeWithEveryStep) {
  expect_accurate(example(), 300);
  Problem narrow = example();
  narrow.network.width = {0.4};
  narrow.network.gamma0 = 2.0;
  narrow.data.alpha = 0.6;
  narrow.optimizer.lr = {0.03};
  expect_accurate(narrow, 300);
}

TEST(Coarse, AdaptiveStepsAgreeForOtherNetworksDataAndOptimizers) {
  Problem residual = example();
  residual.network = {.kind = Architecture::resnet, .depth = 3, .width = {0.7}, .centered = true};
  residual.optimizer = {.lr = {0.03}, .momentum = {0.5}, .weight_decay = 0.01, .layer_lr = {}};
  expect_accurate(residual, 200);
  Problem modes = example();
  modes.data.spectrum = two_modes();
  modes.optimizer.lr = {0.05};
  expect_accurate(modes, 200);
  Problem population = example();
  population.data.mode = DataMode::population;
  population.data.alpha = kInfinity;
  population.network.width = {kInfinity};
  expect_accurate(population, 200);
}

TEST(Coarse, InfiniteDepthAgrees) {
  Problem p = example();
  p.network = {.kind = Architecture::resnet, .depth = kInfiniteDepth, .width = {1.0}, .gamma0 = 0.5};
  p.optimizer.lr = {0.03};
  const Solution exact = solve(p, 120);
  EXPECT_LT(worst(solve(p, 120, adaptive()), exact, adaptive()), 1.0);
}

TEST(Coarse, AMillionStepsEndOnLeastSquares) {  // theory.md section 12 item 4
  const Solution theory = solve(example(), 1000000, adaptive());
  EXPECT_LE(theory.time.size(), 300U);
  EXPECT_NEAR(theory.test_loss.back(), 0.09, 0.09 * 1e-8);
  EXPECT_NEAR(theory.train_loss.back(), 0.045, 0.045 * 1e-8);
  EXPECT_LT(theory.stats.chain_residual, 1e-8);
}

TEST(Coarse, FlowEndsOnLeastSquaresOrInterpolates) {
  for (const double alpha : {0.5, 1.05, 5.0}) {
    Problem p = example();
    p.network.width = {0.5};
    p.data.alpha = alpha;
    const Solution theory = flow(p, 1e6);
    EXPECT_EQ(theory.time.front(), 0.0);
    EXPECT_EQ(theory.time.back(), 1e6);
    if (alpha > 1.0) {
      EXPECT_NEAR(theory.test_loss.back() / (0.09 / (alpha - 1.0)), 1.0, 1e-5) << alpha;
      EXPECT_NEAR(theory.train_loss.back() / (0.09 * (1.0 - 1.0 / alpha)), 1.0, 1e-5) << alpha;
    } else {
      EXPECT_LT(theory.train_loss.back(), 1e-9);
    }
  }
}

TEST(Coarse, FlowIsTheLimitOfSmallSteps) {
  Problem p = example();
  const Solution limit = flow(p, 2.0);
  double last = 1.0;
  for (const int halvings : {0, 1, 2}) {
    p.optimizer.lr = {0.02 / (1 << halvings)};
    const Solution steps = solve(p, 100 * (1 << halvings) + 1);
    const double off = std::abs(steps.test_loss.back() - limit.test_loss.back());
    if (halvings > 0) {
      EXPECT_NEAR(last / off, 2.0, 0.2);
    }
    last = off;
  }
}

TEST(Coarse, DivergenceIsTheSameStep) {
  Problem p = example();
  p.optimizer.lr = {0.45};
  const Solution exact = solve(p, 300);
  const Solution coarse = solve(p, 300, adaptive());
  ASSERT_TRUE(exact.diverged_at.has_value());
  EXPECT_EQ(exact.diverged_at, coarse.diverged_at);
  EXPECT_EQ(coarse.test_loss.back(), kInfinity);
}

TEST(Coarse, ContinuesWhereItEnded) {
  SolveOptions options = adaptive();
  options.keep_state = true;
  const Solution first = solve(example(), 500, options);
  options.continue_from = &first;
  const Solution longer = solve(example(), 5000, options);
  const Solution whole = solve(example(), 5000, adaptive());
  EXPECT_EQ(longer.time[first.time.size() - 1], 499.0);
  EXPECT_NEAR(longer.test_loss.back() / whole.test_loss.back(), 1.0, 1e-8);
  EXPECT_EQ(longer.test_loss[3], first.test_loss[3]);
}

TEST(Coarse, ExactStepsContinueWhereTheyEnded) {
  SolveOptions exact;
  exact.keep_state = true;
  const Solution start = solve(example(), 20, exact);
  exact.continue_from = &start;
  const Solution on = solve(example(), 60, exact);
  const Solution all = solve(example(), 60);
  for (std::size_t t = 0; t < 60; ++t) EXPECT_NEAR(on.test_loss[t] / all.test_loss[t], 1.0, 1e-11);
}

std::string refusal(const Problem& problem, const SolveOptions& options) {
  try {
    static_cast<void>(solve(problem, 100, options));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Coarse, RefusesWhatItCannotDo) {
  Problem noisy = example();
  noisy.data.mode = DataMode::epochs;
  noisy.data.batches = 4;
  EXPECT_NE(refusal(noisy, adaptive()).find("the steps of an epoch differ"), std::string::npos);
  SolveOptions options = adaptive();
  options.kernels = true;
  EXPECT_NE(refusal(example(), options).find("kernels"), std::string::npos);
  EXPECT_NE(refusal(example(), adaptive(0.0)).find("rtol"), std::string::npos);
  options = adaptive();
  options.atol = 1e-16;
  EXPECT_NE(refusal(example(), options).find("atol"), std::string::npos);
  const Solution without = solve(example(), 20);
  options = {};
  options.continue_from = &without;
  EXPECT_NE(refusal(example(), options).find("keep_state"), std::string::npos);
  EXPECT_THROW(static_cast<void>(flow(example(), -1.0)), std::invalid_argument);
  Problem momentum = example();
  momentum.optimizer.momentum = {0.5};
  EXPECT_THROW(static_cast<void>(flow(momentum, 1.0)), std::invalid_argument);
}

TEST(Coarse, ProgressGrowsAndCanStop) {
  SolveOptions options = adaptive();
  int last = -1;
  options.progress = [&](int done, int total) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
    return true;
  };
  static_cast<void>(solve(example(), 10000, options));
  EXPECT_EQ(last, 1000);
  options.progress = [](int done, int /*total*/) { return done < 300; };
  EXPECT_THROW(static_cast<void>(solve(example(), 10000, options)), Interrupted);
}

TEST(Coarse, ThreadsDoNotChangeTheResult) {
  SolveOptions one = adaptive(), two = adaptive();
  one.threads = 1;
  two.threads = 2;
  EXPECT_EQ(solve(example(), 3000, one).test_loss, solve(example(), 3000, two).test_loss);
}

TEST(Coarse, ReplicasAgreeWithEveryStep) {
  SolveOptions options;
  options.replicas = true;
  const Solution exact = solve(example(), 150, options);
  options.grid = Grid::adaptive;
  const Solution coarse = solve(example(), 150, options);
  for (std::size_t i = 0; i < coarse.time.size(); ++i) {
    const auto t = static_cast<std::size_t>(coarse.time[i]);
    EXPECT_NEAR(coarse.replicas.shared_init[i] / exact.replicas.shared_init[t], 1.0, 1e-6);
    EXPECT_NEAR(coarse.replicas.shared_data[i] / exact.replicas.shared_data[t], 1.0, 1e-6);
  }
}

TEST(Coarse, OutputsShareTheirTimes) {
  Problem p = example();
  p.data.targets = {1.0, 0.3};
  const Solution exact = solve(p, 200);
  const Solution coarse = solve(p, 200, adaptive());
  for (std::size_t i = 0; i < coarse.time.size(); ++i) {
    const auto t = static_cast<std::size_t>(coarse.time[i]);
    for (std::size_t c = 0; c < 2; ++c)
      EXPECT_NEAR(coarse.test_loss_by_output[c][i] / exact.test_loss_by_output[c][t], 1.0, 1e-6);
  }
}

}  // namespace
}  // namespace lindmft
