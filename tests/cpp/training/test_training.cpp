// Properties of every ensemble of train(), and its behaviour for bad input, interruption and divergence.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lindmft/errors.hpp"
#include "lindmft/train.hpp"
#include "support/divergence.hpp"
#include "training/data/modes.hpp"

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

Problem residual() {
  Problem p = example();
  p.network = {.kind = Architecture::resnet, .depth = 4, .width = {0.75}, .gamma0 = 0.8, .branch = 1.3};
  return p;
}

Problem two_outputs() {
  Problem p = example();
  p.data.targets = {1.0, 0.5};
  p.data.rotation = {0.6, -0.8, 0.8, 0.6};
  return p;
}

std::vector<Problem> one_of_each_mode() {
  std::vector<Problem> problems(4, example());
  problems[1].data.mode = DataMode::multi_pass;
  problems[1].data.batch_fraction = 0.5;
  problems[2].data.mode = DataMode::one_pass;
  problems[3].data = {.mode = DataMode::population, .noise = 0.3, .spectrum = {}};
  return problems;
}

std::vector<Problem> one_of_each_kind() {
  std::vector<Problem> problems = one_of_each_mode();
  problems.push_back(residual());
  problems.push_back(two_outputs());
  return problems;
}

std::vector<std::uint64_t> seeds(int count) {
  std::vector<std::uint64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 100U);
  return out;
}

std::vector<const Matrix*> series(const Ensemble& e) {
  std::vector<const Matrix*> all{&e.test_loss, &e.train_loss, &e.chain_residual};
  for (const auto* list : {&e.test_loss_by_output, &e.train_loss_by_output}) {
    for (const Matrix& m : *list) all.push_back(&m);
  }
  for (const Matrix& m : e.feature_norm) all.push_back(&m);
  for (const Matrix& m : e.gradient_norm) all.push_back(&m);
  return all;
}

/// Whether row i of a and row j of b are the same to the last bit, up to the length of the shorter one.
void expect_same_run(const Ensemble& a, int i, const Ensemble& b, int j) {
  const std::vector<const Matrix*> x = series(a);
  const std::vector<const Matrix*> y = series(b);
  ASSERT_EQ(x.size(), y.size());
  const int steps = std::min(x[0]->cols(), y[0]->cols());
  for (std::size_t m = 0; m < x.size(); ++m) {
    for (int t = 0; t < steps; ++t) EXPECT_EQ((*x[m])(i, t), (*y[m])(j, t)) << "series " << m << " at step " << t;
  }
}

struct MeanError {
  double mean;
  double error;
};

MeanError over_seeds(const Matrix& m, int t) {
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < m.rows(); ++i) {
    sum += m(i, t);
    squares += m(i, t) * m(i, t);
  }
  const double mean = sum / m.rows();
  return {mean, std::sqrt((squares / m.rows() - mean * mean) / (m.rows() - 1))};
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no std::invalid_argument";
}

std::string refusal(const Problem& problem, int steps = 5, const TrainOptions& options = {.dim = 16}) {
  return refusal([&] { static_cast<void>(train(problem, steps, options)); });
}

TEST(Train, DescribesWhatItDid) {
  const Ensemble e = train(example(), 4, {.dim = 20, .seeds = {7, 8, 9}, .threads = 2});
  EXPECT_EQ(e.dim, 20);
  EXPECT_EQ(e.samples, 30);
  EXPECT_EQ(e.widths, (std::vector<int>{15, 15}));
  EXPECT_EQ(e.seeds, (std::vector<std::uint64_t>{7, 8, 9}));
  EXPECT_EQ(e.time, (std::vector<double>{0, 1, 2, 3}));
  EXPECT_EQ(e.diverged_at, (std::vector<int>{-1, -1, -1}));
  for (const Matrix* m : series(e)) {
    EXPECT_EQ(m->rows(), 3);
    EXPECT_EQ(m->cols(), 4);
  }
  EXPECT_EQ(e.feature_norm.size(), 2U);
  EXPECT_GT(e.stats.seconds, 0.0);
  EXPECT_FALSE(e.stats.instruction_set.empty());
}

