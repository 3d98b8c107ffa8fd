// The samples of one seed and how a step uses them (theory.md section 6), in the white coordinates of modes.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "lindmft/problem.hpp"
#include "training/padded.hpp"

namespace lindmft::training {

/// What one output of a network gets wrong, and what the samples make of it.
struct Errors {
  explicit Errors(int dim) : v(dim), s(dim), q(dim) {}

  PaddedVector v;     ///< D  discrepancy w* - w_hat
  PaddedVector s;     ///< D  the same in white coordinates, Lambda^(1/2) v / sqrt(D)
  PaddedVector q;     ///< D  mean of z Delta over the samples of a step; it estimates s
  double loss = 0.0;  ///< train loss, the mean of Delta^2
};

class Samples {
 public:
  Samples() = default;
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  virtual ~Samples() = default;

  /// From s, with residuals Delta = z . s + sigma eps, the q and the loss of step t, for any number of networks that
  /// see these samples: all outputs of the first network, then those of the next. Inputs and the choice among them are
  /// the same for all; noise is an output's own.
  virtual void gradient(int t, std::span<Errors> errors) = 0;
};

/// `count`: P, or the batch of one pass; 0 for the population. `replica`: which data set of the seed.
[[nodiscard]] std::unique_ptr<Samples> make_samples(const Data& data, int dim, int count, std::uint64_t seed,
                                                    int replica = 0);

/// Bytes that make_samples takes.
[[nodiscard]] double samples_bytes(const Data& data, int dim, double count);

}  // namespace lindmft::training
