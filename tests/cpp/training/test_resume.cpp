// Training that stops between two steps and is resumed from its state gives the results of one call to the last bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/train.hpp"

namespace lindmft {
namespace {

Problem example() {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8, .centered = true};
  p.data = {.mode = DataMode::multi_pass, .alpha = 1.5, .batch_fraction = 0.5, .noise = 0.3, .spectrum = {}};
  p.data.targets = {1.0, 0.5};
  p.optimizer.lr = {0.05};
  p.optimizer.momentum = {0.5};
  return p;
}

/// Epochs of 5 steps: states at steps 7, 8, 9 and 33 are in the middle of one.
Problem shuffled() {
  Problem p = example();
  p.data = {.mode = DataMode::epochs, .alpha = 1.5, .batches = 5, .noise = 0.3, .spectrum = {}};
  return p;
}

constexpr int kSteps = 60;

TrainOptions options(TrainMethod method, Precision precision = Precision::float64) {
  TrainOptions out{.dim = 12, .seeds = {0, 7}, .threads = 1};
  out.updates = true;
  out.method = method;
  out.precision = precision;
  return out;
}

void expect_same_from(int first, const Matrix& found, const Matrix& expected) {
  for (int i = 0; i < expected.rows(); ++i)
    EXPECT_TRUE(std::equal(expected.row(i) + first, expected.row(i) + kSteps, found.row(i) + first));
}

TEST(Resume, GivesTheBitsOfOneCall) {
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place}) {
    for (const Precision precision : {Precision::float64, Precision::float32}) {
      TrainOptions run = options(method, precision);
      const Ensemble whole = train(example(), kSteps, run);
      EXPECT_TRUE(whole.state.empty());
      run.keep_state = true;
      for (const int stop : {1, 7, 8, 9, 33}) {
        run.stop = stop;
        run.start.clear();
        run.start = train(example(), kSteps, run).state;
        run.stop = 0;
        const Ensemble rest = train(example(), kSteps, run);
        expect_same_from(stop, rest.test_loss, whole.test_loss);
        expect_same_from(stop, rest.train_loss, whole.train_loss);
        expect_same_from(stop, rest.chain_residual, whole.chain_residual);
        for (std::size_t l = 0; l < 2; ++l) {
          expect_same_from(stop, rest.feature_norm[l], whole.feature_norm[l]);
          expect_same_from(stop, rest.gradient_update[l], whole.gradient_update[l]);
        }
        EXPECT_LT(rest.stats.operations, whole.stats.operations);
      }
    }
  }
}

TEST(Resume, InTheMiddleOfAnEpoch) {
  TrainOptions run = options(TrainMethod::factored);
  const Ensemble whole = train(shuffled(), kSteps, run);
  run.keep_state = true;
  for (const int stop : {5, 7, 8, 9, 33}) {
    run.stop = stop;
    run.start.clear();
    run.start = train(shuffled(), kSteps, run).state;
    run.stop = 0;
    const Ensemble rest = train(shuffled(), kSteps, run);
    expect_same_from(stop, rest.test_loss, whole.test_loss);
    expect_same_from(stop, rest.train_loss, whole.train_loss);
  }
}

TEST(Resume, RefusesOtherStates) {
  TrainOptions run = options(TrainMethod::factored);
  run.keep_state = true;
  run.stop = 9;
  const std::vector<std::string> state = train(example(), kSteps, run).state;
  const auto refused = [&](std::vector<std::string> start, TrainOptions other, int steps = kSteps) {
    other.start = std::move(start);
    other.stop = 0;
    EXPECT_THROW(static_cast<void>(train(example(), steps, other)), std::invalid_argument);
  };
  refused({state[0]}, run);
  refused(state, options(TrainMethod::in_place));
  refused(state, options(TrainMethod::factored, Precision::float32));
  refused(state, run, kSteps + 1);
  for (std::size_t size = 1; size < state[0].size(); size += 97) refused({state[0].substr(0, size), state[1]}, run);
  refused({state[0] + '\0', state[1]}, run);
  run.start = state;
  run.stop = 5;  // before the states
  EXPECT_THROW(static_cast<void>(train(example(), kSteps, run)), std::invalid_argument);
  run.start.clear();
  run.stop = kSteps + 1;
  EXPECT_THROW(static_cast<void>(train(example(), kSteps, run)), std::invalid_argument);
}

}  // namespace
}  // namespace lindmft
