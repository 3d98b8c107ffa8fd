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
      depth_(plan.depth()),
      kernels_(plan.kernels),
      modes_(plan.problem.data, plan.dim(), seed),
      errors_(static_cast<std::size_t>(plan.k_init) * static_cast<std::size_t>(plan.k_data * plan.outputs()),
              Errors(plan.dim())) {
  networks_.reserve(static_cast<std::size_t>(plan.k_init) * static_cast<std::size_t>(plan.k_data));
  for (int j = 0; j < plan.k_data; ++j) {
    samples_.push_back(make_samples(plan.problem.data, plan.dim(), plan.samples, seed, j));
    for (int i = 0; i < plan.k_init; ++i) networks_.emplace_back(plan.problem, plan.sizes, seed, i);
  }
  if (!kernels_) return;
  weighted_target_ = modes_.weighted_target();
  probe_ = PaddedVector(plan.dim());
  fill_normals({seed, kProbeArray}, 0, probe_.span());
}

void Trial::step(int t, bool update) {
  evaluate();
  const std::size_t group = errors_.size() / samples_.size();  // the errors on one data set
  for (std::size_t j = 0; j < samples_.size(); ++j)
    samples_[j]->gradient(t, std::span(errors_).subspan(j * group, group));
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    FiniteNetwork& network = networks_[i];
    for (int c = 0; c < outputs_; ++c) modes_.color(errors(static_cast<int>(i), c).q, network.input(c));
    if (update) {
      network.forward_and_update(t);
    } else {
      network.forward();
    }
  }
}

/// The discrepancies of all networks, and what is known of their kernels before the data are looked at.
void Trial::evaluate() {
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    networks_[i].backward();
    for (int c = 0; c < outputs_; ++c) {
      Errors& e = errors_[i * static_cast<std::size_t>(outputs_) + static_cast<std::size_t>(c)];
      networks_[i].predictor(e.v, c);
      for (int k = 0; k < e.v.size(); ++k) e.v[k] = modes_.target(c)[k] - e.v[k];
      modes_.whiten(e.v, e.s);
    }
  }
  if (limits_.empty()) {
    for (int i = 0; i < static_cast<int>(networks_.size()); ++i) limits_.push_back(threshold(overlap(i, i)));
  }
  if (!kernels_) return;
  kernel_target_ = networks_.front().kernel(weighted_target_);
  kernel_scale_ = networks_.front().kernel(probe_);
}

double Trial::overlap(int a, int b) const {
  double sum = 0.0;
  for (int c = 0; c < outputs_; ++c) sum += dot(errors(a, c).s, errors(b, c).s);
  return sum;
}

double Trial::train_loss(int i) const {
  double sum = 0.0;
  for (int c = 0; c < outputs_; ++c) sum += errors(i, c).loss;
  return sum;
}

bool Trial::diverged() const {
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    if (!within(static_cast<int>(i), limits_[i])) return true;
  }
  return kernels_ &&
         !(std::isfinite(kernel_target_) && std::isfinite(kernel_scale_) && std::isfinite(networks_.front().kernel()));
}

bool Trial::within(int i, double limit) const {
  const FiniteNetwork& n = network(i);
  bool good = overlap(i, i) <= limit && train_loss(i) <= limit && n.chain_residual() <= limit;  // false for nan
  for (int l = 1; l <= depth_; ++l) good = good && n.feature_norm(l) <= limit && n.gradient_norm(l) <= limit;
  return good;
}

}  // namespace lindmft::training
