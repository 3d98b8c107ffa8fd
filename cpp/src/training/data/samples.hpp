// The samples of one data set and their use in a step (theory.md section 6), in the white coordinates of modes.hpp.
// There is one vector for each network and output. These vectors are the rows of a block, so that each sample is read
// once for all of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/data/stored.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// The label noise of one network, on inputs that it shares with others.
struct Labels {
  double sigma;
  std::uint32_t draw = 0;        // number of the independent draw of the noise
  std::vector<double> factor{};  // C x C  F of the noise covariance F F^T in the place of sigma; or empty

  /// The variance of the noise of one of the outputs.
  [[nodiscard]] double variance(int output, int outputs) const {
    if (factor.empty()) return sigma * sigma;
    const double* row = factor.data() + static_cast<std::ptrdiff_t>(output) * outputs;
    return std::inner_product(row, row + outputs, row, 0.0);
  }
};

/// The origin of samples: data set `replica` of a seed.
struct DataSet {
  std::uint64_t seed;
  int replica = 0;
};

/// Estimates the data gradient from samples.
template <class T>
class Samples {
 public:
  Samples() = default;
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  virtual ~Samples() = default;

  /// Computes q and the train losses of step t from s = Lambda^(1/2) v / sqrt(D). With residuals Delta = z . s + sigma
  /// eps, q is the mean of z Delta over the samples of the step, which estimates s, and the train loss is the mean of
  /// Delta^2. Rows are all outputs of the first network, then those of the next. All rows have the same inputs and
  /// selection of samples; every output has its noise.
  virtual void gradient(int t, Rows<const T> s, Rows<T> q, std::span<double> losses) = 0;

  /// The factor F of the covariance F^T F of white inputs in the expected update (theory.md section 15), rows x D. For
  /// fixed samples it is Z / sqrt(P) with all of them, for the population and fresh samples the identity.
  [[nodiscard]] virtual int factor_rows(int dim) const { return dim; }
  /// f = F s
  virtual void factor_forward(Rows<const T> s, Rows<T> f) { copy(s, f); }
  /// q = F^T f
  virtual void factor_backward(Rows<const T> f, Rows<T> q) { copy(f, q); }

 private:
  static void copy(Rows<const T> from, Rows<T> to) {
    for (int r = 0; r < from.rows; ++r) std::copy_n(from.row(r), from.width(), to.row(r));
  }
};

/// Creates the samples. `count`: P, or the batch size of one pass; 0 for the population. `labels`: one entry for each
/// network. `batches`: the sizes of one pass in every step, none above `count`; empty: `count` in all.
template <class T>
[[nodiscard]] std::unique_ptr<Samples<T>> make_samples(const Data& data, int dim, int count, DataSet origin,
                                                       const std::vector<Labels>& labels, int threads,
                                                       std::vector<int> batches = {});

/// The same with samples that the caller gave, for `networks` networks.
template <class T>
[[nodiscard]] std::unique_ptr<Samples<T>> make_samples(const Data& data,
                                                       std::shared_ptr<const StoredSamples<T>> samples, DataSet origin,
                                                       int networks, int threads);

/// Bytes that make_samples takes for `networks` networks. `given`: the samples themselves are stored elsewhere.
[[nodiscard]] double samples_bytes(const Data& data, int dim, int count, int networks, double scalar,
                                   bool given = false);

}  // namespace lindmft::training
