// Ordinary training, as a comparison for the collapsed training of theory.md sections 2, 4 and 8: every sample passes
// through the network f(x), explicit gradients of (1/2P) sum over samples and outputs of Delta^2, raw learning rate eta
// gamma0^2 N_L.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lindmft/train.hpp"
#include "problem/scales.hpp"
#include "training/data/modes.hpp"
#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"

namespace lindmft::naive {

using Vector = std::vector<double>;
using Rows = std::vector<Vector>;

inline Rows random_rows(std::uint64_t seed, std::uint32_t array, std::uint64_t first, int rows, int cols) {
  Rows out;
  for (int i = 0; i < rows; ++i) {
    Vector& row = out.emplace_back(cols);
    training::fill_normals({seed, array}, first + static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(cols),
                           row);
  }
  return out;
}

inline double dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline double size(const Vector& x) { return static_cast<double>(x.size()); }

inline double squared_distance(const Vector& a, const Vector& b) {
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
    take_targets(0);
    draw_weights();
    initial_ = weights_;
    test_losses.assign(targets_.size(), 0.0);
    train_losses = test_losses;
  }

  void step(int t) {
    take_targets(t);
    samples_ = size_of_step(t);
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

  /// The Gauss-Newton part of the Hessian, in units of 1 / eta, as the matrix of the tangent kernel between the inputs
  /// whose covariance counts: all samples, or for fresh ones and the population a unit vector for each mode.
  Rows hessian() const {
    const Rows x = inputs();
    std::vector<std::vector<Rows>> gradients;
    for (const Vector& one : x) {
      gradients.push_back(buffers_);
      for (Rows& layer : gradients.back()) layer.assign(layer.size(), Vector(layer.front().size()));
      add_gradient(one, {1.0}, gradients.back());
    }
    const double gamma0 = scales(problem_).gamma0;
    const std::vector<double>& rates = problem_.optimizer.layer_lr;
    Rows out(x.size(), Vector(x.size()));
    for (std::size_t mu = 0; mu < x.size(); ++mu) {
      for (std::size_t l = 0; l < weights_.size(); ++l) {
        const double share =
            gamma0 * gamma0 * last_width() / static_cast<double>(x.size()) * (rates.empty() ? 1.0 : rates[l]);
        for (std::size_t nu = 0; nu < x.size(); ++nu) {
          for (std::size_t i = 0; i < weights_[l].size(); ++i)
            out[mu][nu] += share * dot(gradients[mu][l][i], gradients[nu][l][i]);
        }
      }
    }
    return out;
  }

  /// The labels of the same inputs, without noise.
  Vector clean_labels() const {
    Vector out;
    for (const Vector& x : inputs()) out.push_back(dot(targets_.front(), x) / std::sqrt(dim_));
    return out;
  }

  Vector test_losses;            // C
  Vector train_losses;           // C
  std::vector<Signals> signals;  // C  of the last step, before its update

 private:
  int outputs() const { return lindmft::outputs(problem_.data); }
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
        const bool zero = problem_.network.zero_readout && l + 1 == widths_.size();
        for (double& w : row) w *= zero ? 0.0 : at_step(problem_.network.init_scale, static_cast<int>(l));
      }
      inputs = widths_[l];
    }
  }

  Rows inputs() const {
    const bool fresh = problem_.data.mode == DataMode::one_pass || problem_.data.mode == DataMode::population;
    if (!fresh && samples_ > 0) return draw(0).x;
    Rows out(eigenvalues_.size(), Vector(eigenvalues_.size()));
    for (std::size_t k = 0; k < out.size(); ++k) out[k][k] = std::sqrt(dim_ * eigenvalues_[k]);
    return out;
  }

  int size_of_step(int t) const {
    const Data& data = problem_.data;
    return data.alphas.empty() ? samples_ : static_cast<int>(std::lround(at_step(data.alphas, t) * dim_));
  }

  Batch draw(int t) const {
    const Data& data = problem_.data;
    std::uint64_t first = 0;
    for (int s = 0; s < t && data.mode == DataMode::one_pass; ++s) first += static_cast<std::uint64_t>(size_of_step(s));
    Batch batch;
    batch.x = random_rows(seed_, training::kInputArray, first * static_cast<std::uint64_t>(dim_), samples_, dim_);
    batch.kept = kept(t);
    for (Vector& x : batch.x) {
      for (std::size_t k = 0; k < eigenvalues_.size(); ++k) x[k] *= std::sqrt(eigenvalues_[k]);
    }
    const Rows noise = label_noise(first);
    for (std::size_t c = 0; c < noise.size(); ++c) {
      Vector& y = batch.y.emplace_back(noise[c]);
      for (std::size_t mu = 0; mu < y.size(); ++mu) y[mu] += dot(targets_[c], batch.x[mu]) / std::sqrt(dim_);
    }
    return batch;
  }

  void take_targets(int t) {
    training::Modes modes(problem_.data, dim_, seed_);
    modes.place(t);
    targets_.clear();
    for (int c = 0; c < outputs(); ++c) {
      const auto target = modes.target(c).span();
      targets_.emplace_back(target.begin(), target.end());
    }
  }

  /// The factor of each sample's gradient in step t.
  Vector kept(int t) const {
    const Data& data = problem_.data;
    const bool shuffled = data.mode == DataMode::epochs;
    const auto draw = static_cast<std::uint64_t>(shuffled ? t / data.batches : t);
    Vector out(static_cast<std::size_t>(samples_));
    training::fill_uniforms({seed_, training::kSelectionArray}, draw * static_cast<std::uint64_t>(samples_), out);
    if (!shuffled) {
      for (double& one : out) one = one < data.batch_fraction ? 1.0 / data.batch_fraction : 0.0;
      return out;
    }
    const Vector position = out;
    const int batch = t % data.batches;
    const int first = samples_ * batch / data.batches;
    const int end = samples_ * (batch + 1) / data.batches;
    for (std::size_t mu = 0; mu < out.size(); ++mu) {
      int rank = 0;
      for (const double other : position) rank += other < position[mu] ? 1 : 0;
      out[mu] = rank >= first && rank < end ? static_cast<double>(samples_) / (end - first) : 0.0;
    }
    return out;
  }

  /// The label noise of every output, for samples from number `first` on.
  Rows label_noise(std::uint64_t first) const {
    const Data& data = problem_.data;
    Rows normals;
    for (int c = 0; c < outputs(); ++c)
      normals.push_back(
          random_rows(seed_, training::array_of(training::kNoiseArray, 0, c), first, 1, samples_).front());
    Rows out(normals.size(), Vector(static_cast<std::size_t>(samples_)));
    for (std::size_t a = 0; a < out.size(); ++a) {
      for (std::size_t b = 0; b < out.size(); ++b) {
        const double factor =
            data.noise_factor.empty() ? (a == b ? data.noise : 0.0) : data.noise_factor[a * out.size() + b];
        for (std::size_t mu = 0; mu < out[a].size(); ++mu) out[a][mu] += factor * normals[b][mu];
      }
    }
    return out;
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
    const double lr = at_step(o.lr, t);
    const double momentum = at_step(o.momentum, t);
    for (std::size_t i = 0; i < descent.size(); ++i) {
      for (std::size_t k = 0; k < descent[i].size(); ++k) {
        double& w = weights_[l][i][k];
        double& buffer = buffers_[l][i][k];
        const double direction = (o.layer_lr.empty() ? 1.0 : o.layer_lr[l]) * descent[i][k] - o.weight_decay * w;
        buffer = momentum * buffer + direction;
        w += lr * (o.nesterov ? direction + momentum * buffer : buffer);
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

}  // namespace lindmft::naive
