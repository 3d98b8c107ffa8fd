// Bad input is refused in one sentence that names the field, the allowed values and the given value.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/problem.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string refusal(const Problem& problem, int steps = 0) {
  try {
    validate(problem, steps);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

struct Refusal {
  std::function<void(Problem&)> spoil;
  std::string message;
};

void expect_refusals(const std::vector<Refusal>& refusals) {
  for (const Refusal& refused : refusals) {
    Problem problem;
    problem.network.depth = 2;
    problem.data.alpha = 2.0;
    ASSERT_EQ(refusal(problem), "accepted");
    refused.spoil(problem);
    EXPECT_EQ(refusal(problem), refused.message);
  }
}

TEST(Validate, Network) {
  expect_refusals({
      {[](Problem& p) { p.network.depth = 0; }, "network.depth must be at least 1, got 0"},
      {[](Problem& p) { p.network.width = {}; },
       "network.width must be one number, or a list of depth (2) numbers, got 0 numbers"},
      {[](Problem& p) { p.network.width = {1, 1, 1}; },
       "network.width must be one number, or a list of depth (2) numbers, got 3 numbers"},
      {[](Problem& p) { p.network.width = {0.0}; }, "network.width must be positive (inf is allowed), got 0"},
      {[](Problem& p) { p.network.width = {kNan}; }, "network.width must be positive (inf is allowed), got nan"},
      {[](Problem& p) { p.network.width = {1.0, -0.5}; },
       "network.width[1] must be positive (inf is allowed), got -0.5"},
      {[](Problem& p) { p.network.width = {1.0, kInfinity}; },
       "network.width must be all finite or all inf (the ratio of widths has no limit otherwise), got 1 infinite of 2"},
      {[](Problem& p) { p.network.gamma0 = -1.0; }, "network.gamma0 must be finite and not negative, got -1"},
      {[](Problem& p) { p.network.gamma0 = kInfinity; }, "network.gamma0 must be finite and not negative, got inf"},
      {[](Problem& p) { p.network.gamma0 = 0.0; },
       "network.gamma0 must be positive at finite width (the lazy limit is gamma0 = 0 with width = inf, or NTK with "
       "width = inf), got 0"},
      {[](Problem& p) {
         p.network.gamma0 = 0.0;
         p.network.parameterization = Parameterization::ntk;
       },
       "network.gamma0 must be positive in NTK parameterization (its lazy limit is width = inf), got 0"},
      {[](Problem& p) { p.network.init_scale = {0.0}; }, "network.init_scale must be finite and positive, got 0"},
      {[](Problem& p) { p.network.init_scale = {kNan}; }, "network.init_scale must be finite and positive, got nan"},
      {[](Problem& p) { p.network.init_scale = {1.0, -1.0, 1.0}; },
       "network.init_scale[1] must be finite and not negative, got -1"},
      {[](Problem& p) { p.network.init_scale = {0.0, 0.0, 1.0}; },
       "network.init_scale must be zero for at most one array (with more no array ever gets a gradient), got 2 zeros"},
  });
}

TEST(Validate, Data) {
  expect_refusals({
      {[](Problem& p) { p.data.alpha = 0.0; }, "data.alpha must be positive (inf is allowed), got 0"},
      {[](Problem& p) { p.data.alpha = kNan; }, "data.alpha must be positive (inf is allowed), got nan"},
      {[](Problem& p) { p.data.mode = DataMode::population; },
       "data.alpha cannot be combined with population data: its amount is infinite. Leave it out."},
      {[](Problem& p) { p.data.batch_fraction = 0.5; },
       "data.batch_fraction cannot be combined with this data.kind: only 'multi_pass' draws batches from all data. "
       "Leave it out, or use 'multi_pass'."},
      {[](Problem& p) { p.data.batch_fraction = 1.5; }, "data.batch_fraction must be in (0, 1], got 1.5"},
      {[](Problem& p) { p.data.batch_fraction = 0.0; }, "data.batch_fraction must be in (0, 1], got 0"},
      {[](Problem& p) { p.data.noise = -0.1; }, "data.noise must be finite and not negative, got -0.1"},
      {[](Problem& p) { p.data.noise = kInfinity; }, "data.noise must be finite and not negative, got inf"},
      {[](Problem& p) { p.data.switch_at = -1; }, "data.switch_at must be at least 0, got -1"},
      {[](Problem& p) { p.data.switch_overlap = kNan; }, "data.switch_overlap must be from -1 to 1, got nan"},
      {[](Problem& p) { p.data.switch_strength = -1.0; },
       "data.switch_strength must be finite and not negative, got -1"},
  });
}

TEST(Validate, Spectrum) {
  const auto with = [](std::vector<double> eigenvalues, std::vector<double> power, std::vector<double> weights) {
    return [=](Problem& p) { p.data.spectrum = {eigenvalues, power, weights}; };
  };
  expect_refusals({
      {with({}, {}, {}), "data.spectrum.eigenvalues must be a list with at least one entry, got an empty list"},
      {with({1, 2}, {1}, {0.5, 0.5}),
       "data.spectrum.target_power must be as long as eigenvalues (2 entries), got 1 entries"},
      {with({1, 2}, {1, 1}, {1}), "data.spectrum.weights must be as long as eigenvalues (2 entries), got 1 entries"},
      {with({1, 0}, {1, 1}, {0.5, 0.5}), "data.spectrum.eigenvalues[1] must be finite and positive, got 0"},
      {with({1, 2}, {-1, 1}, {0.5, 0.5}), "data.spectrum.target_power[0] must be finite and not negative, got -1"},
      {with({1, 2}, {1, 1}, {1, 0}), "data.spectrum.weights[1] must be finite and positive, got 0"},
      {with({1, 2}, {1, 1}, {0.5, 0.4}), "data.spectrum.weights must be fractions that sum to 1, got a sum of 0.9"},
  });
}

TEST(Validate, TraceClass) {
  const Spectrum counts{
      .eigenvalues = {1.0, 0.5}, .target_power = {1.0, 1.0}, .weights = {1.0, 3.5}, .trace_class = true};
  Problem problem;
  problem.data.alpha = 500.0;
  problem.data.spectrum = counts;
  EXPECT_EQ(refusal(problem), "accepted");
  problem.data.spectrum.weights = {1.0, 0.0};
  EXPECT_EQ(refusal(problem), "data.spectrum.weights[1] must be finite and positive, got 0");
  problem.data.spectrum = counts;
  problem.data.alpha = -1.0;
  EXPECT_EQ(refusal(problem), "data.samples must be positive (inf is allowed), got -1");
  problem.data.mode = DataMode::one_pass;
  EXPECT_EQ(refusal(problem), "data.batch must be positive (inf is allowed), got -1");
}

TEST(Validate, TheAmountOfDataHasNoDefault) {
  Problem problem;
  const std::string missing =
      "data.alpha is missing: give the amount of data as a ratio to D, or infinity for the population";
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass, DataMode::epochs}) {
    problem.data.mode = mode;
    EXPECT_EQ(refusal(problem), missing);
  }
  problem.data.alphas = {0.5, 0.5};
  EXPECT_EQ(refusal(problem), missing);
  problem.data = {.mode = DataMode::population, .spectrum = {}};
  EXPECT_EQ(refusal(problem), "accepted");
  EXPECT_EQ(amount(problem.data), kInfinity);
  problem.data = {.spectrum = {.weights = {2.0}, .trace_class = true}};
  EXPECT_EQ(refusal(problem),
            "data.samples is missing: with a trace-class spectrum the amount of data is an actual number");
  problem.data.mode = DataMode::one_pass;
  EXPECT_EQ(refusal(problem),
            "data.batch is missing: with a trace-class spectrum the amount of data is an actual number");
}

