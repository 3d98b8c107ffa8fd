#include "problem/scales.hpp"

#include <cmath>

namespace lindmft {

namespace {

/// Number of weight arrays after the first: L, or 2 at infinite depth, where all branches share one multiplier.
std::size_t groups(const Network& network) {
  return network.depth == kInfiniteDepth ? 2 : static_cast<std::size_t>(network.depth);
}

}  // namespace

std::vector<double> layer_widths(const Network& network) {
  if (network.width.size() > 1) return network.width;
  return std::vector<double>(groups(network), network.width.front());
}

Scales scales(const Problem& problem) {
  const Network& net = problem.network;
  const std::size_t depth = groups(net);
  const std::vector<double> width = layer_widths(net);
  const double last = width.back();
  const bool infinite = std::isinf(last);

  Scales s;
  const bool scaled = net.branch_scaling == BranchScaling::depth && net.depth != kInfiniteDepth;
  s.branch = scaled ? net.branch / std::sqrt(net.depth) : net.branch;
  if (net.parameterization == Parameterization::ntk) {
    s.gamma0 = infinite ? 0.0 : net.gamma0 / std::sqrt(last);
    s.rho = 1.0 / (net.gamma0 * net.gamma0);
  } else {
    s.gamma0 = net.gamma0;
    s.rho = infinite ? 0.0 : 1.0 / (net.gamma0 * net.gamma0 * last);
  }
  s.gamma0_sq = s.gamma0 * s.gamma0;
  s.first_to_last = infinite ? 1.0 : width.front() / last;
  s.ratio.assign(depth + 1, 1.0);
  for (std::size_t l = 1; l < depth; ++l) s.ratio[l] = infinite ? 1.0 : width[l] / width[l - 1];
  for (std::size_t l = 0; l <= depth; ++l) {
    const double lr = problem.optimizer.layer_lr.empty() ? 1.0 : problem.optimizer.layer_lr[l];
    const double start = net.init_scale.size() == 1 ? 1.0 : net.init_scale[l] / init_unit(net);
    s.arrays.push_back({lr, start * start});
  }
  if (net.zero_readout) s.arrays.back().start = 0.0;
  return s;
}

}  // namespace lindmft
