// Changes of features and gradients since initialization: they are recorded on request, and other results do not
// change. test_naive.cpp tests their values.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "lindmft/train.hpp"

namespace lindmft {
namespace {

Problem example() {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {0.05};
  return p;
}

TEST(TrainUpdates, AreLeftOutUnlessAskedFor) {
  const Ensemble without = train(example(), 5, {.dim = 20});
  const Ensemble with = train(example(), 5, {.dim = 20, .updates = true});
  EXPECT_TRUE(without.feature_update.empty() && without.gradient_update.empty());
  ASSERT_EQ(with.feature_update.size(), 2U);
  ASSERT_EQ(with.gradient_update.size(), 2U);
  for (int t = 0; t < 5; ++t) EXPECT_EQ(without.test_loss(0, t), with.test_loss(0, t)) << "watching changes nothing";
  for (const auto& many : train_many(std::vector<Problem>(2, example()), 5, {.dim = 20}))
    EXPECT_TRUE(many.feature_update.empty() && many.gradient_update.empty());
}

/// The padded vectors at the start, and 2 L numbers for each step.
TEST(TrainUpdates, CountInTheMemory) {
  constexpr int kSteps = 1000;
  const TrainOptions plain{.dim = 32, .threads = 1};
  TrainOptions extra = plain;
  extra.updates = true;
  const double taken =
      estimate_train_memory(example(), kSteps, extra) - estimate_train_memory(example(), kSteps, plain);
  const double vectors = 2.0 * (24.0 + 24.0) * sizeof(double);
  const double series = 4.0 * kSteps * sizeof(double);
  EXPECT_GE(taken, vectors + series);
  EXPECT_LE(taken, vectors + series + 4.0 * 128.0);
  const std::vector<Problem> problems(3, example());
  EXPECT_NEAR(estimate_train_many_memory(problems, kSteps, {.dim = 32, .threads = 1, .updates = true}) -
                  estimate_train_many_memory(problems, kSteps, {.dim = 32, .threads = 1}),
              3.0 * taken, 1.0);
}

TEST(TrainUpdates, AreInfiniteFromTheDivergenceOn) {
  Problem p = example();
  p.optimizer.lr = {3.0};
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place}) {
    const Ensemble lost = train(p, 40, {.dim = 20, .updates = true, .method = method});
    const int at = lost.diverged_at.front();
    ASSERT_GT(at, 1);
    ASSERT_EQ(at, train(p, 40, {.dim = 20, .method = method}).diverged_at.front());
    for (const auto* list : {&lost.feature_update, &lost.gradient_update}) {
      for (const Matrix& m : *list) {
        EXPECT_EQ(m(0, 0), 0.0);
        for (int t = 1; t < 40; ++t) EXPECT_EQ(std::isinf(m(0, t)), t >= at) << t;
        for (int t = 1; t < at; ++t) EXPECT_GT(m(0, t), 0.0) << t;
      }
    }
  }
}

TEST(TrainUpdates, OfTheReadoutFollowItsFirstStep) {
  Problem p = example();
  p.optimizer.layer_lr = {0.0, 0.0, 1.0};  // only the readout moves, by eta gamma0 h^L
  const Ensemble e = train(p, 2, {.dim = 20, .updates = true});
  const double factor = 0.05 * 0.8;
  EXPECT_NEAR(e.gradient_update[1](0, 1), factor * factor * e.feature_norm[1](0, 0), 1e-14);
}

}  // namespace
}  // namespace lindmft
