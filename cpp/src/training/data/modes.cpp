#include "training/data/modes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"

namespace lindmft::training {
namespace {

/// The target of a channel: `norm` times the modes' sizes, with random signs.
PaddedVector channel(const PaddedVector& size, double norm, Stream signs) {
  PaddedVector out(size.size());
  fill_uniforms(signs, 0, out.span());
  for (int k = 0; k < out.size(); ++k) out[k] = out[k] < 0.5 ? norm * size[k] : -norm * size[k];
  return out;
}

/// The targets of the channels that do not share modes.
std::vector<PaddedVector> channels(const Data& data, const std::vector<int>& mode, std::uint64_t seed) {
  PaddedVector size(static_cast<int>(mode.size()));
  for (int i = 0; i < size.size(); ++i)
    size[i] = std::sqrt(data.spectrum.target_power[static_cast<std::size_t>(mode[static_cast<std::size_t>(i)])]);
  std::vector<PaddedVector> out;
  for (std::size_t c = 0; c < data.targets.size(); ++c)
    out.push_back(channel(size, data.targets[c], {seed, array_of(kTargetArray, 0, static_cast<int>(c))}));
  return out;
}

/// The targets of outputs that share modes: one sign for all outputs of a coordinate.
std::vector<PaddedVector> shared_targets(const Data& data, const std::vector<int>& mode, std::uint64_t seed) {
  const auto dim = static_cast<int>(mode.size());
  const auto count = static_cast<std::size_t>(outputs(data));
  PaddedVector sign(dim);
  fill_uniforms(Stream{seed, array_of(kTargetArray, 0)}, 0, sign.span());
  std::vector<PaddedVector> out(count, PaddedVector(dim));
  for (int i = 0; i < dim; ++i) {
    const std::size_t row = static_cast<std::size_t>(mode[static_cast<std::size_t>(i)]) * count;
    for (std::size_t c = 0; c < count; ++c)
      out[c][i] = sign[i] < 0.5 ? data.spectrum.targets[row + c] : -data.spectrum.targets[row + c];
  }
  return out;
}

/// The targets of outputs: output a is sum_j rotation[a C + j] channel j.
std::vector<PaddedVector> rotated(const std::vector<double>& rotation, const std::vector<PaddedVector>& channels) {
  const std::size_t outputs = channels.size();
  std::vector<PaddedVector> out(outputs, PaddedVector(channels.front().size()));
  for (std::size_t a = 0; a < outputs; ++a) {
    for (std::size_t j = 0; j < outputs; ++j) {
      for (int k = 0; k < out[a].size(); ++k) out[a][k] += rotation[a * outputs + j] * channels[j][k];
    }
  }
  return out;
}

}  // namespace

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
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return remainder[a] != remainder[b] ? remainder[a] > remainder[b] : a < b;
  });
  int missing = dim - std::accumulate(counts.begin(), counts.end(), 0);
  for (std::size_t i = 0; missing > 0; ++i, --missing) ++counts[order[i % order.size()]];
  return counts;
}

Modes::Modes(const Data& data, int dim, std::uint64_t seed)
    : counts_(mode_counts(data.spectrum.weights, dim)), root_(dim), switch_at_(data.switch_at) {
  const Spectrum& spectrum = data.spectrum;
  std::vector<int> mode;  // D  index of each coordinate's mode
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    for (int i = 0; i < counts_[k]; ++i) {
      root_[static_cast<int>(mode.size())] = std::sqrt(spectrum.eigenvalues[k]);
      mode.push_back(static_cast<int>(k));
    }
  }
  targets_ = spectrum.targets.empty() ? channels(data, mode, seed) : shared_targets(data, mode, seed);
  if (!data.rotation.empty()) targets_ = rotated(data.rotation, targets_);
  if (lindmft::has_second_target(data)) make_second_targets(data, seed);
}

/// Every component is strength (overlap w + sqrt(1 - overlap^2) (+- w)). The signs have random order and come in pairs
/// of opposite ones within a mode, so that inner products fluctuate as little as those of the first target.
void Modes::make_second_targets(const Data& data, std::uint64_t seed) {
  PaddedVector uniforms(root_.size());
  fill_uniforms(Stream{seed, array_of(kSecondTargetArray, 0)}, 0, uniforms.span());
  const double across = std::sqrt(1.0 - data.switch_overlap * data.switch_overlap);
  second_targets_ = targets_;
  int begin = 0;
  for (const int count : counts_) {
    for (int i = 0; i < count; ++i) {
      const bool up = uniforms[begin + i / 2 * 2] < 0.5;
      const double sign = up == (i % 2 == 0) ? 1.0 : -1.0;
      for (PaddedVector& w : second_targets_)
        w[begin + i] *= data.switch_strength * (data.switch_overlap + across * sign);
    }
    begin += count;
  }
}

PaddedVector Modes::weighted_target(int output) const {
  PaddedVector x = target(output);
  for (int k = 0; k < x.size(); ++k) x[k] *= root_[k] * root_[k];
  return x;
}

template <class T>
void Modes::whiten(const T* w_hat, int output, T* s) const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(root_.size()));
  const PaddedVector& w = target(output);
  for (int k = 0; k < root_.size(); ++k)
    s[k] = static_cast<T>(scale * root_[k] * (w[k] - static_cast<double>(w_hat[k])));
}

template <class T>
double Modes::first_task_loss(const T* s, int output) const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(root_.size()));
  const PaddedVector& first = targets_[static_cast<std::size_t>(output)];
  const PaddedVector& now = target(output);
  double sum = 0.0;
  for (int k = 0; k < root_.size(); ++k) {
    const double x = static_cast<double>(s[k]) + scale * root_[k] * (first[k] - now[k]);
    sum += x * x;
  }
  return sum;
}

template <class T>
void Modes::color(const T* q, T* u) const {
  const double scale = std::sqrt(static_cast<double>(root_.size()));
  for (int k = 0; k < root_.size(); ++k) u[k] = static_cast<T>(scale * root_[k] * static_cast<double>(q[k]));
}

template <class T>
void Modes::add_by_mode(const T* s, int output, std::vector<ModeSums>& sums) const {
  const double scale = std::sqrt(static_cast<double>(root_.size()));
  const PaddedVector& w = target(output);
  int at = 0;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    for (const int end = at + counts_[k]; at < end; ++at) {
      const auto x = static_cast<double>(s[at]);
      sums[k].loss += x * x;
      sums[k].target += w[at] * w[at];
      if (root_[at] > 0.0) sums[k].learned += w[at] * (w[at] - scale * x / root_[at]);
    }
  }
}

template void Modes::whiten(const double*, int, double*) const;
template void Modes::whiten(const float*, int, float*) const;
template double Modes::first_task_loss(const double*, int) const;
template double Modes::first_task_loss(const float*, int) const;
template void Modes::color(const double*, double*) const;
template void Modes::color(const float*, float*) const;
template void Modes::add_by_mode(const double*, int, std::vector<ModeSums>&) const;
template void Modes::add_by_mode(const float*, int, std::vector<ModeSums>&) const;

}  // namespace lindmft::training
