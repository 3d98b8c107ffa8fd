// Properties of the spectrum of the Hessian along training, and its behaviour for bad input, early ends and divergence.
// test_naive.cpp compares its values with ordinary training.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/train.hpp"
#include "naive_training.hpp"
#include "symmetric_eigenvalues.hpp"
#include "training/data/samples.hpp"
#include "training/data/trace_class.hpp"
#include "training/network/network.hpp"
#include "training/random/normals.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kSteps = 20;

Problem example() {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.data.spectrum = {.eigenvalues = {1.8, 0.6}, .target_power = {0.5, 1.5}, .weights = {0.4, 0.6}};
  p.optimizer.lr = {0.05};
  return p;
}

TrainOptions options(int lanczos = 8) {
  TrainOptions out{.dim = 24, .seeds = {3, 8}, .threads = 1, .spectrum_at = {0, 4, 19}};
  out.lanczos = lanczos;
  return out;
}

std::vector<double> numbers(const Matrix& m) { return {m.data(), m.data() + m.rows() * m.cols()}; }

/// All values and weights of a spectrum.
std::vector<double> numbers(const HessianSpectrum& of) {
  std::vector<double> out = of.sharpness;
  out.insert(out.end(), of.sharpness_error.begin(), of.sharpness_error.end());
  for (const Matrix* m : {&of.target_ritz, &of.target_weight, &of.random_ritz, &of.random_weight}) {
    const std::vector<double> more = numbers(*m);
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

std::string refusal(const Problem& problem, const TrainOptions& given) {
  try {
    static_cast<void>(train(problem, kSteps, given));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Spectrum, StandsAtItsStepsInAscendingOrder) {
  TrainOptions given = options();
  given.spectrum_at = {19, 0, 4, 0};
  const Ensemble mixed = train(example(), kSteps, given);
  const Ensemble sorted = train(example(), kSteps, options());
  ASSERT_EQ(mixed.spectrum.size(), 2U);
  EXPECT_EQ(mixed.spectrum[0].time, (std::vector<double>{0, 4, 19}));
  EXPECT_EQ(numbers(mixed.spectrum[1]), numbers(sorted.spectrum[1]));
  EXPECT_EQ(sorted.spectrum[0].random_weight.rows(), 3);
  EXPECT_EQ(sorted.spectrum[0].random_weight.cols(), 8);
  EXPECT_TRUE(sorted.spectrum[0].bulk_edge.empty() && sorted.spectrum[0].bulk_edge_error.empty());
}

TEST(Spectrum, ChangesNothingElse) {
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place}) {
    TrainOptions given = options();
    given.method = method;
    given.updates = true;
    const Ensemble with = train(example(), kSteps, given);
    given.spectrum_at = {};
    const Ensemble without = train(example(), kSteps, given);
    EXPECT_TRUE(without.spectrum.empty());
    EXPECT_EQ(numbers(with.test_loss), numbers(without.test_loss));
    EXPECT_EQ(numbers(with.train_loss), numbers(without.train_loss));
    EXPECT_EQ(numbers(with.gradient_update[0]), numbers(without.gradient_update[0]));
  }
}

TEST(Spectrum, DoesNotDependOnTheMethod) {
  Problem problem = example();
  problem.optimizer.momentum = {0.5};
  TrainOptions given = options();
  given.method = TrainMethod::in_place;
  const std::vector<double> expected = numbers(train(problem, kSteps, given).spectrum[1]);
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored}) {
    given.method = method;
    const std::vector<double> found = numbers(train(problem, kSteps, given).spectrum[1]);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-10 * expected[0]);
  }
}

TEST(Spectrum, DoesNotDependOnThreadsOrOtherSeeds) {
  TrainOptions given = options();
  const Ensemble one = train(example(), kSteps, given);
  given.threads = 2;
  given.seeds = {8, 3};
  const Ensemble two = train(example(), kSteps, given);
  EXPECT_EQ(numbers(one.spectrum[0]), numbers(two.spectrum[1]));
  EXPECT_EQ(numbers(one.spectrum[1]), numbers(two.spectrum[0]));
}

