// Many problems in one call: the solutions of solve(), in order, for any number of threads; and the behaviour for
// failures, interruption and too little memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"

namespace lindmft {
namespace {

constexpr int kSteps = 60;

Problem example(double lr, int depth = 2) {
  Problem p;
  p.network = {.depth = depth, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {lr};
  return p;
}

/// Infinite depth; with two nodes in depth, branches of 4 are not resolved.
Problem endless(double branch) {
  Problem p = example(0.02);
  p.network = {.kind = Architecture::resnet, .depth = kInfiniteDepth, .branch = branch};
  return p;
}

std::vector<Problem> examples() {
  std::vector<Problem> problems;
  for (const double lr : {0.01, 0.05, 1.0, 0.02}) problems.push_back(example(lr));
  problems.push_back(example(0.03, 4));
  problems.back().data.targets = {1.0, 2.0, 1.0};
  problems.push_back(endless(1.0));
  return problems;
}

void expect_same(const Solution& many, const Solution& one) {
  EXPECT_EQ(many.time, one.time);
  EXPECT_EQ(many.test_loss, one.test_loss);
  EXPECT_EQ(many.train_loss, one.train_loss);
  EXPECT_EQ(many.term_data, one.term_data);
  EXPECT_EQ(many.feature_norm, one.feature_norm);
  EXPECT_EQ(many.test_loss_by_output, one.test_loss_by_output);
  EXPECT_EQ(many.diverged_at, one.diverged_at);
  EXPECT_EQ(many.stats.sweeps, one.stats.sweeps);
  EXPECT_EQ(many.stats.flops, one.stats.flops);
  EXPECT_EQ(many.stats.threads, 1);
}

template <class Error, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(SolveMany, GivesWhatSolveGivesInOrderWhateverTheThreads) {
  const std::vector<Problem> problems = examples();
  for (const int threads : {1, 2, 3, 50}) {
    const std::vector<Solution> many = solve_many(problems, kSteps, {.threads = threads, .save = {}, .progress = {}});
    ASSERT_EQ(many.size(), problems.size());
    for (std::size_t i = 0; i < problems.size(); ++i)
      expect_same(many[i], solve(problems[i], kSteps, {.threads = 1, .save = {}, .progress = {}}));
    EXPECT_TRUE(many[2].diverged_at.has_value());
  }
}

TEST(SolveMany, CoarseGridsAndFlowsToo) {
  const std::vector<Problem> problems{example(0.01), example(0.03, 3)};
  SolveOptions options{.grid = Grid::adaptive, .threads = 2, .save = {}, .progress = {}};
  SolveOptions one = options;
  one.threads = 1;
  const std::vector<Solution> steps = solve_many(problems, 2000, options);
  const std::vector<Solution> flows = flow_many(problems, 30.0, {.threads = 2, .save = {}, .progress = {}});
  EXPECT_THROW(static_cast<void>(flow_many(problems, 30.0, options)), BadInput);  // grid is an option of steps
  for (std::size_t i = 0; i < problems.size(); ++i) {
    expect_same(steps[i], solve(problems[i], 2000, one));
    expect_same(flows[i], flow(problems[i], 30.0, {.threads = 1, .save = {}, .progress = {}}));
  }
}

TEST(SolveMany, NothingIsNothing) {
  EXPECT_TRUE(solve_many({}, kSteps).empty());
  EXPECT_TRUE(try_flow_many({}, 1.0).empty());
}

TEST(SolveMany, ChecksAllProblemsFirstAndNamesTheBadOne) {
  std::vector<Problem> problems = examples();
  problems[3].optimizer.lr = {-1.0};
  SolveOptions options;
  options.progress = [](int, int) -> bool { throw std::logic_error("work has begun"); };
  const std::string alone = message_of<std::invalid_argument>([&] { static_cast<void>(solve(problems[3], kSteps)); });
  const auto refused = [&] { static_cast<void>(solve_many(problems, kSteps, options)); };
  EXPECT_EQ(message_of<std::invalid_argument>(refused), "problems[3]: " + alone);
  const auto refused_to_try = [&] { static_cast<void>(try_solve_many(problems, kSteps, options)); };
  EXPECT_EQ(message_of<std::invalid_argument>(refused_to_try), "problems[3]: " + alone);
  const Solution earlier;
  options.continue_from = &earlier;
  EXPECT_EQ(message_of<std::invalid_argument>(refused),
            "continue_from cannot be combined with several problems: it is a solution of one. Use solve or flow.");
}

TEST(SolveMany, ThrowsTheFirstFailureInOrder) {
  const std::vector<Problem> problems{endless(1.0), endless(1.0), endless(4.0), endless(1.0), endless(4.0)};
  const SolveOptions alone{.threads = 1, .save = {}, .depth_nodes = 2, .progress = {}};
  const std::string why = message_of<NotConverged>([&] { static_cast<void>(solve(problems[2], kSteps, alone)); });
  for (const int threads : {1, 2, 5}) {
    const SolveOptions options{.threads = threads, .save = {}, .depth_nodes = 2, .progress = {}};
    const auto call = [&] { static_cast<void>(solve_many(problems, kSteps, options)); };
    EXPECT_EQ(message_of<NotConverged>(call), "problems[2]: " + why);
  }
}

TEST(SolveMany, AFailureNeedNotCostTheOthers) {
  const std::vector<Problem> problems{endless(1.0), endless(4.0), endless(0.5)};
  const SolveOptions options{.threads = 2, .save = {}, .depth_nodes = 2, .progress = {}};
  const std::vector<Attempt> attempts = try_solve_many(problems, kSteps, options);
  ASSERT_EQ(attempts.size(), 3U);
  EXPECT_FALSE(attempts[0].error);
  ASSERT_TRUE(attempts[1].error);
  EXPECT_THROW(std::rethrow_exception(attempts[1].error), NotConverged);
  ASSERT_FALSE(attempts[2].error);
  EXPECT_EQ(attempts[2].solution.test_loss, solve(problems[2], kSteps, options).test_loss);
}

TEST(SolveMany, AsksForMemoryFirst) {
  const std::vector<Problem> problems(4, example(0.02));
  const double one = estimate_solve_memory(problems.front(), kSteps);
  const auto with = [&problems](double limit) {
    return [&problems, limit] {
      static_cast<void>(
          solve_many(problems, kSteps, {.threads = 4, .memory_limit = limit, .save = {}, .progress = {}}));
    };
  };
  EXPECT_NO_THROW(with(1.2 * one)());  // one at a time
  const std::string message = message_of<MemoryLimit>(with(0.9 * one));
  EXPECT_NE(message.find("solve_many of 4 problems needs "), std::string::npos) << message;
}

TEST(SolveMany, ReportsTheStepsOfAllFromTheCallingThread) {
  const std::thread::id caller = std::this_thread::get_id();
  const std::vector<Problem> problems = examples();
  const int all = static_cast<int>(problems.size()) * kSteps;
  for (const int threads : {1, 2}) {
    std::vector<int> reported;
    SolveOptions options{.threads = threads, .save = {}, .progress = {}};
    options.progress = [&](int done, int total) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      EXPECT_EQ(total, all);
      reported.push_back(done);
      return true;
    };
    static_cast<void>(solve_many(problems, kSteps, options));
    EXPECT_TRUE(std::ranges::is_sorted(reported));
    EXPECT_EQ(reported.back(), all);
  }
}

TEST(SolveMany, StopsWhenAsked) {
  const std::vector<Problem> problems(200, example(0.02));
  for (const int threads : {1, 2}) {
    int calls = 0;
    SolveOptions options{.threads = threads, .save = {}, .progress = {}};
    options.progress = [&](int, int) { return ++calls < 3; };
    const auto call = [&] { static_cast<void>(try_solve_many(problems, 100, options)); };
    const std::string message = message_of<Interrupted>(call);
    EXPECT_EQ(message.find("solve_many interrupted after "), 0U) << message;
    EXPECT_NE(message.find(" of 20000 steps"), std::string::npos) << message;
    EXPECT_EQ(calls, 3);
    options.progress = [](int, int) -> bool { throw NotConverged("from the callback"); };
    EXPECT_EQ(message_of<NotConverged>(call), "from the callback");
  }
}

}  // namespace
}  // namespace lindmft
