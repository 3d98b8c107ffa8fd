#include "training/data/trace_class.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "support/refusals.hpp"

namespace lindmft::training {
namespace {

using support::refuse;

/// The first `dim` modes in the order of the list, as fractions.
Spectrum leading(const Spectrum& all, int dim) {
  Spectrum out{.eigenvalues = {}, .target_power = {}, .weights = {}};
  const std::size_t outputs = all.targets.size() / all.weights.size();
  double found = 0.0;
  for (std::size_t k = 0; k < all.weights.size() && found < dim; ++k) {
    if (all.weights[k] != std::round(all.weights[k]))
      refuse("data.spectrum.weights[" + std::to_string(k) + "]",
             "a whole number of modes to train networks (grouped modes are for the theory)", all.weights[k]);
    const double count = std::min(all.weights[k], dim - found);
    out.eigenvalues.push_back(dim * all.eigenvalues[k]);
    out.target_power.push_back(all.target_power[k]);
    out.weights.push_back(count / dim);
    const auto row = all.targets.begin() + static_cast<std::ptrdiff_t>(k * outputs);
    out.targets.insert(out.targets.end(), row, row + static_cast<std::ptrdiff_t>(outputs));
    found += count;
  }
  if (found < dim) {
    std::ostringstream modes;
    modes << "at most the number of modes of the trace-class spectrum (" << found << ")";
    refuse("dim", modes.str(), dim);
  }
  return out;
}

}  // namespace

Problem with_ratios(const Problem& problem, int dim) {
  Problem out = problem;
  out.data.spectrum = leading(problem.data.spectrum, dim);
  if (out.data.alpha) *out.data.alpha /= dim;
  for (double& alpha : out.data.alphas) alpha /= dim;
  for (double& width : out.network.width) width /= dim;
  // NTK divides by the square root of the width, which has become the ratio already.
  if (out.network.parameterization == Parameterization::mup) out.network.gamma0 *= std::sqrt(dim);
  for (double& rate : out.optimizer.lr) rate /= dim;
  out.optimizer.weight_decay *= dim;  // a step decays weights by lr times it
  return out;
}

}  // namespace lindmft::training
