// train_many(): every problem is trained as by train(), with every method of storing weights; and the errors of single
// precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/config.hpp"
#include "lindmft/errors.hpp"
#include "lindmft/train.hpp"

namespace lindmft {
namespace {

constexpr int kSteps = 25;
constexpr TrainMethod kMethods[] = {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place};

Problem example() {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {0.05};
  return p;
}

/// Problems that differ in everything in which networks with the same weights and inputs may differ.
std::vector<Problem> variations(const Problem& base) {
  std::vector<Problem> out(10, base);
  out[1].optimizer.lr = {0.02};
  out[2].optimizer.lr.clear();
  for (int t = 0; t < kSteps; ++t) out[2].optimizer.lr.push_back(0.05 / (1.0 + 0.1 * t));
  out[3].optimizer.momentum = {0.6};
  out[4].optimizer.momentum = {0.5};
  out[4].optimizer.nesterov = true;
  out[4].optimizer.weight_decay = 0.3;
  out[5].optimizer.layer_lr.assign(static_cast<std::size_t>(base.network.depth) + 1, 1.2);
  out[5].optimizer.layer_lr.front() = 0.5;
  out[5].optimizer.weight_decay = 0.2;
  out[6].network.gamma0 = 1.7;
  out[6].network.init_scale = {1.2};
  out[7].network.parameterization = Parameterization::ntk;
  out[7].network.centered = !base.network.centered;
  out[8].data.noise = 0.9;
  if (base.network.kind == Architecture::resnet) {
    out[9].network.branch = 0.5;
    out[9].network.branch_scaling = BranchScaling::constant;
  }
  return out;
}

std::vector<Problem> kinds() {
  std::vector<Problem> out(9, example());
  out[1].data.mode = DataMode::multi_pass;
  out[1].data.batch_fraction = 0.5;
  out[2].data.mode = DataMode::one_pass;
  out[3].data = {.mode = DataMode::population, .noise = 0.3, .spectrum = {}};
  out[4].network = {.kind = Architecture::resnet, .depth = 3, .width = {0.75}, .gamma0 = 0.8, .branch = 1.3};
  out[5].data.targets = {1.0, 0.5};
  out[5].data.rotation = {0.6, -0.8, 0.8, 0.6};
  out[6].network.width = {0.5, 1.5};
  out[6].network.centered = true;
  out[6].data.spectrum = {.eigenvalues = {2.0, 0.5}, .target_power = {0.4, 1.6}, .weights = {0.5, 0.5}};
  out[7].data.mode = DataMode::epochs;
  out[7].data.batches = 4;
  out[8].data.spectrum = {
      .eigenvalues = {2.0, 0.5}, .target_power = {2.0, 1.0}, .weights = {0.5, 0.5}, .targets = {1.0, 1.0, 0.6, -0.8}};
  return out;
}

std::vector<const Matrix*> series(const Ensemble& e) {
  std::vector<const Matrix*> all{&e.test_loss, &e.train_loss};
  for (const auto* list : {&e.test_loss_by_output, &e.train_loss_by_output, &e.feature_norm, &e.gradient_norm,
                           &e.feature_update, &e.gradient_update}) {
    for (const Matrix& m : *list) all.push_back(&m);
  }
  return all;
}

/// The largest difference, relative to the largest entry of a series.
void expect_near(const Ensemble& a, const Ensemble& b, double tolerance, const std::string& what) {
  const auto x = series(a);
  const auto y = series(b);
  ASSERT_EQ(x.size(), y.size());
  EXPECT_EQ(a.diverged_at, b.diverged_at) << what;
  for (std::size_t m = 0; m < x.size(); ++m) {
    double size = 0.0;
    double error = 0.0;
    for (int i = 0; i < x[m]->rows(); ++i) {
      for (int t = 0; t < x[m]->cols(); ++t) {
        const double left = (*x[m])(i, t), right = (*y[m])(i, t);
        ASSERT_EQ(std::isinf(left), std::isinf(right)) << what << ", series " << m << " at step " << t;
        if (std::isinf(left)) continue;
        size = std::max(size, std::abs(right));
        error = std::max(error, std::abs(left - right));
      }
    }
    EXPECT_LE(error, tolerance * size) << what << ", series " << m;
  }
}

void expect_same_bits(const Ensemble& a, const Ensemble& b) {
  const auto x = series(a);
  const auto y = series(b);
  for (std::size_t m = 0; m < x.size(); ++m) {
    for (int i = 0; i < x[m]->rows(); ++i) {
      for (int t = 0; t < x[m]->cols(); ++t) ASSERT_EQ((*x[m])(i, t), (*y[m])(i, t)) << m << " at step " << t;
    }
  }
}

TEST(TrainMany, IsTrainForEveryVariationByEveryMethod) {
  for (const Problem& kind : kinds()) {
    const std::vector<Problem> problems = variations(kind);
    for (const TrainMethod method : kMethods) {
      const std::vector<Ensemble> many =
          train_many(problems, kSteps, {.dim = 22, .seeds = {3, 4}, .updates = true, .method = method});
      ASSERT_EQ(many.size(), problems.size());
      for (std::size_t k = 0; k < problems.size(); ++k) {
        const Ensemble one =
            train(problems[k], kSteps, {.dim = 22, .seeds = {3, 4}, .updates = true, .method = TrainMethod::in_place});
        expect_near(many[k], one, 1e-11, many[k].stats.method + ", variation " + std::to_string(k));
        for (int t = 0; t < kSteps; ++t) EXPECT_LT(many[k].chain_residual(0, t), 1e-10);
      }
    }
  }
}

/// A run that is long enough to fold several times.
TEST(TrainMany, FoldingChangesNothing) {
  Problem p = example();
  p.optimizer = {.lr = {0.03}, .momentum = {0.7}, .nesterov = true, .weight_decay = 0.1, .layer_lr = {0.5, 1.0, 1.5}};
  Problem plain = example();
  Problem outputs = p;
  outputs.data.targets = {1.0, 0.5};
  for (const Problem& problem : {p, plain, outputs}) {
    const Ensemble factored =
        train(problem, 100, {.dim = 30, .seeds = {1, 2}, .updates = true, .method = TrainMethod::factored});
    const Ensemble in_place =
        train(problem, 100, {.dim = 30, .seeds = {1, 2}, .updates = true, .method = TrainMethod::in_place});
    EXPECT_EQ(factored.stats.method, "factored");
    expect_near(factored, in_place, 1e-11, "folded");
  }
}

TEST(TrainMany, KeepsTheOrderOfProblemsThatCannotRide) {
  std::vector<Problem> problems(4, example());
  problems[1].network.width = {0.5};
  problems[2].optimizer.lr = {0.01};
  problems[3].data.alpha = 3.0;
  const std::vector<Ensemble> many = train_many(problems, 5, {.dim = 20});
  for (std::size_t k = 0; k < problems.size(); ++k)
    expect_near(many[k], train(problems[k], 5, {.dim = 20}), 1e-12, std::to_string(k));
  EXPECT_EQ(many[1].widths.front(), 10);
  EXPECT_EQ(many[3].samples, 60);
}

TEST(TrainMany, SameBitsWhateverTheThreads) {
  for (const Problem& kind : kinds()) {
    for (const TrainMethod method : kMethods) {
      const std::vector<Problem> problems = variations(kind);
      const TrainOptions options{.dim = 24, .seeds = {1, 2, 3}, .threads = 1, .updates = true, .method = method};
      TrainOptions two = options;
      two.threads = 2;
      const auto a = train_many(problems, kSteps, options);
      const auto b = train_many(problems, kSteps, two);
      for (std::size_t k = 0; k < a.size(); ++k) expect_same_bits(a[k], b[k]);
    }
  }
}

/// A single seed, large enough that all threads work on each of its passes.
TEST(TrainMany, SameBitsWithThreadsInsideThePasses) {
  for (const DataMode mode : {DataMode::full_batch, DataMode::one_pass}) {
    Problem p = example();
    p.data.mode = mode;
    std::vector<Problem> problems(3, p);
    problems[1].optimizer.lr = {0.02};
    problems[2].optimizer.momentum = {0.5};
    for (const TrainMethod method : kMethods) {
      TrainOptions options{.dim = 1200, .seeds = {1}, .threads = 1, .updates = true, .method = method};
      const auto one = train_many(problems, 4, options);
      const Ensemble alone = train(p, 4, {.dim = 1800, .threads = 1, .updates = true, .method = method});
      for (const int threads : {2, 3}) {
        options.threads = threads;
        const auto many = train_many(problems, 4, options);
        EXPECT_EQ(many[0].stats.threads, config().openmp == "off" ? 1 : threads);
        for (std::size_t k = 0; k < many.size(); ++k) expect_same_bits(many[k], one[k]);
        expect_same_bits(train(p, 4, {.dim = 1800, .threads = threads, .updates = true, .method = method}), alone);
      }
    }
  }
}

TEST(TrainMany, ADivergedNetworkSpoilsNoOther) {
  for (const TrainMethod method : kMethods) {
    std::vector<Problem> problems(5, example());
    problems[1].optimizer.lr = {3.0};
    problems[3].optimizer.lr = {40.0};
    problems[4].network.init_scale = {1e120};
    const std::vector<Ensemble> many =
        train_many(problems, 60, {.dim = 30, .seeds = {1, 2}, .updates = true, .method = method});
    EXPECT_EQ(many[4].diverged_at, (std::vector<int>{0, 0}));
    for (std::size_t k = 0; k < problems.size(); ++k) {
      const Ensemble one =
          train(problems[k], 60, {.dim = 30, .seeds = {1, 2}, .updates = true, .method = TrainMethod::in_place});
      EXPECT_EQ(many[k].diverged_at, one.diverged_at);
      if (k == 0 || k == 2) {
        EXPECT_EQ(many[k].diverged_at, (std::vector<int>{-1, -1}));
        expect_near(many[k], one, 1e-11, std::to_string(k));
      } else {
        EXPECT_EQ(many[k].test_loss(0, 59), std::numeric_limits<double>::infinity());
      }
    }
  }
}

TEST(TrainMany, NoiseIsDrawnAnewOnTheSameInputs) {
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass}) {
    Problem p = example();
    p.data.mode = mode;
    p.data.batch_fraction = mode == DataMode::multi_pass ? 0.5 : 1.0;
    const std::vector<Problem> problems(3, p);
    const auto many = train_many(problems, 10, {.dim = 20, .noise_draw = {0, 1, 0}});
    EXPECT_EQ(many[1].noise_draw, 1U);
    EXPECT_EQ(many[0].test_loss(0, 0), many[1].test_loss(0, 0)) << "the same weights";
    EXPECT_NE(many[0].train_loss(0, 0), many[1].train_loss(0, 0));
    EXPECT_DOUBLE_EQ(many[0].test_loss(0, 9), many[2].test_loss(0, 9));
    expect_near(many[1], train(p, 10, {.dim = 20, .noise_draw = {1}}), 1e-12, "alone");
    Problem quiet = p;
    quiet.data.noise = 0.0;
    const auto same = train_many(std::vector<Problem>(2, quiet), 10, {.dim = 20, .noise_draw = {0, 1}});
    EXPECT_DOUBLE_EQ(same[0].train_loss(0, 9), same[1].train_loss(0, 9)) << "the same inputs and batches";
  }
}

