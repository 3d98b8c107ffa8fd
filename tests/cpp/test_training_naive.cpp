// The collapsed training of theory.md section 2 against the thing itself: every sample pushed through the network f(x),
// explicit gradients of (1/2P) sum Delta^2, raw learning rate eta gamma0^2 N_L.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "lindmft/train.hpp"
#include "problem/scales.hpp"
#include "training/arrays.hpp"
#include "training/modes.hpp"
#include "training/normals.hpp"

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

struct Batch {
  Rows x;       // inputs
  Vector y;     // labels
  Vector kept;  // what a sample's gradient is multiplied by
};

class NaiveTraining {
 public:
  NaiveTraining(const Problem& problem, const Ensemble& like)
      : problem_(problem), seed_(like.seeds.front()), dim_(like.dim), samples_(like.samples), widths_(like.widths) {
    const training::Modes modes(problem.data, dim_, seed_);
    target_.assign(modes.target().span().begin(), modes.target().span().end());
    for (const int count : training::mode_counts(problem.data.spectrum.weights, dim_)) {
      eigenvalues_.insert(eigenvalues_.end(), static_cast<std::size_t>(count),
                          problem.data.spectrum.eigenvalues[modes_++]);
    }
    int inputs = dim_;
    widths_.push_back(1);  // the readout is a matrix with one row
    for (std::size_t l = 0; l < widths_.size(); ++l) {
      weights_.push_back(
          random_rows(seed_, training::kFirstWeightArray + static_cast<std::uint32_t>(l), 0, widths_[l], inputs));
      buffers_.emplace_back(static_cast<std::size_t>(widths_[l]), Vector(static_cast<std::size_t>(inputs)));
      for (Vector& row : weights_.back()) {
        for (double& w : row) w *= problem.network.init_scale;
      }
      inputs = widths_[l];
    }
    initial_ = weights_;
  }

  void step(int t) {
    const Batch batch = draw(t);
    const double gamma0 = scales(problem_).gamma0;
    std::vector<Rows> descent = buffers_;
    for (Rows& layer : descent) {
      for (Vector& row : layer) row.assign(row.size(), 0.0);
    }
    train_loss = 0.0;
    for (std::size_t mu = 0; mu < batch.x.size(); ++mu) {
      const double delta = batch.y[mu] - output(batch.x[mu]);
      train_loss += delta * delta / samples_;
      const double raw_rate = gamma0 * gamma0 * widths_[widths_.size() - 2];
      add_gradient(batch.x[mu], raw_rate * batch.kept[mu] * delta / samples_, descent);
    }
    test_loss = expected_error();
    for (std::size_t l = 0; l < weights_.size(); ++l) update(l, t, descent[l]);
  }

  double test_loss = 0.0;
  double train_loss = 0.0;

 private:
  Batch draw(int t) const {
    const Data& data = problem_.data;
    const std::uint64_t epoch =
        data.mode == DataMode::one_pass ? static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(samples_) : 0;
    Batch batch;
    batch.x = random_rows(seed_, training::kInputArray, epoch * static_cast<std::uint64_t>(dim_), samples_, dim_);
    batch.y = random_rows(seed_, training::kNoiseArray, epoch, 1, samples_).front();
    batch.kept.resize(batch.y.size());
    training::fill_uniforms({seed_, training::kSelectionArray},
                            static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(samples_), batch.kept);
    for (std::size_t mu = 0; mu < batch.x.size(); ++mu) {
      for (std::size_t k = 0; k < eigenvalues_.size(); ++k) batch.x[mu][k] *= std::sqrt(eigenvalues_[k]);
      batch.y[mu] = dot(target_, batch.x[mu]) / std::sqrt(dim_) + data.noise * batch.y[mu];
      batch.kept[mu] = batch.kept[mu] < data.batch_fraction ? 1.0 / data.batch_fraction : 0.0;
    }
    return batch;
  }

  /// h^1 .. h^L and the readout's preactivation, for one input: theory.md section 1.
  static Rows activations(const std::vector<Rows>& weights, const Vector& x) {
    Rows h{x};
    for (const Rows& w : weights) {
      const bool readout = w.size() == 1 && &w == &weights.back();
      Vector next;
      for (const Vector& row : w) next.push_back(dot(row, h.back()) / (readout ? 1.0 : std::sqrt(size(h.back()))));
      h.push_back(next);
    }
    return h;
  }

  double output_scale() const { return std::sqrt(dim_) / (scales(problem_).gamma0 * widths_[widths_.size() - 2]); }

  double output(const Vector& x) const {
    const double now = activations(weights_, x).back().front();
    const double before = problem_.network.centered ? activations(initial_, x).back().front() : 0.0;
    return output_scale() * (now - before);
  }

  /// Add factor df/dW of every weight array: back-propagation through one sample.
  void add_gradient(const Vector& x, double factor, std::vector<Rows>& sum) const {
    const Rows h = activations(weights_, x);
    Vector error{factor * output_scale()};
    for (std::size_t l = weights_.size(); l-- > 0;) {
      const double scale = l + 1 == weights_.size() ? 1.0 : 1.0 / std::sqrt(size(h[l]));
      Vector below(h[l].size());
      for (std::size_t i = 0; i < error.size(); ++i) {
        for (std::size_t k = 0; k < below.size(); ++k) {
          sum[l][i][k] += scale * error[i] * h[l][k];
          below[k] += scale * error[i] * weights_[l][i][k];
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

  /// E (w* . x / sqrt(D) - f(x))^2 from the network's answers to the unit vectors.
  double expected_error() const {
    double sum = 0.0;
    for (std::size_t k = 0; k < eigenvalues_.size(); ++k) {
      Vector unit(eigenvalues_.size());
      unit[k] = 1.0;
      const double error = target_[k] / std::sqrt(dim_) - output(unit);
      sum += eigenvalues_[k] * error * error;
    }
    return sum;
  }

  Problem problem_;
  std::uint64_t seed_;
  int dim_;
  int samples_;
  std::vector<int> widths_;
  std::size_t modes_ = 0;
  Vector target_;
  Vector eigenvalues_;
  std::vector<Rows> weights_;
  std::vector<Rows> buffers_;
  std::vector<Rows> initial_;
};

struct Case {
  std::string name;
  Problem problem;
};

std::vector<Case> cases() {
  Problem full;
  full.network = {.depth = 2, .width = {0.7, 1.2}, .gamma0 = 0.8};
  full.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  full.optimizer.lr = {0.05};

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

class Naive : public testing::TestWithParam<Case> {};

TEST_P(Naive, TrajectoriesAgree) {
  constexpr int kSteps = 12;
  const Problem& problem = GetParam().problem;
  const Ensemble fast = train(problem, kSteps, {.dim = 13, .seeds = {42}, .threads = 1});
  NaiveTraining naive(problem, fast);
  for (int t = 0; t < kSteps; ++t) {
    naive.step(t);
    EXPECT_NEAR(fast.test_loss(0, t), naive.test_loss, 1e-12 * naive.test_loss) << "step " << t;
    EXPECT_NEAR(fast.train_loss(0, t), naive.train_loss, 1e-12 * naive.train_loss) << "step " << t;
    EXPECT_LT(fast.chain_residual(0, t), 1e-12) << "step " << t;
  }
  EXPECT_LT(fast.test_loss(0, kSteps - 1), 0.9 * fast.test_loss(0, 0)) << "the comparison should see some learning";
}

INSTANTIATE_TEST_SUITE_P(Problems, Naive, testing::ValuesIn(cases()), [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lindmft