TEST(Validate, Optimizer) {
  expect_refusals({
      {[](Problem& p) { p.optimizer.lr = {}; },
       "optimizer.lr must be a number or a list with at least one entry, got an empty list"},
      {[](Problem& p) { p.optimizer.lr = {-0.1}; }, "optimizer.lr must be finite and not negative, got -0.1"},
      {[](Problem& p) { p.optimizer.lr = {0.1, kNan}; }, "optimizer.lr[1] must be finite and not negative, got nan"},
      {[](Problem& p) { p.optimizer.momentum = {1.0}; }, "optimizer.momentum must be in [0, 1), got 1"},
      {[](Problem& p) { p.optimizer.momentum = {kNan}; }, "optimizer.momentum must be in [0, 1), got nan"},
      {[](Problem& p) { p.optimizer.momentum = {}; },
       "optimizer.momentum must be a number or a list with at least one entry, got an empty list"},
      {[](Problem& p) { p.optimizer.momentum = {0.0, -0.1}; }, "optimizer.momentum[1] must be in [0, 1), got -0.1"},
      {[](Problem& p) { p.optimizer.nesterov = true; }, "optimizer.nesterov must be false without momentum, got true"},
      {[](Problem& p) { p.optimizer.weight_decay = -1; },
       "optimizer.weight_decay must be finite and not negative, got -1"},
      {[](Problem& p) { p.optimizer.layer_lr = {1, 1, kInfinity}; },
       "optimizer.layer_lr[2] must be finite and not negative, got inf"},
      {[](Problem& p) { p.optimizer.layer_lr = {1, 1}; },
       "optimizer.layer_lr must be a list of depth + 1 (3) numbers, input to readout, got 2 numbers"},
  });
}

