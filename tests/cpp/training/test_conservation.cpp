// The conservation law of gradient flow (theory.md section 12, item 12): W^{l+1}^T W^{l+1} - W^l W^l^T of a perceptron,
// in the paper's scaling. A step of gradient descent changes it in second order of the learning rate.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "lindmft/matrix.hpp"
#include "lindmft/problem.hpp"
#include "training/network/network.hpp"
#include "training/random/normals.hpp"

namespace lindmft {
namespace {

using Network = training::Networks<double>;

constexpr int kDim = 20;
const std::vector<int> kSizes{kDim, 16, 24, 12};

/// W^{l+1}^T W^{l+1} - W^l W^l^T, N_{l+1} x N_{l+1}; W^L is the readout.
Matrix balance(Network& network, int l) {
  const auto depth = static_cast<int>(kSizes.size()) - 1;
  const int n = kSizes[static_cast<std::size_t>(l) + 1];
  Matrix out(n, n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      double above = 0.0;
      if (l + 1 == depth) {
        above = network.readout(0, 0)[i] * network.readout(0, 0)[j];
      } else {
        const auto next = network.weights(0, l + 1);
        for (int k = 0; k < next.rows(); ++k) above += next.row(k)[i] * next.row(k)[j];
      }
      const auto here = network.weights(0, l);
      double below = 0.0;
      for (int k = 0; k < here.cols(); ++k) below += here.row(i)[k] * here.row(j)[k];
      out(i, j) = above - below;
    }
  }
  return out;
}

/// Largest change of balance and of the weights' products themselves in one step at this rate.
struct Drift {
  double conserved = 0.0;
  double moved = 0.0;
};

Drift drift(double lr, int l) {
  Problem problem;
  problem.network = {.depth = 3, .width = {0.8, 1.2, 0.6}, .gamma0 = 0.9};
  problem.optimizer = {.lr = {lr}, .layer_lr = {}};
  Network network({problem}, kSizes, {3}, {.method = TrainMethod::in_place}, 1);
  network.backward();
  training::fill_normals({11, 1}, 0, std::span(network.input(), kDim));
  const Matrix before = balance(network, l);
  const double weight = network.weights(0, l).row(0)[0];
  network.forward_and_update(0);
  const Matrix after = balance(network, l);
  Drift out{.conserved = 0.0, .moved = std::abs(network.weights(0, l).row(0)[0] - weight)};
  for (int i = 0; i < before.rows(); ++i) {
    for (int j = 0; j < before.cols(); ++j)
      out.conserved = std::max(out.conserved, std::abs(after(i, j) - before(i, j)));
  }
  return out;
}

TEST(Conservation, DriftsInSecondOrderOfTheLearningRate) {
  for (int l = 0; l < 3; ++l) {
    const Drift whole = drift(1e-3, l);
    const Drift half = drift(0.5e-3, l);
    EXPECT_GT(half.conserved, 1e-9) << l;
    EXPECT_NEAR(whole.conserved / half.conserved, 4.0, 0.01) << l;
    EXPECT_NEAR(whole.moved / half.moved, 2.0, 1e-6) << l;
  }
}

}  // namespace
}  // namespace lindmft