TEST(Train, SameBitsWhateverTheThreads) {
  for (const Problem& problem : one_of_each_kind()) {
    const Ensemble one = train(problem, 10, {.dim = 24, .seeds = seeds(5), .threads = 1});
    const Ensemble two = train(problem, 10, {.dim = 24, .seeds = seeds(5), .threads = 2});
    for (int i = 0; i < 5; ++i) expect_same_run(one, i, two, i);
  }
}

TEST(Train, SameBitsAloneOrAmongOthers) {
  for (const Problem& problem : one_of_each_kind()) {
    const Ensemble alone = train(problem, 10, {.dim = 24, .seeds = {102}, .threads = 1});
    const Ensemble among = train(problem, 10, {.dim = 24, .seeds = seeds(5), .threads = 1});
    expect_same_run(alone, 0, among, 2);
  }
}

// The method of storing weights depends on the number of steps; results are the same to the last bit only if it is the
// same.
TEST(Train, LongerRunStartsWithTheShorterOne) {
  for (const Problem& problem : one_of_each_kind()) {
    TrainOptions options{.dim = 24, .seeds = {1}};
    const Ensemble brief = train(problem, 6, options);
    const Ensemble full = train(problem, 120, options);
    for (int t = 0; t < 6; ++t) {
      EXPECT_NEAR(brief.test_loss(0, t), full.test_loss(0, t), 1e-12 * brief.test_loss(0, 0)) << "step " << t;
      EXPECT_NEAR(brief.train_loss(0, t), full.train_loss(0, t), 1e-12 * brief.train_loss(0, 0)) << "step " << t;
    }
    options.method = TrainMethod::in_place;
    expect_same_run(train(problem, 6, options), 0, train(problem, 12, options), 0);
  }
}

TEST(Train, SeedsDiffer) {
  const Ensemble e = train(example(), 2, {.dim = 24, .seeds = {1, 2}});
  EXPECT_NE(e.test_loss(0, 0), e.test_loss(1, 0));
}

TEST(Train, ChainIdentityHolds) {
  for (Problem problem : one_of_each_mode()) {
    problem.network = {.depth = 3, .width = {0.5, 1.5, 0.8}, .gamma0 = 0.7, .centered = true};
    problem.optimizer.momentum = {0.5};
    const Ensemble e = train(problem, 30, {.dim = 40, .seeds = {5}});
    for (int t = 0; t < 30; ++t) EXPECT_LT(e.chain_residual(0, t), 1e-10);
  }
  for (const Problem& problem : {residual(), two_outputs()}) {
    const Ensemble e = train(problem, 30, {.dim = 40, .seeds = {5}});
    for (int t = 0; t < 30; ++t) EXPECT_LT(e.chain_residual(0, t), 1e-10);
  }
}

TEST(Train, InitialLossIsThatOfTheory) {  // theory.md section 12 item 1
  Problem p = example();
  p.network.init_scale = {1.1};
  const Ensemble e = train(p, 1, {.dim = 60, .seeds = seeds(64)});
  const double scale = std::pow(1.1, 6);  // init_scale^(2 (L + 1))
  const auto [mean, error] = over_seeds(e.test_loss, 0);
  EXPECT_NEAR(mean, 1.0 + scale / (0.8 * 0.8 * 0.75), 4.0 * error);
}

TEST(Train, InitialLossOfResidualNetworksIsThatOfTheory) {  // theory.md section 12 item 1
  const Ensemble e = train(residual(), 1, {.dim = 60, .seeds = seeds(64)});
  const double b_squared = 1.3 * 1.3 / 4.0;
  const auto [mean, error] = over_seeds(e.test_loss, 0);
  EXPECT_NEAR(mean, 1.0 + std::pow(1.0 + b_squared, 3) / (0.8 * 0.8 * 0.75), 4.0 * error);
}

