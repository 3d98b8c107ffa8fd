#include "training/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "problem/scales.hpp"
#include "training/arrays.hpp"
#include "training/kernels.hpp"
#include "training/normals.hpp"

namespace lindmft::training {
namespace {

void fill_weights(Stream stream, std::uint64_t first, double scale, std::span<double> out) {
  fill_normals(stream, first, out);
  for (double& w : out) w *= scale;
}

std::uint32_t weight_array(std::size_t l) { return kFirstWeightArray + static_cast<std::uint32_t>(l); }

double norm_per_entry(const PaddedVector& x) { return dot(x, x) / x.size(); }

void add(const PaddedVector& x, PaddedVector& sum) {
  for (int i = 0; i < sum.size(); ++i) sum[i] += x[i];
}

std::vector<PaddedVector> vectors(const std::vector<int>& sizes) { return {sizes.begin(), sizes.end()}; }

/// (largest - smallest) / size of the sums g^l . h^l
double spread_of_products(const std::vector<PaddedVector>& g, const std::vector<PaddedVector>& h) {
  double least = 0.0;
  double most = 0.0;
  double size = 0.0;
  for (std::size_t l = 0; l < h.size(); ++l) {
    double sum = 0.0;
    double magnitude = 0.0;
    for (int i = 0; i < h[l].size(); ++i) {
      const double term = g[l][i] * h[l][i];
      sum += term;
      magnitude += std::abs(term);
    }
    least = l == 0 ? sum : std::min(least, sum);
    most = l == 0 ? sum : std::max(most, sum);
    size = std::max(size, magnitude);
  }
  return size > 0.0 ? (most - least) / size : 0.0;
}

}  // namespace

FiniteNetwork::FiniteNetwork(const Problem& problem, const std::vector<int>& sizes, std::uint64_t seed, int replica)
    : optimizer_(problem.optimizer),
      residual_(problem.network.kind == Architecture::resnet),
      gamma0_(scales(problem).gamma0),
      branch_(scales(problem).branch),
      multipliers_(scales(problem).lr) {
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
    weights_.emplace_back(sizes[l + 1], sizes[l]);
    if (optimizer_.momentum > 0.0) buffers_.emplace_back(sizes[l + 1], sizes[l]);
  }
  const PaddedVector last(sizes.back());
  signals_.assign(problem.data.targets.size(), {.readout = last,
                                                .readout_buffer = last,
                                                .h = vectors(sizes),
                                                .g = vectors(sizes),
                                                .initial = PaddedVector(sizes.front())});
  draw_weights(seed, replica, problem.network.init_scale);
  if (!problem.network.centered) return;
  backward();
  for (std::size_t c = 0; c < signals_.size(); ++c) {
    PaddedVector start(sizes.front());
    predictor(start, static_cast<int>(c));
    signals_[c].initial = start;
  }
}

void FiniteNetwork::draw_weights(std::uint64_t seed, int replica, double scale) {
  for (std::size_t l = 0; l < weights_.size(); ++l) {
    PaddedMatrix& w = weights_[l];
    const auto cols = static_cast<std::uint64_t>(w.cols());
    for (int i = 0; i < w.rows(); ++i) {
      const std::uint64_t first = static_cast<std::uint64_t>(i) * cols;
      fill_weights({seed, array_of(weight_array(l), replica)}, first, scale, w.row_span(i));
    }
  }
  for (std::size_t c = 0; c < signals_.size(); ++c) {
    const std::uint32_t array = array_of(weight_array(weights_.size()), replica, static_cast<int>(c));
    fill_weights({seed, array}, 0, scale, signals_[c].readout.span());
  }
}

double FiniteNetwork::product_scale(std::size_t l) const {
  return (skips(l) ? branch_ : 1.0) / std::sqrt(static_cast<double>(weights_[l].cols()));
}

void FiniteNetwork::backward() {
  for (Signals& s : signals_) s.g.back() = s.readout;
  for (std::size_t l = weights_.size(); l-- > 0;) {
    for (Signals& s : signals_) {
      backward_product(weights_[l], s.g[l + 1], product_scale(l), s.g[l]);
      if (skips(l)) add(s.g[l + 1], s.g[l]);
    }
  }
}

void FiniteNetwork::predictor(PaddedVector& w_hat, int output) const {
  const Signals& s = signals_[static_cast<std::size_t>(output)];
  const double scale = w_hat.size() / (gamma0_ * s.readout.size());  // w_hat = sqrt(D) / (gamma0 N_L) W^0^T g^1
  for (int k = 0; k < w_hat.size(); ++k) w_hat[k] = scale * s.g.front()[k] - s.initial[k];
}

void FiniteNetwork::pass_forward(std::size_t l, Layers& h) const {
  forward_product(weights_[l], h[l], product_scale(l), h[l + 1]);
  if (skips(l)) add(h[l], h[l + 1]);
}