TEST(Validate, AScheduleCoversTheSteps) {
  Problem problem;
  problem.data.alpha = kInfinity;
  problem.optimizer.lr = {0.1, 0.2, 0.3};
  EXPECT_EQ(refusal(problem), "accepted");
  EXPECT_EQ(refusal(problem, 3), "accepted");
  EXPECT_EQ(refusal(problem, 4),
            "optimizer.lr must be a number, or a list of at least steps (4) numbers, got 3 numbers");
  problem.optimizer.lr = {0.1};
  EXPECT_EQ(refusal(problem, 4), "accepted");
}

TEST(Validate, MomentumAndBatchesCoverTheSteps) {
  Problem problem;
  problem.data.alpha = kInfinity;
  problem.optimizer.momentum = {0.1, 0.2};
  EXPECT_EQ(refusal(problem, 2), "accepted");
  EXPECT_EQ(refusal(problem, 3),
            "optimizer.momentum must be a number, or a list of at least steps (3) numbers, got 2 numbers");
  problem.optimizer.momentum = {0.0};
  problem.data.alphas = {0.5, 0.7};
  problem.data.alpha = 0.5;
  EXPECT_EQ(refusal(problem),
            "data.alpha must be a number for this data.kind (only 'one_pass' has a batch for each step), got 2 "
            "numbers");
  problem.data.mode = DataMode::one_pass;
  EXPECT_EQ(refusal(problem, 2), "accepted");
  EXPECT_EQ(refusal(problem, 3), "data.alpha must be a number, or a list of at least steps (3) numbers, got 2 numbers");
  problem.data.alpha = 0.6;
  EXPECT_EQ(refusal(problem), "data.alpha must be the first entry of its list (0.5), got 0.6");
  problem.data.alphas = {0.6, kInfinity};
  EXPECT_EQ(refusal(problem), "data.alpha[1] must be finite and positive in a list, got inf");
}

TEST(Validate, LimitsAreAllowed) {
  Problem problem;
  problem.network = {.depth = 2, .width = {kInfinity, kInfinity}, .gamma0 = 0.0};
  problem.data = {.mode = DataMode::multi_pass, .alpha = kInfinity, .batch_fraction = 1.0, .spectrum = {}};
  problem.optimizer = {.lr = {0.0}, .momentum = {0.999}, .nesterov = true, .layer_lr = {0.0, 1.0, 2.0}};
  EXPECT_EQ(refusal(problem), "accepted");
}

TEST(Validate, EachPartByItself) {
  EXPECT_THROW(validate(Network{.depth = 0}), std::invalid_argument);
  EXPECT_THROW(validate(Data{.alpha = -1.0, .spectrum = {}}), std::invalid_argument);
  EXPECT_THROW(validate(Optimizer{.lr = {}, .layer_lr = {}}), std::invalid_argument);
  EXPECT_NO_THROW(validate(Network{}));
  EXPECT_NO_THROW(validate(Data{.alpha = 1.0, .spectrum = {}}));
  EXPECT_NO_THROW(validate(Optimizer{}));
}

}  // namespace
}  // namespace lindmft