TEST(Train, TotalsAreSumsOverOutputs) {
  const Ensemble e = train(two_outputs(), 10, {.dim = 24, .seeds = seeds(2)});
  const Ensemble one = train(example(), 1, {.dim = 24, .seeds = seeds(2)});
  ASSERT_EQ(e.test_loss_by_output.size(), 2U);
  for (int t = 0; t < 10; ++t) {
    EXPECT_EQ(e.test_loss(1, t), e.test_loss_by_output[0](1, t) + e.test_loss_by_output[1](1, t));
    EXPECT_EQ(e.train_loss(1, t), e.train_loss_by_output[0](1, t) + e.train_loss_by_output[1](1, t));
  }
  EXPECT_NEAR(e.gradient_norm[0](1, 0), 2.0 * one.gradient_norm[0](1, 0), 0.9 * one.gradient_norm[0](1, 0));
  EXPECT_GT(e.gradient_norm[1](1, 0), one.gradient_norm[1](1, 0)) << "output 0 starts as a network of one output does";
  EXPECT_EQ(one.test_loss_by_output.size(), 1U);
  EXPECT_EQ(one.test_loss_by_output[0](1, 0), one.test_loss(1, 0));
}

/// Channels decouple (theory.md section 8): a wide network learns each as if it were the only one.
TEST(Train, OutputsDecouple) {
  Problem both = example();
  both.network.centered = true;
  both.data.targets = {1.0, 0.5};
  Problem weak = both;
  weak.data.targets = {0.5};
  const Ensemble pair = train(both, 15, {.dim = 100, .seeds = seeds(24)});
  const Ensemble alone = train(weak, 15, {.dim = 100, .seeds = seeds(24)});
  const auto seen = over_seeds(pair.test_loss_by_output[1], 14);
  const auto expected = over_seeds(alone.test_loss, 14);
  EXPECT_NEAR(seen.mean, expected.mean, 4.0 * std::hypot(seen.error, expected.error) + 1.0 / 100.0);
  EXPECT_LT(expected.error, 0.1 * expected.mean);
}

TEST(Train, CenteredStartsAtTheTargetsPower) {
  Problem p = example();
  p.network.centered = true;
  p.data.spectrum = {.eigenvalues = {2.0, 0.5}, .target_power = {0.4, 1.6}, .weights = {0.5, 0.5}};
  const Ensemble e = train(p, 1, {.dim = 20});
  EXPECT_NEAR(e.test_loss(0, 0), 0.5 * 2.0 * 0.4 + 0.5 * 0.5 * 1.6, 1e-14);
}

TEST(Train, FirstStepIsThatOfTheory) {  // theory.md section 12 item 2
  Problem p = example();
  p.network.centered = true;
  const double alpha = 1.5, nu = 0.75, eta = 0.05, noise = 0.09, k = 3.0 * eta;
  const double expected =
      (1 - k) * (1 - k) + k * k * (1 + noise) / alpha + eta * eta / nu * 5.0 * (1.0 + (1.0 + noise) / alpha);
  for (const DataMode mode : {DataMode::full_batch, DataMode::one_pass}) {
    p.data.mode = mode;
    const Ensemble e = train(p, 2, {.dim = 120, .seeds = seeds(48)});
    const auto [mean, error] = over_seeds(e.test_loss, 1);
    EXPECT_NEAR(mean, expected, 4.0 * error + 0.5 / 120.0);
  }
}

