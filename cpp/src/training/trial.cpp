#include "training/trial.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "support/divergence.hpp"
#include "training/arrays.hpp"
#include "training/kernels.hpp"
#include "training/normals.hpp"

namespace lindmft::training {
namespace {

/// The largest value that does not count as divergence.
double threshold(double initial_loss) {
  return support::kDivergence * (std::isfinite(initial_loss) ? std::max(1.0, initial_loss) : 1.0);
}

}  // namespace

Trial::Trial(const Plan& plan, std::uint64_t seed)
    : outputs_(plan.outputs()),
      kernels_(plan.kernels),
      feature_scale_(plan.feature_scale),
      modes_(plan.problem.data, plan.dim(), seed),
      errors_(static_cast<std::size_t>(plan.k_init) * static_cast<std::size_t>(plan.k_data * plan.outputs()),
              Errors(plan.dim())) {
  networks_.reserve(static_cast<std::size_t>(plan.k_init) * static_cast<std::size_t>(plan.k_data));
  for (int j = 0; j < plan.k_data; ++j) {
    samples_.push_back(make_samples(plan.problem.data, plan.dim(), plan.samples, seed, j));
    for (int i = 0; i < plan.k_init; ++i) networks_.emplace_back(plan.problem, plan.sizes, seed, i);
  }
  readings_.resize(networks_.size());
  for (Reading& r : readings_) {
    r.feature_norm.resize(static_cast<std::size_t>(plan.depth()));
    r.gradient_norm.resize(static_cast<std::size_t>(plan.depth()));
  }
  if (!kernels_) return;
  weighted_target_ = modes_.weighted_target();
  probe_ = PaddedVector(plan.dim());
  fill_normals({seed, kProbeArray}, 0, probe_.span());
}

void Trial::step(int t, bool update) {
  evaluate();
  if (kernels_) probe_kernels();
  const std::size_t group = errors_.size() / samples_.size();  // the errors on one data set
  for (std::size_t j = 0; j < samples_.size(); ++j)
    samples_[j]->gradient(t, std::span(errors_).subspan(j * group, group));
  for (int i = 0; i < count(); ++i) {
    FiniteNetwork& network = networks_[static_cast<std::size_t>(i)];
    for (int c = 0; c < outputs_; ++c) modes_.color(errors(i, c).q, network.input(c));
    if (update) {
      network.forward_and_update(t);
    } else {
      network.forward();
    }
    read(i);
  }
  if (!limits_.empty()) return;
  for (const Reading& r : readings_) limits_.push_back(threshold(r.test_loss));
}

/// The discrepancies of all networks.
void Trial::evaluate() {
  for (int i = 0; i < count(); ++i) {
    FiniteNetwork& network = networks_[static_cast<std::size_t>(i)];
    network.backward();
    for (int c = 0; c < outputs_; ++c) {
      Errors& e = own(i, c);
      network.predictor(e.v, c);
      for (int k = 0; k < e.v.size(); ++k) e.v[k] = modes_.target(c)[k] - e.v[k];
      modes_.whiten(e.v, e.s);
    }
  }
}

/// Where a forward pass of its own is needed, and the weights are those from before the update.
void Trial::probe_kernels() {
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    readings_[i].kernel_target = networks_[i].kernel(weighted_target_);
    readings_[i].kernel_scale = networks_[i].kernel(probe_);
  }
}

void Trial::read(int i) {
  const FiniteNetwork& network = networks_[static_cast<std::size_t>(i)];
  Reading& r = readings_[static_cast<std::size_t>(i)];
  r.test_loss = overlap(i, i);
  r.train_loss = 0.0;
  for (int c = 0; c < outputs_; ++c) r.train_loss += errors(i, c).loss;
  r.chain_residual = network.chain_residual();
  for (std::size_t l = 0; l < r.feature_norm.size(); ++l) {
    r.feature_norm[l] = feature_scale_ * network.feature_norm(static_cast<int>(l) + 1);
    r.gradient_norm[l] = network.gradient_norm(static_cast<int>(l) + 1);
  }
  if (kernels_) r.kernel_gradient = network.kernel();
}

double Trial::overlap(int a, int b) const {
  double sum = 0.0;
  for (int c = 0; c < outputs_; ++c) sum += dot(errors(a, c).s, errors(b, c).s);
  return sum;
}

bool Trial::diverged() const {
  for (std::size_t i = 0; i < readings_.size(); ++i) {
    if (!readings_[i].within(limits_[i])) return true;
  }
  return false;
}

bool Reading::within(double limit) const {
  const auto small = [&](double x) { return x <= limit; };  // false for nan
  return small(test_loss) && small(train_loss) && small(chain_residual) && std::ranges::all_of(feature_norm, small) &&
         std::ranges::all_of(gradient_norm, small) && std::isfinite(kernel_gradient) && std::isfinite(kernel_target) &&
         std::isfinite(kernel_scale);
}

}  // namespace lindmft::training