void FiniteNetwork::forward() {
  for (std::size_t l = 0; l < weights_.size(); ++l) {
    for (Signals& s : signals_) pass_forward(l, s.h);
  }
}

void FiniteNetwork::forward_and_update(int t) {
  for (std::size_t l = 0; l < weights_.size(); ++l) {
    // All products are taken with the array before its update; the first output's comes with the update.
    for (std::size_t c = 1; c < signals_.size(); ++c) pass_forward(l, signals_[c].h);
    update_array(l, t);
  }
  const LinearStep step = linear_step(optimizer_, t, multipliers_.back());
  for (Signals& s : signals_) vector_step(s.readout, s.readout_buffer, s.h.back(), gamma0_, step);
}

/// G^l = sum over outputs of gamma0 b_l / sqrt(N_l) g^{l+1} h^l^T. The step is linear in it: the first output's pass
/// also does what a step does without a gradient, the others add to it.
void FiniteNetwork::update_array(std::size_t l, int t) {
  PaddedMatrix& w = weights_[l];
  const LinearStep step = linear_step(optimizer_, t, multipliers_[l]);
  const double scale = product_scale(l);
  const double rank_one = gamma0_ * scale;
  Signals& first = signals_.front();
  if (buffers_.empty()) {
    forward_step(w, first.h[l], scale, first.h[l + 1], first.g[l + 1], rank_one, step);
  } else {
    forward_step(w, buffers_[l], first.h[l], scale, first.h[l + 1], first.g[l + 1], rank_one, step);
  }
  if (skips(l)) add(first.h[l], first.h[l + 1]);
  for (std::size_t c = 1; c < signals_.size(); ++c) {
    const Signals& s = signals_[c];
    add_outer(w, s.g[l + 1], s.h[l], step.gain * rank_one);
    if (!buffers_.empty()) add_outer(buffers_[l], s.g[l + 1], s.h[l], step.feed * rank_one);
  }
}

double FiniteNetwork::feature_norm(int l) const {
  double sum = 0.0;
  for (const Signals& s : signals_) sum += norm_per_entry(s.h[static_cast<std::size_t>(l)]);
  return sum;
}

double FiniteNetwork::gradient_norm(int l) const {
  double sum = 0.0;
  for (const Signals& s : signals_) sum += norm_per_entry(s.g[static_cast<std::size_t>(l)]);
  return sum;
}

double FiniteNetwork::chain_residual() const {
  double largest = 0.0;
  for (const Signals& s : signals_) {
    const double spread = spread_of_products(s.g, s.h);
    if (std::isnan(spread)) return spread;
    largest = std::max(largest, spread);
  }
  return largest;
}

double FiniteNetwork::kernel(const PaddedVector& x) {
  if (probe_.empty()) {
    for (const PaddedVector& h : signals_.front().h) probe_.emplace_back(h.size());
  }
  probe_.front() = x;
  for (std::size_t l = 0; l < weights_.size(); ++l) pass_forward(l, probe_);
  return kernel(probe_);
}

// Array l moves by eta c_l gamma0 b_l / sqrt(N_l) g^{l+1} h_u^l^T and the answer to x, sqrt(D) / (gamma0 N_L) w^L .
// h_x^L, by sqrt(D) / (gamma0 N_L) b_l / sqrt(N_l) g^{l+1} . dW^l h_x^l for it: eta x . NTK u / sqrt(D) in all, with
// NTK = D / N_L sum_l c_l b_l^2 |g^{l+1}|^2 / N_l h_x^l . h_u^l; the readout is array L, with 1 for |g|^2.
double FiniteNetwork::kernel(const Layers& h) const {
  const double size = norm_per_entry(h.front());
  if (size == 0.0) return 0.0;
  const Layers& g = signals_.front().g;
  double sum = multipliers_.back() * norm_per_entry(h.back());
  for (std::size_t l = 0; l < weights_.size(); ++l) {
    const double branch = skips(l) ? branch_ : 1.0;
    const double growth = static_cast<double>(g[l + 1].size()) / g.back().size();
    sum += multipliers_[l] * branch * branch * growth * norm_per_entry(g[l + 1]) * norm_per_entry(h[l]);
  }
  return sum / size;
}

double FiniteNetwork::bytes(const std::vector<double>& sizes, const Problem& problem, bool kernels) {
  double matrices = 0.0;
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) matrices += padded_bytes(sizes[l + 1], sizes[l]);
  double layers = 0.0;
  for (const double size : sizes) layers += padded_bytes(size);
  const double output = padded_bytes(sizes.front()) + 2.0 * padded_bytes(sizes.back()) + 2.0 * layers;
  return matrices * (problem.optimizer.momentum > 0.0 ? 2.0 : 1.0) +
         output * static_cast<double>(problem.data.targets.size()) + (kernels ? layers : 0.0);
}

}  // namespace lindmft::training
