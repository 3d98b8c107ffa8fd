// Training on trace-class spectra: the equivalent ordinary problem, and the input that is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/train.hpp"
#include "training/data/trace_class.hpp"

namespace lindmft {
namespace {

Problem modes() {
  Problem p;
  p.network = {.depth = 2, .width = {24.0}, .gamma0 = 0.5};
  p.data = {.mode = DataMode::full_batch,
            .alpha = 20.0,
            .noise = 0.2,
            .spectrum = {.eigenvalues = {1.0, 0.25, 0.1},
                         .target_power = {1.0, 2.0, 0.5},
                         .weights = {1.0, 2.0, 5.0},
                         .trace_class = true}};
  p.optimizer = {.lr = {0.1, 0.2, 0.1, 0.1}, .momentum = {0.3}, .weight_decay = 0.05, .layer_lr = {}};
  return p;
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TraceClass, BecomesAnOrdinaryProblem) {
  const Problem p = training::with_ratios(modes(), 8);
  EXPECT_NO_THROW(validate(p));
  EXPECT_FALSE(p.data.spectrum.trace_class);
  EXPECT_EQ(p.data.spectrum.eigenvalues, (std::vector<double>{8.0, 2.0, 0.8}));
  EXPECT_EQ(p.data.spectrum.weights, (std::vector<double>{0.125, 0.25, 0.625}));
  EXPECT_EQ(p.data.alpha, 2.5);
  EXPECT_EQ(p.network.width.front(), 3.0);
  EXPECT_DOUBLE_EQ(p.network.gamma0, 0.5 * std::sqrt(8.0));
  EXPECT_DOUBLE_EQ(p.optimizer.lr[1], 0.2 / 8);
  EXPECT_DOUBLE_EQ(p.optimizer.weight_decay, 0.4);
}

TEST(TraceClass, NtkKeepsItsRichness) {
  Problem p = modes();
  p.network.parameterization = Parameterization::ntk;
  EXPECT_EQ(training::with_ratios(p, 8).network.gamma0, 0.5);
}

TEST(TraceClass, KeepsTheLeadingModes) {
  const Problem p = training::with_ratios(modes(), 2);
  EXPECT_EQ(p.data.spectrum.eigenvalues, (std::vector<double>{2.0, 0.5}));
  EXPECT_EQ(p.data.spectrum.weights, (std::vector<double>{0.5, 0.5}));
}

TEST(TraceClass, KeepsTheTargetsOfLeadingModes) {
  Problem several = modes();
  several.data.spectrum.targets = {1.0, 1.0, 0.0, 2.0, 0.5, 0.5};
  several.data.spectrum.target_power = {2.0, 4.0, 0.5};
  const Problem p = training::with_ratios(several, 2);
  EXPECT_NO_THROW(validate(p));
  EXPECT_EQ(outputs(p.data), 2);
  EXPECT_EQ(p.data.spectrum.targets, (std::vector<double>{1.0, 1.0, 0.0, 2.0}));
}

TEST(TraceClass, TrainsAsTheOrdinaryProblem) {
  constexpr int kModes = 8;
  TrainOptions options;
  options.dim = kModes;
  options.seeds = {1, 2};
  options.updates = true;
  const Ensemble counts = train(modes(), 4, options);
  const Ensemble ratios = train(training::with_ratios(modes(), kModes), 4, options);
  EXPECT_EQ(counts.samples, 20);
  EXPECT_EQ(counts.widths, (std::vector<int>{24, 24}));
  for (int run = 0; run < 2; ++run) {
    for (int t = 0; t < 4; ++t) {
      EXPECT_EQ(counts.test_loss(run, t), ratios.test_loss(run, t));
      EXPECT_EQ(counts.gradient_norm[0](run, t), ratios.gradient_norm[0](run, t));
      EXPECT_DOUBLE_EQ(kModes * counts.feature_norm[1](run, t), ratios.feature_norm[1](run, t));
      EXPECT_DOUBLE_EQ(kModes * counts.feature_update[1](run, t), ratios.feature_update[1](run, t));
      EXPECT_EQ(counts.gradient_update[1](run, t), ratios.gradient_update[1](run, t));
    }
  }
}

TEST(TraceClass, RefusesWhatItCannotTrain) {
  EXPECT_EQ(refusal([] { (void)training::with_ratios(modes(), 9); }),
            "dim must be at most the number of modes of the trace-class spectrum (8), got 9");
  Problem grouped = modes();
  grouped.data.spectrum.weights = {1.0, 2.5, 5.0};
  EXPECT_EQ(refusal([&] { (void)training::with_ratios(grouped, 3); }),
            "data.spectrum.weights[1] must be a whole number of modes to train networks (grouped modes are for the "
            "theory), got 2.5");
  Problem endless = modes();
  endless.network.width = {std::numeric_limits<double>::infinity()};
  TrainOptions options;
  options.dim = 8;
  EXPECT_EQ(refusal([&] { (void)train(endless, 2, options); }),
            "network.hidden must be finite to train networks, got inf");
}

}  // namespace
}  // namespace lindmft
