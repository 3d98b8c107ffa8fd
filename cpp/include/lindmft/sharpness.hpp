// The spectrum of the Gauss-Newton part of the Hessian along training (theory.md section 15): of N S, N the predictor's
// tangent kernel and S the covariance of the samples, in units of 1 / learning rate. Its largest eigenvalue, the
// sharpness, decides: a step with learning rate eta is locally stable while eta times the sharpness is below
// stability_threshold(), which is 2 for plain gradient descent.
#pragma once

#include <vector>

#include "lindmft/export.h"
#include "lindmft/matrix.hpp"
#include "lindmft/problem.hpp"

namespace lindmft {

/// The spectrum of one network or of the theory at k times, as Lanczos' method sees it after m steps from two start
/// vectors: the target, which sees what has been learned, and a random vector, which sees the bulk. Ritz values are in
/// descending order; their weights have sum 1. Where the method ended early, the remaining entries are NaN: there are
/// no more eigenvalues that the start vector has a part in, or, in the theory, rounding errors would change them.
struct HessianSpectrum {
  std::vector<double> time;             ///< k      the weights are those before the update of this step
  std::vector<double> sharpness;        ///< k      the largest eigenvalue
  std::vector<double> sharpness_error;  ///< k      its estimated error
  std::vector<double> bulk_edge;        ///< k      upper edge of the continuous part; theory only
  std::vector<double> bulk_edge_error;  ///< k
  Matrix target_ritz;                   ///< k x m
  Matrix target_weight;                 ///< k x m
  Matrix random_ritz;                   ///< k x m
  Matrix random_weight;                 ///< k x m

  /// Calls f(name, values...) for every array.
  template <class F, class... Spectra>
  static void for_each(F&& f, Spectra&... of) {
    f("spectrum_time", of.time...);
    f("sharpness", of.sharpness...);
    f("sharpness_error", of.sharpness_error...);
    f("bulk_edge", of.bulk_edge...);
    f("bulk_edge_error", of.bulk_edge_error...);
    f("target_ritz", of.target_ritz...);
    f("target_weight", of.target_weight...);
    f("random_ritz", of.random_ritz...);
    f("random_weight", of.random_weight...);
  }
};

/// The value of learning rate times sharpness above which steps are unstable: 2 (1 + beta) for momentum beta,
/// 2 (1 + beta) / (1 + 2 beta) for Nesterov's, minus what weight decay adds to every eigenvalue, at this step.
[[nodiscard]] LINDMFT_EXPORT double stability_threshold(const Optimizer& optimizer, int step = 0);

}  // namespace lindmft