/// Arrays that are large enough for several threads.
TEST(Spectrum, ProductsDoNotDependOnThreads) {
  constexpr int kDim = 400;
  Problem problem = example();
  training::PaddedVector s(kDim);
  training::fill_normals({9, 1}, 0, s.span());
  const training::Rows<const double> in{s.data(), 1, kDim, kDim};
  for (const TrainMethod method : {TrainMethod::factored, TrainMethod::in_place}) {
    std::vector<std::vector<double>> products;
    for (const int threads : {1, 2}) {
      const auto samples = training::make_samples<double>(problem.data, kDim, 600, {3}, {{0.3}}, threads);
      training::PaddedMatrix residuals(1, samples->factor_rows(kDim));
      training::PaddedVector covariance(kDim), kernel(kDim);
      samples->factor_forward(in, residuals.view());
      samples->factor_backward(residuals.view(), {covariance.data(), 1, kDim, kDim});
      training::Networks<double> network({problem}, {kDim, 300, 300}, {3}, {.method = method, .capacity = 4}, threads);
      network.backward();
      network.kernel_product(in, {kernel.data(), 1, kDim, kDim});
      products.emplace_back(covariance.span().begin(), covariance.span().end());
      products.back().insert(products.back().end(), kernel.span().begin(), kernel.span().end());
    }
    EXPECT_EQ(products[0], products[1]);
  }
}

TEST(Spectrum, InSinglePrecisionAgrees) {
  for (const double alpha : {1.5, 0.5}) {
    Problem problem = example();
    problem.data.alpha = alpha;
    TrainOptions given = options(24);
    const Ensemble wide = train(problem, kSteps, given);
    given.precision = Precision::float32;
    const Ensemble narrow = train(problem, kSteps, given);
    const std::vector<double> expected = numbers(wide.spectrum[1].random_ritz);
    const std::vector<double> found = numbers(narrow.spectrum[1].random_ritz);
    for (std::size_t j = 0; j < expected.size(); ++j) {
      EXPECT_EQ(std::isnan(found[j]), std::isnan(expected[j])) << alpha << ' ' << j;
      if (std::isfinite(expected[j])) {
        EXPECT_NEAR(found[j], expected[j], 1e-5 * expected[0]) << alpha << ' ' << j;
      }
    }
  }
}

/// For the population the covariance is not that of samples. Before the first step no samples are needed to compare.
TEST(Spectrum, OfThePopulationIsThatOfTheCovariance) {
  constexpr int kDim = 13;
  Problem problem = example();
  problem.data.mode = DataMode::population;
  problem.data.alpha = kInfinity;
  problem.optimizer.layer_lr = {0.5, 1.5, 0.8};
  const Ensemble e = train(problem, 1, {.dim = kDim, .seeds = {42}, .spectrum_at = {0}, .lanczos = kDim});
  const std::vector<double> expected = naive::symmetric_eigenvalues(naive::NaiveTraining(problem, e).hessian());
  for (std::size_t k = 0; k < kDim; ++k)
    EXPECT_NEAR(e.spectrum.front().random_ritz.row(0)[k], expected[k], 1e-10 * expected.front());
}

/// Fewer samples than dimensions: the nonzero eigenvalues are as many as the samples, and the others are missing.
TEST(Spectrum, EndsWhereTheStartVectorHasNoPart) {
  constexpr int kDim = 24;
  constexpr int kSamples = 6;
  Problem problem = example();
  problem.data.alpha = 0.25;
  const Ensemble e = train(problem, 1, {.dim = kDim, .seeds = {42}, .spectrum_at = {0}, .lanczos = kDim});
  const HessianSpectrum& found = e.spectrum.front();
  const std::vector<double> expected = naive::symmetric_eigenvalues(naive::NaiveTraining(problem, e).hessian());
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kSamples));
  for (const auto& [values, weights] :
       {std::pair{&found.random_ritz, &found.random_weight}, std::pair{&found.target_ritz, &found.target_weight}}) {
    for (int k = 0; k < kSamples; ++k)
      EXPECT_NEAR((*values)(0, k), expected[static_cast<std::size_t>(k)], 1e-10 * expected.front());
    for (int k = kSamples; k < kDim; ++k) EXPECT_TRUE(std::isnan((*values)(0, k)) && std::isnan((*weights)(0, k)));
    EXPECT_NEAR(std::accumulate(weights->row(0), weights->row(0) + kSamples, 0.0), 1.0, 1e-12);
  }
  EXPECT_LT(found.sharpness_error[0], 1e-6 * expected.front());
}

/// Vectors of Lanczos' method would grow in a large kernel of the covariance until rounding errors hide the end.
TEST(Spectrum, EndsWithALargeKernelOfTheCovariance) {
  Problem problem = example();
  problem.data.alpha = 0.3;
  for (const Precision precision : {Precision::float64, Precision::float32}) {
    TrainOptions given{.dim = 200, .seeds = {1}, .threads = 1, .spectrum_at = {0}, .lanczos = 200};
    given.precision = precision;
    const Ensemble e = train(problem, 1, given);
    for (int k = 0; k < 200; ++k) EXPECT_EQ(std::isnan(e.spectrum.front().random_ritz(0, k)), k >= 60) << k;
  }
}

