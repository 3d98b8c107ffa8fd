// Comparison of the collapsed training of theory.md sections 2, 4 and 8 with ordinary training: trajectories, signals,
// and the spectrum of the Hessian.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "lindmft/train.hpp"
#include "naive_training.hpp"
#include "symmetric_eigenvalues.hpp"

namespace lindmft {
namespace {

using naive::dot;
using naive::NaiveTraining;
using naive::Signals;
using naive::size;
using naive::squared_distance;
using naive::Vector;

struct Case {
  std::string name;
  Problem problem;
};

Problem full_batch() {
  Problem p;
  p.network = {.depth = 2, .width = {0.7, 1.2}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  p.optimizer.lr = {0.05};
  return p;
}

std::vector<Case> perceptrons() {
  const Problem full = full_batch();
  Problem everything = full;
  everything.network = {.depth = 3, .width = {0.5, 1.5, 0.9}, .gamma0 = 0.7, .init_scale = {0.9}, .centered = true};
  everything.optimizer = {.lr = {0.05}, .momentum = {0.6}, .weight_decay = 0.2, .layer_lr = {0.5, 1.0, 1.5, 0.8}};

  Problem nesterov = full;
  nesterov.network.parameterization = Parameterization::ntk;
  nesterov.optimizer = {.lr = {}, .momentum = {0.5}, .nesterov = true, .weight_decay = 0.1, .layer_lr = {}};
  for (int t = 0; t < 12; ++t) nesterov.optimizer.lr.push_back(0.03 + 0.002 * t);

  Problem multi = full;
  multi.data.mode = DataMode::multi_pass;
  multi.data.batch_fraction = 0.4;

  Problem once = full;
  once.data.mode = DataMode::one_pass;

  Problem late = full;
  late.network.zero_readout = true;
  late.network.width = {1.1, 1.3};  // the readout alone acts at first, and narrow layers would leave directions at rest
  Problem scaled = full;
  scaled.network.init_scale = {0.7, 0.0, 1.2};
  scaled.network.width = {1.1, 1.3};  // see above
  Problem staged = full;
  staged.data.switch_at = 5;
  staged.data.switch_overlap = -0.3;
  staged.data.switch_strength = 1.7;
  Problem schedules = once;
  schedules.optimizer.momentum.clear();
  schedules.optimizer.nesterov = true;
  for (int t = 0; t < 12; ++t) {
    schedules.data.alphas.push_back(t % 3 == 0 ? 2.4 : 0.4 + 0.1 * t);
    schedules.optimizer.momentum.push_back(t < 2 ? 0.0 : 0.07 * t);
  }
  schedules.data.alpha = schedules.data.alphas.front();

  Problem epochs = full;
  epochs.data.mode = DataMode::epochs;
  epochs.data.batches = 5;  // steps end in the middle of an epoch, and 20 samples make equal batches
  Problem unequal = epochs;
  unequal.data.batches = 3;  // batches have 7, 6 and 7 samples

  Problem modes = full;
  modes.data.spectrum = {.eigenvalues = {1.8, 1.1, 0.4}, .target_power = {0.5, 1.2, 1.4}, .weights = {0.3, 0.5, 0.2}};

  Problem shallow = full;
  shallow.network = {.depth = 1, .width = {1.0}};
  shallow.optimizer.weight_decay = 0.3;
  return {{"full_batch", full},        {"everything", everything}, {"nesterov_schedule_ntk", nesterov},
          {"multi_pass", multi},       {"one_pass", once},         {"epochs", epochs},
          {"epochs_unequal", unequal}, {"spectrum", modes},        {"one_layer_decay", shallow},
          {"schedules", schedules},    {"zero_readout", late},     {"scales_of_arrays", scaled},
          {"second_target", staged}};
}

std::vector<Case> residual_networks() {
  Problem plain = full_batch();
  plain.network = {.kind = Architecture::resnet, .depth = 4, .width = {0.8}, .gamma0 = 0.9, .branch = 1.3};

  Problem everything = plain;
  everything.network.init_scale = {0.9};
  everything.network.centered = true;
  everything.network.branch = 0.6;
  everything.network.branch_scaling = BranchScaling::constant;
  everything.data.mode = DataMode::multi_pass;
  everything.data.batch_fraction = 0.6;
  everything.optimizer = {
      .lr = {0.04}, .momentum = {0.5}, .nesterov = true, .weight_decay = 0.2, .layer_lr = {0.5, 1.0, 1.5, 0.7, 0.8}};

  Problem shallow = plain;
  shallow.network.depth = 1;
  shallow.data.mode = DataMode::one_pass;
  return {{"residual", plain}, {"residual_everything", everything}, {"residual_without_branches", shallow}};
}

std::vector<Case> several_outputs() {
  Problem full = full_batch();
  full.data.targets = {1.2, 0.5};
  full.data.rotation = {0.6, -0.8, 0.8, 0.6};

  Problem momentum = full;
  momentum.network.centered = true;
  momentum.data.spectrum = {.eigenvalues = {1.6, 0.6}, .target_power = {0.5, 1.5}, .weights = {0.4, 0.6}};
  momentum.optimizer = {.lr = {0.04}, .momentum = {0.6}, .weight_decay = 0.2, .layer_lr = {0.5, 1.5, 0.8}};

  Problem multi = full;
  multi.network = {.kind = Architecture::resnet, .depth = 3, .width = {0.8}, .gamma0 = 0.9, .branch = 0.7};
  multi.data.mode = DataMode::multi_pass;
  multi.data.batch_fraction = 0.4;
  multi.optimizer.momentum = {0.3};

  Problem once = full;
  once.data.mode = DataMode::one_pass;
  once.data.targets = {1.0, 0.7, 0.4};
  once.data.rotation = {};
  return {{"outputs", full}, {"outputs_momentum", momentum}, {"outputs_residual", multi}, {"outputs_one_pass", once}};
}

/// Outputs that share modes, with correlated label noise.
std::vector<Case> shared_modes() {
  Problem full = full_batch();
  full.data.noise = 0.0;
  full.data.noise_factor = {0.4, 0.0, -0.2, 0.3};
  full.data.spectrum = {.eigenvalues = {1.6, 1.0, 0.6},
                        .target_power = {2.0, 0.5, 1.0},
                        .weights = {0.3, 0.4, 0.3},
                        .targets = {1.0, -1.0, 0.1, 0.7, 1.0, 0.0}};
  Problem epochs = full;
  epochs.data.mode = DataMode::epochs;
  epochs.data.batches = 4;
  epochs.optimizer.momentum = {0.4};
  epochs.network.centered = true;
  Problem once = full;
  once.data.mode = DataMode::one_pass;
  Problem equal = full;  // independent noise of equal size
  equal.data.noise = 0.5;
  equal.data.noise_factor = {};
  return {{"shared", full}, {"shared_epochs", epochs}, {"shared_one_pass", once}, {"shared_equal_noise", equal}};
}

class Naive : public testing::TestWithParam<Case> {};

TEST_P(Naive, TrajectoriesAgree) {
  constexpr int kSteps = 12;
  const Problem& problem = GetParam().problem;
  const Ensemble fast = train(problem, kSteps, {.dim = 13, .seeds = {42}, .threads = 1});
  NaiveTraining naive(problem, fast);
  for (int t = 0; t < kSteps; ++t) {
    naive.step(t);
    const double test = std::accumulate(naive.test_losses.begin(), naive.test_losses.end(), 0.0);
    const double train = std::accumulate(naive.train_losses.begin(), naive.train_losses.end(), 0.0);
    EXPECT_NEAR(fast.test_loss(0, t), test, 1e-12 * test) << "step " << t;
    EXPECT_NEAR(fast.train_loss(0, t), train, 1e-12 * train) << "step " << t;
    for (std::size_t c = 0; c < fast.test_loss_by_output.size(); ++c) {
      EXPECT_NEAR(fast.test_loss_by_output[c](0, t), naive.test_losses[c], 1e-12 * test) << "step " << t;
      EXPECT_NEAR(fast.train_loss_by_output[c](0, t), naive.train_losses[c], 1e-12 * train) << "step " << t;
    }
    EXPECT_LT(fast.chain_residual(0, t), 1e-12) << "step " << t;
  }
  EXPECT_LT(fast.test_loss(0, kSteps - 1), 0.9 * fast.test_loss(0, 0)) << "the comparison should see some learning";
}

/// Norms and updates of h^l and g^l for every method of storing weights. The rounding error of an update is that of the
/// two vectors whose difference it is.
TEST_P(Naive, SignalsAgree) {
  constexpr int kSteps = 12;
  const Problem& problem = GetParam().problem;
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place}) {
    const Ensemble fast = train(problem, kSteps, {.dim = 13, .seeds = {42}, .updates = true, .method = method});
    NaiveTraining naive(problem, fast);
    std::vector<Signals> first;
    for (int t = 0; t < kSteps; ++t) {
      naive.step(t);
      if (t == 0) first = naive.signals;
      for (std::size_t l = 1; l <= fast.feature_update.size(); ++l) {
        double feature = 0.0, gradient = 0.0, feature_update = 0.0, gradient_update = 0.0;
        for (std::size_t c = 0; c < first.size(); ++c) {
          const Vector& h = naive.signals[c].h[l];
          const Vector& g = naive.signals[c].g[l];
          feature += dot(h, h) / size(h);
          gradient += dot(g, g) / size(g);
          feature_update += squared_distance(h, first[c].h[l]) / size(h);
          gradient_update += squared_distance(g, first[c].g[l]) / size(g);
        }
        const std::string where = "layer " + std::to_string(l) + ", step " + std::to_string(t);
        EXPECT_NEAR(fast.feature_norm[l - 1](0, t), feature, 1e-12 * feature) << where;
        EXPECT_NEAR(fast.gradient_norm[l - 1](0, t), gradient, 1e-12 * gradient) << where;
        EXPECT_NEAR(fast.feature_update[l - 1](0, t), feature_update, 1e-12 * (feature + feature_update)) << where;
        EXPECT_NEAR(fast.gradient_update[l - 1](0, t), gradient_update, 1e-12 * (gradient + gradient_update)) << where;
      }
    }
    EXPECT_GT(fast.feature_update.front()(0, kSteps - 1), 0.01 * fast.feature_norm.front()(0, 0)) << "features move";
  }
}

/// Without zeros and repetitions, which Lanczos' method does not find.
Vector different(const Vector& eigenvalues) {
  Vector out;
  for (const double x : eigenvalues) {
    const double last = out.empty() ? 2.0 * x : out.back();
    if (x > 1e-9 * eigenvalues.front() && last - x > 1e-9 * eigenvalues.front()) out.push_back(x);
  }
  return out;
}

/// All eigenvalues, those from the random vector, and the first two moments of the weights of those from the target.
void expect_spectrum(const HessianSpectrum& found, int row, const NaiveTraining& naive) {
  const naive::Rows hessian = naive.hessian();
  const Vector expected = different(naive::symmetric_eigenvalues(hessian));
  const double largest = expected.front();
  EXPECT_NEAR(found.sharpness[static_cast<std::size_t>(row)], largest, 1e-10 * largest);
  const int dim = found.random_ritz.cols();
  for (int k = 0; k < dim; ++k) {
    const auto at = static_cast<std::size_t>(k);
    EXPECT_EQ(std::isnan(found.random_ritz(row, k)), at >= expected.size()) << k;
    if (at >= expected.size()) continue;
    EXPECT_NEAR(found.random_ritz(row, k), expected[at], 1e-9 * largest) << k;
  }
  const Vector y = naive.clean_labels();
  Vector image;
  for (const Vector& one : hessian) image.push_back(dot(one, y));
  double first = 0.0, second = 0.0;
  for (int k = 0; k < dim && !std::isnan(found.target_ritz(row, k)); ++k) {
    first += found.target_weight(row, k) * found.target_ritz(row, k);
    second += found.target_weight(row, k) * found.target_ritz(row, k) * found.target_ritz(row, k);
  }
  EXPECT_NEAR(first, dot(y, image) / dot(y, y), 1e-10 * largest);
  EXPECT_NEAR(second, dot(image, image) / dot(y, y), 1e-10 * largest * largest);
}

/// The spectrum of the Hessian, with as many steps of Lanczos' method as there are dimensions.
TEST_P(Naive, SpectraAgree) {
  constexpr int kDim = 13;
  const Problem& problem = GetParam().problem;
  if (outputs(problem.data) > 1 || has_second_target(problem.data)) return;  // refused
  for (const TrainMethod method : {TrainMethod::shared, TrainMethod::factored, TrainMethod::in_place}) {
    TrainOptions options{.dim = kDim, .seeds = {42}, .threads = 1, .spectrum_at = {0, 3, 11}, .lanczos = kDim};
    options.method = method;
    const Ensemble fast = train(problem, 12, options);
    NaiveTraining naive(problem, fast);
    for (int t = 0; t < 12; ++t) {
      if (t == 0 || t == 3 || t == 11) {
        SCOPED_TRACE("step " + std::to_string(t));
        expect_spectrum(fast.spectrum.front(), t == 0 ? 0 : t == 3 ? 1 : 2, naive);
      }
      naive.step(t);
    }
  }
}

std::string name_of(const testing::TestParamInfo<Case>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(Perceptrons, Naive, testing::ValuesIn(perceptrons()), name_of);
INSTANTIATE_TEST_SUITE_P(Residual, Naive, testing::ValuesIn(residual_networks()), name_of);
INSTANTIATE_TEST_SUITE_P(Outputs, Naive, testing::ValuesIn(several_outputs()), name_of);
INSTANTIATE_TEST_SUITE_P(SharedModes, Naive, testing::ValuesIn(shared_modes()), name_of);

}  // namespace
}  // namespace lindmft
