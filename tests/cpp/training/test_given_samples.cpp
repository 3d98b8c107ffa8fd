// Training on given samples: the collapsed updates, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lindmft/train.hpp"
#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"

namespace lindmft {
namespace {

constexpr int kDim = 12;
constexpr int kSamples = 18;
constexpr int kSteps = 20;

Problem example(DataMode mode = DataMode::full_batch) {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = mode, .alpha = 1.5, .spectrum = {}};
  if (mode == DataMode::epochs) p.data.batches = 5;
  if (mode == DataMode::multi_pass) p.data.batch_fraction = 0.5;
  p.optimizer.lr = {0.05};
  p.optimizer.momentum = {0.4};
  return p;
}

Matrix random_matrix(std::uint32_t array, int rows, int cols) {
  Matrix out(rows, cols);
  for (int i = 0; i < rows; ++i)
    training::fill_normals({7, array}, static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(cols),
                           std::span(out.row(i), static_cast<std::size_t>(cols)));
  return out;
}

/// The inputs that seed 7 draws, with a target and noise as labels.
GivenSamples samples(int outputs = 1) {
  GivenSamples out{.inputs = random_matrix(training::kInputArray, kSamples, kDim),
                   .labels = random_matrix(100, kSamples, outputs),
                   .test_inputs = random_matrix(101, 7, kDim),
                   .test_labels = random_matrix(102, 7, outputs)};
  return out;
}

TrainOptions options(GivenSamples given) {
  TrainOptions out{.dim = kDim, .seeds = {7, 8}, .threads = 1};
  out.samples = std::make_shared<const GivenSamples>(std::move(given));
  return out;
}

/// With the samples and labels that a seed draws itself, training is the same.
TEST(GivenSamples, OfASeedGiveItsTraining) {
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::epochs}) {
    Problem p = example(mode);
    p.data.spectrum.target_power = {0.0};
    p.data.noise = 1.0;
    const Ensemble drawn = train(p, kSteps, {.dim = kDim, .seeds = {7}, .threads = 1});
    GivenSamples given = samples();
    for (int i = 0; i < kSamples; ++i)
      training::fill_normals({7, training::kNoiseArray}, static_cast<std::uint64_t>(i),
                             std::span(given.labels.row(i), 1));
    const Ensemble same = train(p, kSteps, options(std::move(given)));
    EXPECT_EQ(same.test_samples, 7);
    EXPECT_EQ(drawn.test_samples, 0);
    for (int t = 0; t < kSteps; ++t) {
      EXPECT_EQ(same.train_loss(0, t), drawn.train_loss(0, t)) << t;
      EXPECT_EQ(same.gradient_norm[0](0, t), drawn.gradient_norm[0](0, t)) << t;
      EXPECT_NE(same.train_loss(1, t), drawn.train_loss(0, t)) << t;
    }
  }
}

TEST(GivenSamples, TheTestLossIsThatOfThePredictor) {
  Problem p = example();
  p.network.centered = true;
  p.data.spectrum.targets = {1.0, 0.0};
  TrainOptions o = options(samples(2));
  o.weights = true;
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place}) {
    o.method = method;
    const Ensemble e = train(p, kSteps, o);
    ASSERT_EQ(e.weights.size(), 3U);
    EXPECT_EQ(e.weights[1].rows(), 2 * 9);
    EXPECT_EQ(e.weights[2].rows(), 2 * 2);
    const GivenSamples& given = *o.samples;
    for (int seed = 0; seed < 2; ++seed) {
      for (int c = 0; c < 2; ++c) {
        double loss = 0.0;
        for (int i = 0; i < 7; ++i) {
          double error = given.test_labels(i, c);
          for (int k = 0; k < kDim; ++k) error -= e.predictor(2 * seed + c, k) * given.test_inputs(i, k);
          loss += error * error / 7;
        }
        EXPECT_NEAR(e.test_loss_by_output[static_cast<std::size_t>(c)](seed, kSteps - 1), loss, 1e-12 * loss);
      }
    }
  }
}

TEST(GivenSamples, ResumeToTheLastBit) {
  const Problem p = example(DataMode::epochs);
  TrainOptions o = options(samples());
  const Ensemble whole = train(p, kSteps, o);
  o.keep_state = true;
  o.stop = 8;
  o.start = train(p, kSteps, o).state;
  o.stop = 0;
  const Ensemble rest = train(p, kSteps, o);
  for (int t = 8; t < kSteps; ++t) {
    EXPECT_EQ(rest.train_loss(1, t), whole.train_loss(1, t));
    EXPECT_EQ(rest.test_loss(1, t), whole.test_loss(1, t));
  }
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal(const Problem& p, TrainOptions o) {
  return refusal([&] { static_cast<void>(train(p, kSteps, o)); });
}

TEST(GivenSamples, RefusesWhatDoesNotFit) {
  const Problem p = example();
  TrainOptions o = options(samples());
  EXPECT_EQ(refusal(p, o), "accepted");
  o.dim = 11;
  EXPECT_EQ(refusal(p, o), "dim must be the number of inputs of the given samples (12), got 11");
  o = options(samples());
  o.kernels = true;
  EXPECT_EQ(refusal(p, o),
            "kernels cannot be combined with samples: given samples have no known target. Leave kernels out.");
  o = options(samples());
  o.modes = true;
  EXPECT_EQ(refusal(p, o),
            "modes cannot be combined with samples: given samples have no known target. Leave modes out.");
  EXPECT_EQ(refusal(p, options(samples(2))),
            "samples.labels must be a column for each output of the problem (1), got 2");
  Problem other = p;
  other.data.alpha = 2.0;
  EXPECT_EQ(refusal(other, options(samples())), "data.alpha must be that of the given samples (P = 18), got 24");
  GivenSamples none = samples();
  none.test_inputs = {};
  EXPECT_EQ(refusal(p, options(std::move(none))),
            "samples.test_inputs must be a matrix with a row for each sample, got an empty one");
  EXPECT_NE(
      refusal(example(DataMode::one_pass), options(samples())).find("samples cannot be combined with this data.kind"),
      std::string::npos);
  o = options(samples());
  EXPECT_NE(refusal([&] { static_cast<void>(train_replicas(p, kSteps, o)); }).find("samples"), std::string::npos);
}

}  // namespace
}  // namespace lindmft
