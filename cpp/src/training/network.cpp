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

void fill_weights(std::uint64_t seed, std::size_t layer, std::uint64_t first, double scale, std::span<double> out) {
  fill_normals({seed, kFirstWeightArray + static_cast<std::uint32_t>(layer)}, first, out);
  for (double& w : out) w *= scale;
}

double norm_per_entry(const PaddedVector& x) { return dot(x, x) / x.size(); }

/// 1 / sqrt(N_l), the scale of the products with W^l.
double product_scale(const PaddedMatrix& w) { return 1.0 / std::sqrt(static_cast<double>(w.cols())); }

}  // namespace

FiniteNetwork::FiniteNetwork(const Problem& problem, const std::vector<int>& sizes, std::uint64_t seed)
    : optimizer_(problem.optimizer), gamma0_(scales(problem).gamma0), multipliers_(scales(problem).lr) {
  const std::size_t depth = sizes.size() - 1;
  const double scale = problem.network.init_scale;
  for (std::size_t l = 0; l < depth; ++l) {
    PaddedMatrix& w = weights_.emplace_back(sizes[l + 1], sizes[l]);
    const auto cols = static_cast<std::uint64_t>(w.cols());
    for (int i = 0; i < w.rows(); ++i)
      fill_weights(seed, l, static_cast<std::uint64_t>(i) * cols, scale, w.row_span(i));
    if (optimizer_.momentum > 0.0) buffers_.emplace_back(w.rows(), w.cols());
  }
  readout_ = readout_buffer_ = PaddedVector(sizes.back());
  fill_weights(seed, depth, 0, scale, readout_.span());
  for (const int size : sizes) {
    h_.emplace_back(size);
    g_.emplace_back(size);
  }
  initial_ = PaddedVector(sizes.front());
  if (problem.network.centered) {
    backward();
    predictor(initial_);
  }
}

void FiniteNetwork::backward() {
  g_.back() = readout_;
  for (std::size_t l = weights_.size(); l-- > 0;)
    backward_product(weights_[l], g_[l + 1], product_scale(weights_[l]), g_[l]);
}

void FiniteNetwork::predictor(PaddedVector& w_hat) const {
  const double scale = w_hat.size() / (gamma0_ * readout_.size());  // w_hat = sqrt(D) / (gamma0 N_L) W^0^T g^1
  for (int k = 0; k < w_hat.size(); ++k) w_hat[k] = scale * g_.front()[k] - initial_[k];
}

void FiniteNetwork::forward() {
  for (std::size_t l = 0; l < weights_.size(); ++l)
    forward_product(weights_[l], h_[l], product_scale(weights_[l]), h_[l + 1]);
}

void FiniteNetwork::forward_and_update(int t) {
  for (std::size_t l = 0; l < weights_.size(); ++l) {
    PaddedMatrix& w = weights_[l];
    const LinearStep step = linear_step(optimizer_, t, multipliers_[l]);
    const double scale = product_scale(w);
    const double rank_one = gamma0_ * scale;  // G^l = gamma0 / sqrt(N_l) g^{l+1} h^l^T
    if (buffers_.empty()) {
      forward_step(w, h_[l], scale, h_[l + 1], g_[l + 1], rank_one, step);
    } else {
      forward_step(w, buffers_[l], h_[l], scale, h_[l + 1], g_[l + 1], rank_one, step);
    }
  }
  vector_step(readout_, readout_buffer_, h_.back(), gamma0_, linear_step(optimizer_, t, multipliers_.back()));
}

double FiniteNetwork::feature_norm(int l) const { return norm_per_entry(h_[static_cast<std::size_t>(l)]); }

double FiniteNetwork::gradient_norm(int l) const { return norm_per_entry(g_[static_cast<std::size_t>(l)]); }

double FiniteNetwork::chain_residual() const {
  double least = 0.0;
  double most = 0.0;
  double size = 0.0;
  for (std::size_t l = 0; l < h_.size(); ++l) {
    double sum = 0.0;
    double magnitude = 0.0;
    for (int i = 0; i < h_[l].size(); ++i) {
      const double term = g_[l][i] * h_[l][i];
      sum += term;
      magnitude += std::abs(term);
    }
    least = l == 0 ? sum : std::min(least, sum);
    most = l == 0 ? sum : std::max(most, sum);
    size = std::max(size, magnitude);
  }
  return size > 0.0 ? (most - least) / size : 0.0;
}

double FiniteNetwork::bytes(const std::vector<double>& sizes, bool momentum) {
  double matrices = 0.0;
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) matrices += padded_bytes(sizes[l + 1], sizes[l]);
  double vectors = padded_bytes(sizes.front()) + 2.0 * padded_bytes(sizes.back());
  for (const double size : sizes) vectors += 2.0 * padded_bytes(size);
  return matrices * (momentum ? 2.0 : 1.0) + vectors;
}

}  // namespace lindmft::training
