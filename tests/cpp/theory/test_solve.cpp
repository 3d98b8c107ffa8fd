// Closed forms for solve(), and its behaviour for divergence, interruption, too little memory and unknown names.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lindmft/config.hpp"
#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Problem example() {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {0.05};
  return p;
}

Problem unstable() {
  Problem p = example();
  p.optimizer.lr = {1.0};
  return p;
}

std::string refusal(int steps, const SolveOptions& options) {
  try {
    static_cast<void>(solve(example(), steps, options));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Solve, InitialLossIsExact) {  // theory.md section 12 item 1
  Problem p = example();
  p.network.init_scale = {1.1};
  const Solution theory = solve(p, 1);
  EXPECT_NEAR(theory.test_loss[0], 1.0 + std::pow(1.1, 6) / (0.8 * 0.8 * 0.75), 1e-14);
  EXPECT_NEAR(theory.train_loss[0], theory.test_loss[0] + 0.09, 1e-14);
  EXPECT_EQ(theory.irreducible, 0.3 * 0.3);
}

TEST(Solve, FirstStepIsExact) {  // theory.md section 12 item 2
  Problem p = example();
  p.network.centered = true;
  const double alpha = 1.5, nu = 0.75, eta = 0.05, noise = 0.09, k = 3.0 * eta;
  const double bias = (1 - k) * (1 - k);
  const double expected = bias + k * k * (1 + noise) / alpha + eta * eta / nu * 5.0 * (1.0 + (1.0 + noise) / alpha);
  for (const DataMode mode : {DataMode::full_batch, DataMode::one_pass}) {
    p.data.mode = mode;
    const Solution theory = solve(p, 2);
    EXPECT_NEAR(theory.test_loss[1], expected, 1e-14);
    EXPECT_NEAR(theory.term_target[1], bias, 1e-14);
  }
}

TEST(Solve, LazyPopulationDecaysGeometrically) {  // theory.md section 12 item 3 at alpha = inf
  Problem p = example();
  p.network = {.depth = 2, .width = {kInfinity}, .gamma0 = 0.0};
  p.data = {.mode = DataMode::population, .spectrum = {}};
  const Solution theory = solve(p, 60);
  for (int t = 0; t < 60; ++t) {
    EXPECT_NEAR(theory.test_loss[static_cast<std::size_t>(t)], std::pow(1.0 - 3.0 * 0.05, 2 * t), 1e-13);
  }
}

TEST(Solve, LazyOnePassFollowsItsRecursion) {  // theory.md section 12 item 7
  Problem p = example();
  p.network = {.depth = 2, .width = {kInfinity}, .gamma0 = 0.0};
  p.data.mode = DataMode::one_pass;
  const Solution theory = solve(p, 60);
  const double k = 3.0 * 0.05, alpha = 1.5;
  double loss = 1.0;
  for (const double solved : theory.test_loss) {
    EXPECT_NEAR(solved, loss, 1e-13);
    loss = ((1.0 - k) * (1.0 - k) + k * k / alpha) * loss + k * k * 0.09 / alpha;
  }
}

TEST(Solve, TermsAddUpAndTheSelfCheckHolds) {
  const Solution theory = solve(example(), 80);
  for (std::size_t t = 0; t < 80; ++t) {
    EXPECT_EQ(theory.time[t], static_cast<double>(t));
    const double sum = theory.term_target[t] + theory.term_init[t] + theory.term_data[t];
    EXPECT_NEAR(sum, theory.test_loss[t], 1e-12 * theory.test_loss[0]);
  }
  EXPECT_LT(theory.stats.chain_residual, 1e-11);
  EXPECT_EQ(theory.stats.nodes, 80);
  EXPECT_GT(theory.stats.flops, 0.0);
  EXPECT_GE(theory.stats.row_sweeps, 80.0);
}

TEST(Solve, SameBitsWhateverTheThreads) {
  constexpr int kSteps = 150;  // test_causal.cpp has products that are large enough for several threads
  const Problem p = example();
  const Solution one = solve(p, kSteps, {.threads = 1, .save = {"all"}, .progress = {}});
  const Solution two = solve(p, kSteps, {.threads = 2, .save = {"all"}, .progress = {}});
  EXPECT_EQ(one.stats.threads, 1);
  EXPECT_EQ(two.stats.threads, config().openmp == "off" ? 1 : 2);
  EXPECT_EQ(one.stats.flops, two.stats.flops);
  EXPECT_EQ(one.test_loss, two.test_loss);
  EXPECT_EQ(one.train_loss, two.train_loss);
  EXPECT_EQ(one.feature_norm, two.feature_norm);
  const auto same = [](const Matrix& a, const Matrix& b) {
    return a.bytes() == b.bytes() && std::equal(a.data(), a.data() + kSteps * kSteps, b.data());
  };
  EXPECT_TRUE(same(one.functions.C_delta, two.functions.C_delta));
  EXPECT_TRUE(same(one.functions.R_gu[0], two.functions.R_gu[0]));
}

TEST(Solve, DivergenceIsAFlaggedPrefix) {
  const Solution lost = solve(unstable(), 40, {.save = {"C_v", "C_h"}, .progress = {}});
  ASSERT_TRUE(lost.diverged_at.has_value());
  const int at = *lost.diverged_at;
  ASSERT_GT(at, 0);
  ASSERT_LT(at, 40);
  for (const std::vector<double>* series : {&lost.test_loss, &lost.train_loss, &lost.term_target, &lost.term_init,
                                            &lost.term_data, &lost.feature_norm[1], &lost.gradient_norm[0]}) {
    ASSERT_EQ(series->size(), 40U);
    for (int t = 0; t < 40; ++t) EXPECT_EQ((*series)[static_cast<std::size_t>(t)] == kInfinity, t >= at);
  }
  EXPECT_EQ(lost.time.back(), 39.0);
  EXPECT_EQ(lost.functions.C_v.rows(), at);
  EXPECT_EQ(lost.functions.C_h[2].cols(), at);
}

TEST(Solve, HopelessInitializationDivergesAtOnce) {
  Problem p = example();
  p.network.init_scale = {1e120};
  const Solution lost = solve(p, 3, {.save = {"all"}, .progress = {}});
  EXPECT_EQ(lost.diverged_at, 0);
  EXPECT_EQ(lost.test_loss, std::vector<double>(3, kInfinity));
  EXPECT_TRUE(lost.functions.C_v.empty());
}

TEST(Solve, ReportsProgressToTheEndFromTheCallingThread) {
  const std::thread::id caller = std::this_thread::get_id();
  for (const int threads : {1, 2}) {
    std::vector<int> done;
    SolveOptions options{.threads = threads, .save = {}, .progress = {}};
    options.progress = [&](int now, int total) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      EXPECT_EQ(total, 100);
      done.push_back(now);
      return true;
    };
    static_cast<void>(solve(example(), 100, options));
    ASSERT_FALSE(done.empty());
    EXPECT_TRUE(std::ranges::is_sorted(done));
    EXPECT_EQ(done.back(), 100);
  }
}

