// Comparison of the collapsed training of theory.md sections 2, 4 and 8 with ordinary training: every sample passes
// through the network f(x), explicit gradients of (1/2P) sum over samples and outputs of Delta^2, raw learning rate eta
// gamma0^2 N_L.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "lindmft/train.hpp"
#include "problem/scales.hpp"
#include "training/data/modes.hpp"
#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"

namespace lindmft {
namespace {

using Vector = std::vector<double>;
using Rows = std::vector<Vector>;

Rows random_rows(std::uint64_t seed, std::uint32_t array, std::uint64_t first, int rows, int cols) {
  Rows out;
  for (int i = 0; i < rows; ++i) {
    Vector& row = out.emplace_back(cols);
    training::fill_normals({seed, array}, first + static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(cols),
                           row);
  }
  return out;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double size(const Vector& x) { return static_cast<double>(x.size()); }

double squared_distance(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/// The signals of one output in all layers; h[0] = u, and g[0] is not used.
struct Signals {
  Rows h;  // h^0 .. h^L
  Rows g;  // g^0 .. g^L
};

struct Batch {
  Rows x;       // inputs
  Rows y;       // C of P  labels
  Vector kept;  // factor of a sample's gradient
};

class NaiveTraining {
 public:
  NaiveTraining(const Problem& problem, const Ensemble& like)
      : problem_(problem), seed_(like.seeds.front()), dim_(like.dim), samples_(like.samples), widths_(like.widths) {
    for (const int count : training::mode_counts(problem.data.spectrum.weights, dim_)) {
      eigenvalues_.insert(eigenvalues_.end(), static_cast<std::size_t>(count),
                          problem.data.spectrum.eigenvalues[modes_++]);
    }
    const training::Modes modes(problem.data, dim_, seed_);
    for (int c = 0; c < outputs(); ++c) {
      const auto target = modes.target(c).span();
      targets_.emplace_back(target.begin(), target.end());
    }
    draw_weights();
    initial_ = weights_;
    test_losses.assign(targets_.size(), 0.0);
    train_losses = test_losses;
  }

  void step(int t) {
    const Batch batch = draw(t);
    const double gamma0 = scales(problem_).gamma0;
    const double raw_rate = gamma0 * gamma0 * last_width();
    std::vector<Rows> descent = buffers_;
    for (Rows& layer : descent) {
      for (Vector& row : layer) row.assign(row.size(), 0.0);
    }
    train_losses.assign(train_losses.size(), 0.0);
    Rows data_gradients(targets_.size(), Vector(static_cast<std::size_t>(dim_)));
    for (std::size_t mu = 0; mu < batch.x.size(); ++mu) {
      Vector error = output(batch.x[mu]);
      for (std::size_t c = 0; c < error.size(); ++c) {
        const double delta = batch.y[c][mu] - error[c];
        train_losses[c] += delta * delta / samples_;
        for (std::size_t k = 0; k < batch.x[mu].size(); ++k)
          data_gradients[c][k] += std::sqrt(dim_) / samples_ * batch.kept[mu] * delta * batch.x[mu][k];
        error[c] = raw_rate * batch.kept[mu] * delta / samples_;
      }
      add_gradient(batch.x[mu], error, descent);
    }
    measure_expected_errors();
    signals.clear();
    for (std::size_t c = 0; c < data_gradients.size(); ++c) signals.push_back(pass(data_gradients[c], c));
    for (std::size_t l = 0; l < weights_.size(); ++l) update(l, t, descent[l]);
  }

  Vector test_losses;            // C
  Vector train_losses;           // C
  std::vector<Signals> signals;  // C  of the last step, before its update

 private:
  int outputs() const { return static_cast<int>(problem_.data.targets.size()); }
  int last_width() const { return widths_[widths_.size() - 2]; }

  void draw_weights() {
    int inputs = dim_;
    widths_.push_back(outputs());  // the readout is a matrix with one row for each output
    for (std::size_t l = 0; l < widths_.size(); ++l) {
      const auto array = training::kFirstWeightArray + static_cast<std::uint32_t>(l);
      weights_.push_back(random_rows(seed_, array, 0, widths_[l], inputs));
      if (l + 1 == widths_.size()) {
        for (int c = 0; c < outputs(); ++c)
          weights_[l][static_cast<std::size_t>(c)] =
              random_rows(seed_, training::array_of(array, 0, c), 0, 1, inputs).front();
      }
      buffers_.emplace_back(static_cast<std::size_t>(widths_[l]), Vector(static_cast<std::size_t>(inputs)));
      for (Vector& row : weights_.back()) {
        for (double& w : row) w *= problem_.network.init_scale;
      }
      inputs = widths_[l];
    }
  }

  Batch draw(int t) const {
    const Data& data = problem_.data;
    const std::uint64_t epoch =
        data.mode == DataMode::one_pass ? static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(samples_) : 0;
    Batch batch;
    batch.x = random_rows(seed_, training::kInputArray, epoch * static_cast<std::uint64_t>(dim_), samples_, dim_);
    batch.kept.resize(batch.x.size());
    training::fill_uniforms({seed_, training::kSelectionArray},
                            static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(samples_), batch.kept);
    for (double& kept : batch.kept) kept = kept < data.batch_fraction ? 1.0 / data.batch_fraction : 0.0;
    for (Vector& x : batch.x) {
      for (std::size_t k = 0; k < eigenvalues_.size(); ++k) x[k] *= std::sqrt(eigenvalues_[k]);
    }
    for (int c = 0; c < outputs(); ++c) {
      const auto array = training::array_of(training::kNoiseArray, 0, c);
      Vector& y = batch.y.emplace_back(random_rows(seed_, array, epoch, 1, samples_).front());
      for (std::size_t mu = 0; mu < y.size(); ++mu)
        y[mu] = dot(targets_[static_cast<std::size_t>(c)], batch.x[mu]) / std::sqrt(dim_) + data.noise * y[mu];
    }
    return batch;
  }

  /// Whether weight array l has a parallel skip connection and a factor b.
  bool branches(std::size_t l) const {
    return problem_.network.kind == Architecture::resnet && l > 0 && l + 1 < weights_.size();
  }

  /// The factor of products with weight array l (theory.md sections 1 and 4).
  double scale(std::size_t l) const {
    if (l + 1 == weights_.size()) return 1.0;
    double b = 1.0;
    if (branches(l)) {
      b = problem_.network.branch;
      if (problem_.network.branch_scaling == BranchScaling::depth) b /= std::sqrt(problem_.network.depth);
    }
    return b / std::sqrt(size(weights_[l].front()));
  }

  /// h^1 .. h^L and the readouts' preactivations, for one input.
  Rows activations(const std::vector<Rows>& weights, const Vector& x) const {
    Rows h{x};
    for (std::size_t l = 0; l < weights.size(); ++l) {
      Vector next;
      for (std::size_t i = 0; i < weights[l].size(); ++i)
        next.push_back((branches(l) ? h.back()[i] : 0.0) + scale(l) * dot(weights[l][i], h.back()));
      h.push_back(next);
    }
    return h;
  }

  /// Passes the data gradient forward and an output's readout backward (theory.md section 2).
  Signals pass(const Vector& u, std::size_t c) const {
    Signals out{.h = activations(weights_, u), .g = {weights_.back()[c]}};
    out.h.pop_back();
    for (std::size_t l = weights_.size() - 1; l-- > 0;) {
      const Vector& above = out.g.front();
      Vector below(weights_[l].front().size());
      for (std::size_t i = 0; i < above.size(); ++i) {
        if (branches(l)) below[i] += above[i];
        for (std::size_t k = 0; k < below.size(); ++k) below[k] += scale(l) * weights_[l][i][k] * above[i];
      }
      out.g.insert(out.g.begin(), below);
    }
    return out;
  }

  double output_scale() const { return std::sqrt(dim_) / (scales(problem_).gamma0 * last_width()); }

  /// f(x) of every output.
  Vector output(const Vector& x) const {
    Vector f = activations(weights_, x).back();
    const Vector before = activations(initial_, x).back();
    for (std::size_t c = 0; c < f.size(); ++c)
      f[c] = output_scale() * (f[c] - (problem_.network.centered ? before[c] : 0.0));
    return f;
  }

  /// Adds sum_c factor_c df_c/dW for every weight array: back-propagation of one sample.
  void add_gradient(const Vector& x, const Vector& factor, std::vector<Rows>& sum) const {
    const Rows h = activations(weights_, x);
    Vector error = factor;
    for (double& e : error) e *= output_scale();
    for (std::size_t l = weights_.size(); l-- > 0;) {
      Vector below(h[l].size());
      for (std::size_t i = 0; i < error.size(); ++i) {
        if (branches(l)) below[i] += error[i];
        for (std::size_t k = 0; k < below.size(); ++k) {
          sum[l][i][k] += scale(l) * error[i] * h[l][k];
          below[k] += scale(l) * error[i] * weights_[l][i][k];
        }
      }
      error = below;
    }
  }

  /// PyTorch's SGD, with layer_lr on the gradient.
  void update(std::size_t l, int t, const Rows& descent) {
    const Optimizer& o = problem_.optimizer;
    const double lr = o.lr.size() == 1 ? o.lr[0] : o.lr[static_cast<std::size_t>(t)];
    for (std::size_t i = 0; i < descent.size(); ++i) {
      for (std::size_t k = 0; k < descent[i].size(); ++k) {
        double& w = weights_[l][i][k];
        double& buffer = buffers_[l][i][k];
        const double direction = (o.layer_lr.empty() ? 1.0 : o.layer_lr[l]) * descent[i][k] - o.weight_decay * w;
        buffer = o.momentum * buffer + direction;
        w += lr * (o.nesterov ? direction + o.momentum * buffer : buffer);
      }
    }
  }

  /// E (w* . x / sqrt(D) - f(x))^2 of every output, from the network's outputs for the unit vectors.
  void measure_expected_errors() {
    test_losses.assign(test_losses.size(), 0.0);
    for (std::size_t k = 0; k < eigenvalues_.size(); ++k) {
      Vector unit(eigenvalues_.size());
      unit[k] = 1.0;
      const Vector f = output(unit);
      for (std::size_t c = 0; c < f.size(); ++c) {
        const double error = targets_[c][k] / std::sqrt(dim_) - f[c];
        test_losses[c] += eigenvalues_[k] * error * error;
      }
    }
  }

  Problem problem_;
  std::uint64_t seed_;
  int dim_;
  int samples_;
  std::vector<int> widths_;
  std::size_t modes_ = 0;
  Rows targets_;  // C of D
  Vector eigenvalues_;
  std::vector<Rows> weights_;
  std::vector<Rows> buffers_;
  std::vector<Rows> initial_;
};

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
  everything.network = {.depth = 3, .width = {0.5, 1.5, 0.9}, .gamma0 = 0.7, .init_scale = 0.9, .centered = true};
  everything.optimizer = {.lr = {0.05}, .momentum = 0.6, .weight_decay = 0.2, .layer_lr = {0.5, 1.0, 1.5, 0.8}};

  Problem nesterov = full;
  nesterov.network.parameterization = Parameterization::ntk;
  nesterov.optimizer = {.lr = {}, .momentum = 0.5, .nesterov = true, .weight_decay = 0.1, .layer_lr = {}};
  for (int t = 0; t < 12; ++t) nesterov.optimizer.lr.push_back(0.03 + 0.002 * t);

  Problem multi = full;
  multi.data.mode = DataMode::multi_pass;
  multi.data.batch_fraction = 0.4;

  Problem once = full;
  once.data.mode = DataMode::one_pass;

  Problem modes = full;
  modes.data.spectrum = {.eigenvalues = {1.8, 1.1, 0.4}, .target_power = {0.5, 1.2, 1.4}, .weights = {0.3, 0.5, 0.2}};

  Problem shallow = full;
  shallow.network = {.depth = 1, .width = {1.0}};
  shallow.optimizer.weight_decay = 0.3;
  return {{"full_batch", full}, {"everything", everything}, {"nesterov_schedule_ntk", nesterov}, {"multi_pass", multi},
          {"one_pass", once},   {"spectrum", modes},        {"one_layer_decay", shallow}};
}

std::vector<Case> residual_networks() {
  Problem plain = full_batch();
  plain.network = {.kind = Architecture::resnet, .depth = 4, .width = {0.8}, .gamma0 = 0.9, .branch = 1.3};

  Problem everything = plain;
  everything.network.init_scale = 0.9;
  everything.network.centered = true;
  everything.network.branch = 0.6;
  everything.network.branch_scaling = BranchScaling::constant;
  everything.data.mode = DataMode::multi_pass;
  everything.data.batch_fraction = 0.6;
  everything.optimizer = {
      .lr = {0.04}, .momentum = 0.5, .nesterov = true, .weight_decay = 0.2, .layer_lr = {0.5, 1.0, 1.5, 0.7, 0.8}};

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
  momentum.optimizer = {.lr = {0.04}, .momentum = 0.6, .weight_decay = 0.2, .layer_lr = {0.5, 1.5, 0.8}};

  Problem multi = full;
  multi.network = {.kind = Architecture::resnet, .depth = 3, .width = {0.8}, .gamma0 = 0.9, .branch = 0.7};
  multi.data.mode = DataMode::multi_pass;
  multi.data.batch_fraction = 0.4;
  multi.optimizer.momentum = 0.3;

  Problem once = full;
  once.data.mode = DataMode::one_pass;
  once.data.targets = {1.0, 0.7, 0.4};
  once.data.rotation = {};
  return {{"outputs", full}, {"outputs_momentum", momentum}, {"outputs_residual", multi}, {"outputs_one_pass", once}};
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
    for (std::size_t c = 0; c < problem.data.targets.size(); ++c) {
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

std::string name_of(const testing::TestParamInfo<Case>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(Perceptrons, Naive, testing::ValuesIn(perceptrons()), name_of);
INSTANTIATE_TEST_SUITE_P(Residual, Naive, testing::ValuesIn(residual_networks()), name_of);
INSTANTIATE_TEST_SUITE_P(Outputs, Naive, testing::ValuesIn(several_outputs()), name_of);

}  // namespace
}  // namespace lindmft
