// Comparison of the fused passes with plain loops, at sizes that are no multiples of a block.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "training/data/modes.hpp"
#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/sgd.hpp"

namespace lindmft::training {
namespace {

constexpr double kTolerance = 1e-13;

PaddedVector vector(int size, std::uint32_t array) {
  PaddedVector x(size);
  fill_normals({1, array}, 0, x.span());
  return x;
}

PaddedMatrix matrix(int rows, int cols, std::uint32_t array) {
  PaddedMatrix x(rows, cols);
  for (int i = 0; i < rows; ++i)
    fill_normals({2, array}, static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(cols), x.span(i));
  return x;
}

Rows<const double> whole(const PaddedMatrix& w) { return w.view(); }

struct Shape {
  int rows;
  int cols;
};

class Kernels : public testing::TestWithParam<Shape> {
 protected:
  int rows = GetParam().rows;
  int cols = GetParam().cols;
  PaddedMatrix w = matrix(rows, cols, 0);
  PaddedVector h = vector(cols, 1);
  PaddedVector g = vector(rows, 2);
  PaddedVector out{rows};
};

TEST_P(Kernels, BackwardProduct) {
  PaddedVector back(cols);
  backward_product(whole(w), g.data(), 0.7, 0.0, back.data());
  for (int k = 0; k < cols; ++k) {
    double sum = 0.0;
    for (int i = 0; i < rows; ++i) sum += 0.7 * w.row(i)[k] * g[i];
    EXPECT_NEAR(back[k], sum, kTolerance * rows);
  }
}

TEST_P(Kernels, ForwardProductWithAndWithoutUpdateIsTheSameBitForBit) {
  PaddedVector plain(rows);
  forward_product(whole(w), h.data(), 0.7, plain.data());
  for (int i = 0; i < rows; ++i) {
    double sum = 0.0;
    for (int k = 0; k < cols; ++k) sum += 0.7 * w.row(i)[k] * h[k];
    EXPECT_NEAR(plain[i], sum, kTolerance * cols);
  }
  forward_step(w.view(), h.data(), 0.7, out.data(), g.data(), 0.3,
               {.keep = 0.9, .push = 0.0, .gain = 0.2, .sink = 0.0, .fade = 0.0, .feed = 0.0});
  for (int i = 0; i < rows; ++i) EXPECT_EQ(out[i], plain[i]);
}

TEST_P(Kernels, PlainStep) {
  const PaddedMatrix before = w;
  forward_step(w.view(), h.data(), 0.7, out.data(), g.data(), 0.3,
               {.keep = 0.9, .push = 0.0, .gain = 0.2, .sink = 0.0, .fade = 0.0, .feed = 0.0});
  for (int i = 0; i < rows; ++i) {
    for (int k = 0; k < cols; ++k)
      EXPECT_NEAR(w.row(i)[k], 0.9 * before.row(i)[k] + 0.2 * 0.3 * g[i] * h[k], kTolerance);
  }
}

TEST_P(Kernels, MomentumStep) {
  const PaddedMatrix before = w;
  const PaddedMatrix buffer_before = matrix(rows, cols, 3);
  PaddedMatrix buffer = buffer_before;
  forward_step(w.view(), buffer.view(), h.data(), 0.7, out.data(), g.data(), 0.3,
               {.keep = 0.9, .push = 0.5, .gain = 0.2, .sink = -0.1, .fade = 0.8, .feed = 1.5});
  for (int i = 0; i < rows; ++i) {
    for (int k = 0; k < cols; ++k) {
      const double gradient = 0.3 * g[i] * h[k];
      EXPECT_NEAR(w.row(i)[k], 0.9 * before.row(i)[k] + 0.5 * buffer_before.row(i)[k] + 0.2 * gradient, kTolerance);
      EXPECT_NEAR(buffer.row(i)[k], -0.1 * before.row(i)[k] + 0.8 * buffer_before.row(i)[k] + 1.5 * gradient,
                  kTolerance);
    }
  }
}

TEST_P(Kernels, AddOuter) {
  const PaddedMatrix before = w;
  add_outer(w.view(), g.data(), h.data(), 0.3);
  for (int i = 0; i < rows; ++i) {
    for (int k = 0; k < cols; ++k) EXPECT_NEAR(w.row(i)[k], before.row(i)[k] + 0.3 * g[i] * h[k], kTolerance);
  }
}

TEST_P(Kernels, AccumulateGradient) {
  const PaddedVector noise = vector(rows, 4);
  const PaddedVector kept = vector(rows, 5);
  PaddedVector u = vector(cols, 6);
  std::vector<double> expected(u.span().begin(), u.span().end());
  double expected_loss = 0.0;
  for (int i = 0; i < rows; ++i) {
    double delta = noise[i];
    for (int k = 0; k < cols; ++k) delta += w.row(i)[k] * h[k];
    expected_loss += delta * delta;
    for (int k = 0; k < cols; ++k) expected[static_cast<std::size_t>(k)] += kept[i] * delta * w.row(i)[k];
  }
  const double loss = accumulate_gradient(whole(w), h.data(), noise.data(), kept.data(), u.data());
  EXPECT_NEAR(loss, expected_loss, kTolerance * expected_loss);
  for (int k = 0; k < cols; ++k) EXPECT_NEAR(u[k], expected[static_cast<std::size_t>(k)], kTolerance * rows * cols);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Kernels,
                         testing::Values(Shape{1, 1}, Shape{4, 8}, Shape{5, 9}, Shape{23, 17}, Shape{64, 40}));

/// PyTorch's update rule, statement by statement, on one scalar weight with gradient -G.
TEST(Sgd, FollowsPyTorch) {
  for (const bool nesterov : {false, true}) {
    const Optimizer optimizer{
        .lr = {0.1, 0.2, 0.05, 0.3}, .momentum = {0.6}, .nesterov = nesterov, .weight_decay = 0.25, .layer_lr = {}};
    double weight = 1.3, buffer = 0.0;
    double expected = weight, expected_buffer = 0.0;
    for (int t = 0; t < 4; ++t) {
      const double gradient = 0.7 - 0.4 * t;
      const double direction = 1.5 * gradient - 0.25 * expected;
      expected_buffer = t == 0 ? direction : 0.6 * expected_buffer + direction;
      expected +=
          optimizer.lr[static_cast<std::size_t>(t)] * (nesterov ? direction + 0.6 * expected_buffer : expected_buffer);

      const LinearStep step = linear_step(optimizer, t, 1.5);
      const double old = weight;
      weight = step.keep * old + step.push * buffer + step.gain * gradient;
      buffer = step.sink * old + step.fade * buffer + step.feed * gradient;
      EXPECT_NEAR(weight, expected, 1e-15);
      EXPECT_NEAR(buffer, expected_buffer, 1e-15);
    }
  }
}

TEST(Modes, CountsAddUpAndFollowTheWeights) {
  EXPECT_EQ(mode_counts({1.0}, 7), (std::vector<int>{7}));
  EXPECT_EQ(mode_counts({0.5, 0.3, 0.2}, 10), (std::vector<int>{5, 3, 2}));
  EXPECT_EQ(mode_counts({0.5, 0.3, 0.2}, 4), (std::vector<int>{2, 1, 1}));
  EXPECT_EQ(mode_counts({0.4, 0.6}, 1), (std::vector<int>{0, 1}));
  EXPECT_EQ(mode_counts(std::vector<double>(49, 1.0 / 49.0), 49), std::vector<int>(49, 1));
}

TEST(Modes, TargetHasTheExactPower) {
  Data data;
  data.spectrum = {.eigenvalues = {2.0, 0.5}, .target_power = {0.4, 1.6}, .weights = {0.5, 0.5}};
  const Modes modes(data, 64, 3);
  EXPECT_NEAR(dot(modes.target(), modes.target()), 64.0, 1e-12);
  PaddedVector s(64);
  modes.whiten(PaddedVector(64).data(), 0, s.data());
  EXPECT_NEAR(dot(s, s), 0.5 * 2.0 * 0.4 + 0.5 * 0.5 * 1.6, 1e-14);
}

TEST(Modes, RotationMixesChannelsToOutputs) {
  Data data;
  data.spectrum = {.eigenvalues = {2.0, 0.5}, .target_power = {0.4, 1.6}, .weights = {0.5, 0.5}};
  const Modes one(data, 64, 3);
  data.targets = {1.5, 0.5};
  const Modes channels(data, 64, 3);
  data.rotation = {0.6, -0.8, 0.8, 0.6};
  const Modes outputs(data, 64, 3);
  EXPECT_NEAR(dot(channels.target(1), channels.target(1)), 0.25 * 64.0, 1e-12);
  EXPECT_LT(std::abs(dot(channels.target(0), channels.target(1))), 0.5 * 0.75 * 64.0) << "independent signs";
  for (int k = 0; k < 64; ++k) {
    EXPECT_EQ(channels.target(0)[k], 1.5 * one.target()[k]);
    EXPECT_DOUBLE_EQ(outputs.target(0)[k], 0.6 * channels.target(0)[k] - 0.8 * channels.target(1)[k]);
    EXPECT_DOUBLE_EQ(outputs.target(1)[k], 0.8 * channels.target(0)[k] + 0.6 * channels.target(1)[k]);
  }
}

TEST(Arrays, StreamsDoNotCollide) {
  std::set<std::uint32_t> seen;
  int count = 0;
  for (const std::uint32_t array : {kTargetArray, kInputArray, kNoiseArray, kSelectionArray, kProbeArray,
                                    kFirstWeightArray, kFirstWeightArray + std::uint32_t{kLargestDepth}}) {
    for (const int replica : {0, 1, kMostReplicas - 1}) {
      for (const int output : {0, 1, kMostOutputs - 1}) {
        seen.insert(array_of(array, replica, output));
        ++count;
      }
    }
  }
  EXPECT_EQ(static_cast<int>(seen.size()), count);
  EXPECT_EQ(array_of(kInputArray, 0), kInputArray);
}

}  // namespace
}  // namespace lindmft::training