TEST(Solve, StopsWhenAsked) {
  int calls = 0;
  SolveOptions options;
  options.progress = [&](int, int) { return ++calls < 3; };
  try {
    static_cast<void>(solve(example(), 1000, options));
    FAIL() << "was not interrupted";
  } catch (const Interrupted& stop) {
    EXPECT_NE(std::string(stop.what()).find("of 1000 steps"), std::string::npos) << stop.what();
  }
  EXPECT_EQ(calls, 3);
}

TEST(Solve, PassesOnWhatTheCallbackThrows) {
  SolveOptions options;
  options.progress = [](int, int) -> bool { throw std::out_of_range("from the callback"); };
  EXPECT_THROW(static_cast<void>(solve(example(), 1000, options)), std::out_of_range);
}

TEST(Solve, AsksForMemoryFirst) {
  const double needed = estimate_solve_memory(example(), 100);
  EXPECT_GT(needed, 8.0 * 100 * 100);
  EXPECT_NO_THROW(static_cast<void>(solve(example(), 100, {.memory_limit = needed, .save = {}, .progress = {}})));
  try {
    static_cast<void>(solve(example(), 100, {.memory_limit = 0.99 * needed, .save = {}, .progress = {}}));
    FAIL() << "was not refused";
  } catch (const MemoryLimit& refused) {
    const std::string message = refused.what();
    EXPECT_EQ(message.find("solve of 100 steps needs "), 0U) << message;
    EXPECT_NE(message.find(" bytes) but may take "), std::string::npos) << message;
    EXPECT_NE(message.find("(memory_limit)"), std::string::npos) << message;
  }
  EXPECT_THROW(static_cast<void>(solve(example(), 5'000'000)), std::bad_alloc);  // more than any machine has free
}

TEST(Solve, RefusesWhatIsNoLimitOfMemory) {
  const auto with_limit = [](double bytes) { return SolveOptions{.memory_limit = bytes, .save = {}, .progress = {}}; };
  const std::string allowed =
      "memory_limit must be a positive number of bytes, or 0 for four fifths of the free memory";
  EXPECT_EQ(refusal(5, with_limit(-1.0)), allowed + ", got -1");
  EXPECT_EQ(refusal(5, with_limit(std::numeric_limits<double>::quiet_NaN())), allowed + ", got nan");
}

TEST(Solve, KeepsWhatIsAskedForByName) {
  const auto kept = [](std::vector<std::string> names) {
    const TwoTimeFunctions f = solve(example(), 7, {.save = std::move(names), .progress = {}}).functions;
    return std::vector<std::size_t>{f.C_h.size(),      f.C_g.size(),          f.R_hr.size(),        f.R_gu.size(),
                                    f.C_v.bytes() / 8, f.C_delta.bytes() / 8, f.R_delta.bytes() / 8};
  };
  EXPECT_EQ(kept({}), (std::vector<std::size_t>{0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(kept({"C_h"}), (std::vector<std::size_t>{3, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(kept({"C_g"}), (std::vector<std::size_t>{0, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(kept({"R_hr"}), (std::vector<std::size_t>{0, 0, 3, 0, 0, 0, 0}));
  EXPECT_EQ(kept({"R_gu"}), (std::vector<std::size_t>{0, 0, 0, 2, 0, 0, 0}));
  EXPECT_EQ(kept({"C_v", "R_delta"}), (std::vector<std::size_t>{0, 0, 0, 0, 49, 0, 49}));
  EXPECT_EQ(kept({"C_delta"}), (std::vector<std::size_t>{0, 0, 0, 0, 0, 49, 0}));
  EXPECT_EQ(kept({"all"}), (std::vector<std::size_t>{3, 2, 3, 2, 49, 49, 49}));
}

TEST(Solve, RefusesBadOptions) {
  EXPECT_EQ(refusal(5, {.save = {"C_v", "C_x"}, .progress = {}}),
            "save must be among 'all', 'C_h', 'C_g', 'R_hr', 'R_gu', 'C_v', 'C_delta', 'R_delta', got 'C_x'");
  EXPECT_EQ(refusal(0, {}), "steps must be at least 1, got 0");
  EXPECT_EQ(refusal(5, {.threads = -1, .save = {}, .progress = {}}),
            "threads must be a whole number from 1 to 4096, or 0 for the default, got -1");
}

}  // namespace
}  // namespace lindmft