TEST(TrainMany, TrainsFewerAtATimeWhereMemoryIsShort) {
  std::vector<Problem> problems(12, example());
  for (std::size_t k = 0; k < problems.size(); ++k) problems[k].optimizer.lr = {0.005 * static_cast<double>(k + 1)};
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::in_place}) {
    TrainOptions options{.dim = 40, .seeds = {1}, .threads = 1, .method = method};
    const double all = estimate_train_many_memory(problems, 40, options);
    const double one = estimate_train_many_memory(std::span(problems).first(1), 40, options);
    const auto whole = train_many(problems, 40, options);
    options.memory_limit = 0.5 * all;
    ASSERT_LT(one, options.memory_limit);
    const auto parts = train_many(problems, 40, options);
    for (std::size_t k = 0; k < problems.size(); ++k) expect_near(parts[k], whole[k], 1e-12, std::to_string(k));
    EXPECT_GE(parts[0].stats.bytes_moved, whole[0].stats.bytes_moved);
    options.memory_limit = 0.5 * one;
    EXPECT_THROW(static_cast<void>(train_many(problems, 40, options)), MemoryLimit);
  }
}

/// The memory of the factors of T steps is bounded for all T.
TEST(TrainMany, LongRunsTakeNoMoreMemoryButForTheirResults) {
  for (const TrainMethod method : {TrainMethod::automatic, TrainMethod::factored, TrainMethod::in_place}) {
    const TrainOptions options{.dim = 64, .threads = 1, .method = method};
    const double series = 8.0 * 10.0;  // 9 numbers for each step, and the time
    const double brief = estimate_train_memory(example(), 1000, options) - 1000.0 * series;
    const double full = estimate_train_memory(example(), 100'000, options) - 100'000.0 * series;
    EXPECT_NEAR(full, brief, 1.0);
  }
}

TEST(TrainMany, SinglePrecisionIsNear) {
  for (const Problem& kind : kinds()) {
    const std::vector<Problem> problems = variations(kind);
    for (const TrainMethod method : kMethods) {
      const TrainOptions options{.dim = 22, .seeds = {3}, .updates = true, .method = method};
      TrainOptions single = options;
      single.precision = Precision::float32;
      const auto exact = train_many(problems, kSteps, options);
      const auto rounded = train_many(problems, kSteps, single);
      for (std::size_t k = 0; k < problems.size(); ++k) {
        expect_near(rounded[k], exact[k], 2e-5, std::to_string(k));
        EXPECT_NE(rounded[k].test_loss(0, kSteps - 1), exact[k].test_loss(0, kSteps - 1));
        EXPECT_EQ(rounded[k].precision, Precision::float32);
      }
    }
  }
  const TrainOptions options{.dim = 200, .threads = 1};
  TrainOptions single = options;
  single.precision = Precision::float32;
  EXPECT_LT(estimate_train_memory(example(), 5, single), 0.6 * estimate_train_memory(example(), 5, options));
}

TEST(TrainMany, CountsWhatNetworksShareOnce) {
  const std::vector<Problem> problems(8, example());
  const auto shared = train_many(problems, 10, {.dim = 64, .method = TrainMethod::shared});
  const Ensemble alone = train(problems[0], 10, {.dim = 64, .method = TrainMethod::in_place});
  EXPECT_EQ(shared[0].stats.method, "shared");
  EXPECT_EQ(alone.stats.method, "in_place");
  const double entries = 48.0 * 64 + 48.0 * 48;
  const double inputs = 96.0 * 64;
  EXPECT_DOUBLE_EQ(alone.stats.bytes_moved, 10 * 8.0 * (3.0 * entries + inputs));
  EXPECT_DOUBLE_EQ(alone.stats.operations, 10 * (6.0 * entries + 4.0 * inputs));
  const double factors = 10 * 4.5 * (64 + 48 + 48 + 48);
  EXPECT_DOUBLE_EQ(shared[0].stats.bytes_moved, 8.0 * (10 * (2.0 * entries + inputs) / 8.0 + 2.0 * factors));
  EXPECT_DOUBLE_EQ(shared[0].stats.operations, 10 * 4.0 * (entries + inputs) + 4.0 * factors);
}

std::string refusal(const std::vector<Problem>& problems, const TrainOptions& options) {
  try {
    static_cast<void>(train_many(problems, 5, options));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no std::invalid_argument";
}

TEST(TrainMany, BadInputIsNamed) {
  EXPECT_EQ(refusal({}, {.dim = 16}), "problems must be a list with at least one entry, got an empty list");
  std::vector<Problem> problems(4, example());
  EXPECT_EQ(refusal(problems, {.dim = 16, .noise_draw = {0, 1}}),
            "noise_draw must be one number, or one a problem (4), got 2");
  EXPECT_EQ(refusal(problems, {.dim = 0}), "dim must be at least 1, got 0");
  problems[3].network.width = {0.01};
  EXPECT_EQ(refusal(problems, {.dim = 16}),
            "problems[3]: network.width must be large enough for one hidden unit with dim = 16, got 0.01");
}

}  // namespace
}  // namespace lindmft
