// The samples of one seed and how a step uses them (theory.md section 6), in the white coordinates of modes.hpp.
#pragma once

#include <cstdint>
#include <memory>

#include "lindmft/problem.hpp"
#include "training/padded.hpp"

namespace lindmft::training {

class Samples {
 public:
  Samples() = default;
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  virtual ~Samples() = default;

  /// With residuals Delta = z . s + sigma eps: q = mean of z Delta over the samples that step t uses, D; it estimates
  /// s. Returns the train loss, the mean of Delta^2.
  virtual double gradient(int t, const PaddedVector& s, PaddedVector& q) = 0;
};

/// `count`: P, or the batch of one pass; 0 for the population.
[[nodiscard]] std::unique_ptr<Samples> make_samples(const Data& data, int dim, int count, std::uint64_t seed);

/// Bytes that make_samples takes.
[[nodiscard]] double samples_bytes(const Data& data, int dim, double count);

}  // namespace lindmft::training