TEST(Train, PopulationIsTheLimitOfManySamples) {
  const Problem population = one_of_each_mode()[3];
  Problem sampled = population;
  const TrainOptions options{.dim = 20, .seeds = {3}};
  const Ensemble limit = train(population, 10, options);
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass}) {
    sampled.data = {.mode = mode, .alpha = kInfinity, .noise = 0.3, .spectrum = {}};
    expect_same_run(limit, 0, train(sampled, 10, options), 0);
  }
  sampled.data = {.mode = DataMode::full_batch, .alpha = 5000.0, .noise = 0.3, .spectrum = {}};
  const Ensemble many = train(sampled, 10, options);
  for (int t = 0; t < 10; ++t) {
    EXPECT_DOUBLE_EQ(limit.train_loss(0, t), limit.test_loss(0, t) + 0.09);
    EXPECT_NEAR(many.test_loss(0, t), limit.test_loss(0, t), 0.03 * limit.test_loss(0, 0));
  }
}

TEST(Train, EpochsOfOneBatchAreFullBatch) {
  Problem full = example();
  full.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  Problem epochs = full;
  epochs.data.mode = DataMode::epochs;
  const TrainOptions options{.dim = 20, .seeds = {3}};
  expect_same_run(train(full, 10, options), 0, train(epochs, 10, options), 0);
  epochs.data.batches = 31;
  EXPECT_EQ(refusal(epochs, 5, {.dim = 20}), "data.batches must be at most the number of samples (30), got 31");
}

/// The target of outputs that share modes: its variance, and the product of two outputs, are those of the problem.
TEST(Train, SharedModesHaveExactGramMatrices) {
  const Data data{.mode = DataMode::population,
                  .spectrum = {.eigenvalues = {2.0, 0.5},
                               .target_power = {2.0, 0.25},
                               .weights = {0.25, 0.75},
                               .targets = {1.0, -1.0, 0.3, 0.4}}};
  const training::Modes modes(data, 40, 7);
  double product = 0.0, square = 0.0;
  for (int k = 0; k < 40; ++k) {
    product += modes.target(0)[k] * modes.target(1)[k];
    square += modes.target(1)[k] * modes.target(1)[k];
  }
  EXPECT_NEAR(product, 10 * -1.0 + 30 * 0.12, 1e-12);
  EXPECT_NEAR(square, 10 * 1.0 + 30 * 0.16, 1e-12);
  EXPECT_EQ(std::abs(modes.target(0)[0]), 1.0);
  EXPECT_EQ(std::abs(modes.target(0)[39]), 0.3);
}

TEST(Train, DivergenceIsFlaggedAndInfinite) {
  Problem p = example();
  p.optimizer.lr = {3.0};
  const Ensemble e = train(p, 40, {.dim = 30, .seeds = seeds(3)});
  for (int i = 0; i < 3; ++i) {
    const int lost = e.diverged_at[static_cast<std::size_t>(i)];
    ASSERT_GT(lost, 0);
    for (const Matrix* m : series(e)) {
      for (int t = 0; t < 40; ++t) EXPECT_EQ((*m)(i, t) == kInfinity, t >= lost);
    }
    EXPECT_LE(e.test_loss(i, lost - 1), support::kDivergence * e.test_loss(i, 0));
  }
}

TEST(Train, HopelessInitializationDivergesAtOnce) {
  Problem p = example();
  p.network.init_scale = {1e120};
  const Ensemble e = train(p, 3, {.dim = 10});
  EXPECT_EQ(e.diverged_at[0], 0);
  EXPECT_EQ(e.test_loss(0, 0), kInfinity);
}

TEST(Train, RefusesWhatHasNoFiniteNetwork) {
  Problem p = example();
  p.network.width = {kInfinity};
  EXPECT_EQ(refusal(p), "network.width must be finite to train networks, got inf");
  p.network.gamma0 = 0.0;
  EXPECT_EQ(refusal(p), "network.width must be finite to train networks, got inf");
  p.network.width = {1.0};
  EXPECT_NE(refusal(p).find("network.gamma0 must be positive"), std::string::npos);
  p = residual();
  p.network.depth = kInfiniteDepth;
  EXPECT_EQ(refusal(p), "network.depth must be finite to train networks, got inf");
  p.network.depth = 20000;
  EXPECT_EQ(refusal(p), "network.depth must be at most 16367 to train networks, got 20000");
  p = example();
  p.data.targets.assign(1025, 1.0);
  EXPECT_EQ(refusal(p), "data.targets must be at most 1024 targets to train networks, got 1025");
}

