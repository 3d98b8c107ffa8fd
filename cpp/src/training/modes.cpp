#include "training/modes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "training/arrays.hpp"
#include "training/normals.hpp"

namespace lindmft::training {

std::vector<int> mode_counts(const std::vector<double>& weights, int dim) {
  std::vector<int> counts(weights.size());
  std::vector<double> remainder(weights.size());
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double share = weights[k] * dim;
    counts[k] = static_cast<int>(share);
    remainder[k] = share - counts[k];
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  int missing = dim - std::accumulate(counts.begin(), counts.end(), 0);
  for (std::size_t i = 0; missing > 0; ++i, --missing) ++counts[order[i % order.size()]];
  return counts;
}

Modes::Modes(const Spectrum& spectrum, int dim, std::uint64_t seed) : root_(dim), target_(dim) {
  fill_uniforms({seed, kTargetArray}, 0, target_.span());
  const std::vector<int> counts = mode_counts(spectrum.weights, dim);
  int i = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const double root = std::sqrt(spectrum.eigenvalues[k]);
    const double size = std::sqrt(spectrum.target_power[k]);
    for (const int end = i + counts[k]; i < end; ++i) {
      root_[i] = root;
      target_[i] = target_[i] < 0.5 ? size : -size;
    }
  }
}

void Modes::whiten(const PaddedVector& v, PaddedVector& s) const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(v.size()));
  for (int k = 0; k < v.size(); ++k) s[k] = scale * root_[k] * v[k];
}

void Modes::color(const PaddedVector& q, PaddedVector& u) const {
  const double scale = std::sqrt(static_cast<double>(q.size()));
  for (int k = 0; k < q.size(); ++k) u[k] = scale * root_[k] * q[k];
}

}  // namespace lindmft::training