/// A first array of rank 3 in one hidden layer: four different eigenvalues.
TEST(Spectrum, EndsWithTheLastDifferentEigenvalue) {
  Problem problem;
  problem.network = {.depth = 1, .width = {0.3}, .gamma0 = 0.8};
  problem.data = {.mode = DataMode::population, .spectrum = {}};
  const Ensemble e = train(problem, 1, {.dim = 10, .seeds = {4}, .spectrum_at = {0}, .lanczos = 10});
  const Matrix& values = e.spectrum.front().random_ritz;
  for (int k = 0; k < 10; ++k) EXPECT_EQ(std::isnan(values(0, k)), k >= 4) << k;
  const auto like = naive::symmetric_eigenvalues(naive::NaiveTraining(problem, e).hessian());
  EXPECT_NEAR(values(0, 3), like.back(), 1e-12);
}

TEST(Spectrum, OfNoTargetIsThatOfTheRandomVector) {
  Problem problem = example();
  problem.data.targets = {0.0};
  const Ensemble e = train(problem, kSteps, options());
  for (const HessianSpectrum& one : e.spectrum) {
    for (const double x : numbers(one.target_ritz)) EXPECT_TRUE(std::isnan(x));
    for (const double x : numbers(one.target_weight)) EXPECT_TRUE(std::isnan(x));
    for (int k = 0; k < 3; ++k) EXPECT_EQ(one.sharpness[static_cast<std::size_t>(k)], one.random_ritz(k, 0));
  }
}

/// The target is a vector of any size: only its direction counts.
TEST(Spectrum, OfATinyTargetIsNotLost) {
  Problem problem = example();
  const Ensemble whole = train(problem, 1, {.dim = 24, .spectrum_at = {0}, .lanczos = 8});
  problem.data.targets = {1e-200};
  const Ensemble tiny = train(problem, 1, {.dim = 24, .spectrum_at = {0}, .lanczos = 8});
  for (int k = 0; k < 8; ++k)
    EXPECT_NEAR(tiny.spectrum[0].target_ritz(0, k), whole.spectrum[0].target_ritz(0, k), 1e-10);
}

TEST(Spectrum, SharpnessLiesWithinItsError) {
  const Ensemble whole = train(example(), kSteps, options(24));
  for (const int steps : {2, 3, 5, 8}) {
    const Ensemble e = train(example(), kSteps, options(steps));
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t k = 0; k < 3; ++k) {
        const double missing = whole.spectrum[i].sharpness[k] - e.spectrum[i].sharpness[k];
        EXPECT_GE(missing, -1e-12);
        EXPECT_LE(missing, e.spectrum[i].sharpness_error[k] + 1e-12);
        const auto at = static_cast<int>(k);
        EXPECT_EQ(e.spectrum[i].sharpness[k],
                  std::max(e.spectrum[i].target_ritz(at, 0), e.spectrum[i].random_ritz(at, 0)));
      }
    }
  }
}

/// Without noise, a small error grows above the threshold of stability and shrinks below it.
TEST(Spectrum, SaysWhetherStepsAreStable) {
  Problem problem = example();
  problem.data.noise = 0.0;
  problem.network.gamma0 = 0.01;  // lazy: the kernel changes little
  problem.network.centered = true;
  const Ensemble start = train(problem, 1, {.dim = 24, .seeds = {3}, .spectrum_at = {0}, .lanczos = 24});
  const double limit = stability_threshold(problem.optimizer) / start.spectrum[0].sharpness[0];
  const auto change = [&](double rate) {
    problem.optimizer.lr = {rate};
    const Ensemble e = train(problem, 41, {.dim = 24, .seeds = {3}});
    return e.train_loss(0, 40) / e.train_loss(0, 20);
  };
  EXPECT_LT(change(0.98 * limit), 1.0);
  EXPECT_GT(change(1.02 * limit), 1.0);
}

TEST(Spectrum, IsScaledForTraceClassSpectra) {
  Problem counts = example();
  counts.network.width = {18.0};
  counts.data.alpha = 30.0;
  counts.data.spectrum = {.eigenvalues = {1.0, 0.25, 0.1},
                          .target_power = {1.0, 2.0, 0.5},
                          .weights = {1.0, 3.0, 20.0},
                          .trace_class = true};
  const TrainOptions given = options();
  const Ensemble found = train(counts, kSteps, given);
  const Ensemble ratios = train(training::with_ratios(counts, 24), kSteps, given);
  for (int k = 0; k < 3; ++k) {
    for (int j = 0; j < 8; ++j)
      EXPECT_NEAR(24.0 * found.spectrum[1].target_ritz(k, j), ratios.spectrum[1].target_ritz(k, j), 1e-10);
  }
}