TEST(Train, RefusesBadSizes) {
  Problem p = example();
  EXPECT_EQ(refusal(p, 0), "steps must be at least 1, got 0");
  EXPECT_EQ(refusal(p, 5, {.dim = 0}), "dim must be at least 1, got 0");
  EXPECT_EQ(refusal(p, 5, {.dim = 8, .seeds = {}}), "seeds must be a list with at least one entry, got an empty list");
  p.network.width = {0.01};
  EXPECT_EQ(refusal(p), "network.width must be large enough for one hidden unit with dim = 16, got 0.01");
  p.network.width = {1.0, 0.01};
  EXPECT_EQ(refusal(p), "network.width[1] must be large enough for one hidden unit with dim = 16, got 0.01");
  p = example();
  p.data.alpha = 0.01;
  EXPECT_EQ(refusal(p), "data.alpha must be large enough for one sample with dim = 16, got 0.01");
  p.data.alpha = 1e12;
  EXPECT_NE(refusal(p).find("data.alpha must be small enough"), std::string::npos);
  p = example();
  p.optimizer.lr = {0.1, 0.1};
  EXPECT_NE(refusal(p).find("optimizer.lr"), std::string::npos);
}

TEST(Train, AsksForMemoryFirst) {
  Problem p = example();
  TrainOptions options{.dim = 400, .seeds = seeds(2), .threads = 1, .memory_limit = 1e6};
  options.method = TrainMethod::in_place;
  const double weights = 8.0 * (300 * 400 + 300 * 300 + 300);
  const double inputs = 8.0 * 600 * 400;
  const double needed = estimate_train_memory(p, 10, options);
  EXPECT_GT(needed, weights + inputs);
  EXPECT_LT(needed, 1.25 * (weights + inputs));
  p.optimizer.momentum = {0.5};
  EXPECT_GT(estimate_train_memory(p, 10, options), needed + 0.95 * weights);
  EXPECT_THROW(static_cast<void>(train(p, 10, options)), MemoryLimit);
}

TEST(Train, ReportsProgressFromTheCallingThread) {
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> elsewhere{false};
  std::vector<int> done;
  TrainOptions options{.dim = 16, .seeds = seeds(4)};
  options.progress = [&](int now, int total) {
    if (std::this_thread::get_id() != caller) elsewhere = true;
    EXPECT_EQ(total, 40);
    done.push_back(now);
    return true;
  };
  for (const int threads : {1, 2}) {
    options.threads = threads;
    done.clear();
    static_cast<void>(train(example(), 10, options));
    EXPECT_FALSE(elsewhere);
    EXPECT_TRUE(std::ranges::is_sorted(done));
  }
  options.threads = 1;
  done.clear();
  static_cast<void>(train(example(), 10, options));
  EXPECT_EQ(done.size(), 40U);
  EXPECT_EQ(done.back(), 40);
}

TEST(Train, StopsWhenAsked) {
  for (const int threads : {1, 2}) {
    int calls = 0;
    TrainOptions options{.dim = 16, .seeds = seeds(4), .threads = threads};
    options.progress = [&](int, int) { return ++calls < 3; };
    // Long enough that other threads cannot finish all seeds before the calling thread runs.
    EXPECT_THROW(static_cast<void>(train(example(), 100'000, options)), Interrupted);
    EXPECT_EQ(calls, 3);
  }
}

TEST(Train, PassesOnWhatTheCallbackThrows) {
  for (const int threads : {1, 2}) {
    TrainOptions options{.dim = 16, .seeds = seeds(4), .threads = threads};
    options.progress = [](int, int) -> bool { throw std::runtime_error("from the callback"); };
    EXPECT_THROW(static_cast<void>(train(example(), 1000, options)), std::runtime_error);
  }
}

}  // namespace
}  // namespace lindmft
