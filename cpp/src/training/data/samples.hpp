// The samples of one data set and how a step uses them (theory.md section 6), in the white coordinates of modes.hpp.
// Every vector that meets them, one a network and output, is a row of a block: each sample is read once for all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// The label noise that one network sees, on inputs that it shares with others.
struct Labels {
  double sigma;
  std::uint32_t draw = 0;  // which independent draw of the noise
};

/// Where the samples come from: data set `replica` of a seed.
struct DataSet {
  std::uint64_t seed;
  int replica = 0;
};

template <class T>
class Samples {
 public:
  Samples() = default;
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  virtual ~Samples() = default;

  /// From s = Lambda^(1/2) v / sqrt(D), with residuals Delta = z . s + sigma eps, for step t: q, the mean of z Delta
  /// over its samples, which estimates s, and the train losses, means of Delta^2. Rows are all outputs of the first
  /// network, then those of the next. Inputs and the choice among them are the same for all; noise is an output's own.
  virtual void gradient(int t, Rows<const T> s, Rows<T> q, std::span<double> losses) = 0;
};

/// `count`: P, or the batch of one pass; 0 for the population. `labels`: an entry a network.
template <class T>
[[nodiscard]] std::unique_ptr<Samples<T>> make_samples(const Data& data, int dim, int count, DataSet origin,
                                                       const std::vector<Labels>& labels, int threads);

/// Bytes that make_samples takes, for so many networks.
[[nodiscard]] double samples_bytes(const Data& data, int dim, int count, int networks, double scalar);

}  // namespace lindmft::training