TEST(Spectrum, OfAResumedTrainingIsThatOfItsSteps) {
  for (const TrainMethod method : {TrainMethod::factored, TrainMethod::in_place}) {
    TrainOptions given = options();
    given.method = method;
    const Ensemble whole = train(example(), kSteps, given);
    given.keep_state = true;
    given.stop = 4;
    const Ensemble first = train(example(), kSteps, given);
    given.stop = 0;
    given.start = first.state;
    const Ensemble rest = train(example(), kSteps, given);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(rest.spectrum[i].time, whole.spectrum[i].time);
      for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_EQ((k == 0 ? first : rest).spectrum[i].sharpness[k], whole.spectrum[i].sharpness[k]);
        EXPECT_EQ((k == 0 ? rest : first).spectrum[i].sharpness[k], 0.0);
      }
      EXPECT_EQ(rest.spectrum[i].random_ritz(2, 7), whole.spectrum[i].random_ritz(2, 7));
      EXPECT_EQ(rest.spectrum[i].random_ritz(0, 7), 0.0);
    }
  }
}

TEST(Spectrum, IsInfinitePastADivergence) {
  for (const Precision precision : {Precision::float64, Precision::float32}) {
    Problem problem = example();
    problem.optimizer.lr = {3.0};
    TrainOptions given = options();
    given.precision = precision;
    given.spectrum_at.resize(kSteps);
    std::iota(given.spectrum_at.begin(), given.spectrum_at.end(), 0.0);
    const Ensemble e = train(problem, kSteps, given);
    for (std::size_t i = 0; i < 2; ++i) {
      const int end = e.diverged_at[i];
      ASSERT_GT(end, 0);
      const HessianSpectrum& one = e.spectrum[i];
      for (int k = 0; k < kSteps; ++k) {
        const bool past = k >= end;
        EXPECT_EQ(std::isinf(one.sharpness[static_cast<std::size_t>(k)]), past);
        EXPECT_EQ(std::isinf(one.sharpness_error[static_cast<std::size_t>(k)]), past);
        for (const Matrix* m : {&one.target_ritz, &one.target_weight, &one.random_ritz, &one.random_weight}) {
          EXPECT_EQ(std::isinf((*m)(k, 0)), past) << k;
          EXPECT_EQ(std::isinf((*m)(k, 7)), past) << k;
        }
      }
    }
  }
}

TEST(Spectrum, RefusesBadInput) {
  const auto at = [](std::vector<double> steps) {
    TrainOptions given = options();
    given.spectrum_at = std::move(steps);
    return refusal(example(), given);
  };
  EXPECT_EQ(at({0, 19}), "accepted");
  EXPECT_EQ(at({0, 20}), "spectrum_at must be whole numbers from 0 to the last step (19), got 20");
  EXPECT_EQ(at({-1}), "spectrum_at must be whole numbers from 0 to the last step (19), got -1");
  EXPECT_EQ(at({2.5}), "spectrum_at must be whole numbers from 0 to the last step (19), got 2.5");
  EXPECT_EQ(at({std::nan("")}), "spectrum_at must be whole numbers from 0 to the last step (19), got nan");
  EXPECT_EQ(refusal(example(), options(25)), "lanczos must be at most dim (24), got 25");
  EXPECT_EQ(refusal(example(), options(1)), "lanczos must be a whole number from 2 to 4096, got 1");
  TrainOptions none = options(25);
  none.spectrum_at = {};
  EXPECT_EQ(refusal(example(), none), "accepted") << "lanczos has no meaning here";
  Problem two = example();
  two.data.targets = {1.0, 0.5};
  EXPECT_EQ(
      refusal(two, options()),
      "spectrum_at cannot be combined with several targets: each output has a different kernel. Leave spectrum_at "
      "out.");
  const std::vector<Problem> many(2, example());
  EXPECT_THROW(check_train(many, kSteps, options()), std::invalid_argument);
  EXPECT_THROW(check_replicas(example(), kSteps, options()), std::invalid_argument);
}

TEST(Spectrum, CountsInTheEstimateOfMemory) {
  constexpr int kDim = 1000;
  TrainOptions given{.dim = kDim, .threads = 1};
  const double without = estimate_train_memory(example(), kSteps, given);
  given.spectrum_at = {5};
  given.lanczos = kDim;
  const double with = estimate_train_memory(example(), kSteps, given);
  EXPECT_GT(with - without, 8.0 * 2.0 * kDim * kDim) << "the vectors of Lanczos' method and their images";
  EXPECT_LT(with - without, 1.2 * 8.0 * 2.0 * kDim * kDim);
}

}  // namespace
}  // namespace lindmft
