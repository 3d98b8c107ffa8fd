#include "training/run/grouping.hpp"

#include <algorithm>
#include <utility>

namespace lindmft::training {
namespace {

bool same_spectrum(const Spectrum& a, const Spectrum& b) {
  return a.eigenvalues == b.eigenvalues && a.target_power == b.target_power && a.weights == b.weights &&
         a.targets == b.targets;
}

/// Whether the data are the same up to the size of the noise and its covariance.
bool same_data(const Data& a, const Data& b) {
  return a.mode == b.mode && a.alphas == b.alphas && a.batch_fraction == b.batch_fraction && a.batches == b.batches &&
         a.targets == b.targets && a.rotation == b.rotation && a.switch_at == b.switch_at &&
         a.switch_overlap == b.switch_overlap && a.switch_strength == b.switch_strength &&
         same_spectrum(a.spectrum, b.spectrum);
}

/// Whether the networks of two plans share initial weights and inputs.
bool shares_weights_with(const Plan& a, const Plan& b) {
  return a.sizes == b.sizes && a.samples == b.samples && a.feature_scale == b.feature_scale &&
         a.members.front().problem.network.kind == b.members.front().problem.network.kind &&
         same_data(a.data(), b.data());
}

}  // namespace

void add_to_groups(Plan plan, std::vector<Plan>& groups) {
  const auto group = std::ranges::find_if(groups, [&](const Plan& g) { return shares_weights_with(g, plan); });
  if (group == groups.end()) {
    groups.push_back(std::move(plan));
  } else {
    group->members.push_back(std::move(plan.members.front()));
  }
}

}  // namespace lindmft::training
