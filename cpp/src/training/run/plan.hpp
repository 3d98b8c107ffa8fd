// The plan of a call to train(), train_many() or train_replicas(), made and checked before anything is allocated.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lindmft/problem.hpp"
#include "lindmft/train.hpp"
#include "training/data/stored.hpp"
#include "training/network/network.hpp"
#include "training/weights/method.hpp"

namespace lindmft::training {

/// One of the problems that are trained together.
struct Member {
  Problem problem;  ///< with ratios to D in the place of counts
  std::uint32_t noise_draw = 0;
  int index = 0;  ///< among the results
};

/// Networks that are trained together, for every seed.
struct Plan {
  std::vector<Member> members;  ///< alike in sizes, data and architecture
  int steps;
  std::vector<int> sizes;  ///< D, N_1 .. N_L
  int samples;             ///< P, or the largest batch of one pass; 0 for the population
  std::vector<std::uint64_t> seeds;
  int k_init = 1;        ///< initializations of a seed
  int k_data = 1;        ///< data sets of a seed
  Extras extras{};       ///< what is recorded besides losses and norms
  double feature_scale;  ///< what |h^l|^2 / N_l is multiplied by; not 1 for trace-class spectra
  Precision precision;
  Schedule schedule{};
  int threads = 1;                 ///< within the passes of a seed
  double seed_bytes = 0.0;         ///< of everything but the results, for one seed
  double series = 0.0;             ///< numbers that a step of a seed leaves for every member
  int stop = 0;                    ///< the step before which to stop: `steps`, or earlier
  bool keep_state = false;         ///< what the seeds that are left at `stop` can be resumed from
  std::vector<int> spectrum_at{};  ///< steps before which the spectrum of the Hessian is computed, in ascending order
  std::vector<double> average{};   ///< shares of the steps in averaged weights, TrainOptions::average
  int lanczos = 0;                 ///< steps of Lanczos' method for it
  std::vector<int> batches{};      ///< batches of one pass in every step; empty: all of the same size
  const GivenSamples* given = nullptr;  ///< samples in the place of random ones, of the options
  Stored stored{};                      ///< the same in the networks' precision, once memory was checked
  bool weights = false;                 ///< keep the trained weights
  std::vector<std::string> starts{};    ///< states of the seeds, empty for the initial weights; or no entries

  [[nodiscard]] int runs() const { return static_cast<int>(seeds.size()); }
  /// The first step of a seed
  [[nodiscard]] int first(int seed) const;
  [[nodiscard]] int dim() const { return sizes.front(); }
  [[nodiscard]] int depth() const { return static_cast<int>(sizes.size()) - 1; }
  [[nodiscard]] int outputs() const { return lindmft::outputs(data()); }
  [[nodiscard]] int modes() const { return static_cast<int>(data().spectrum.eigenvalues.size()); }
  [[nodiscard]] int count() const { return static_cast<int>(members.size()); }
  [[nodiscard]] const Data& data() const { return members.front().problem.data; }
  [[nodiscard]] double scalar() const { return precision == Precision::float64 ? 8.0 : 4.0; }
  /// The factor of w_hat . x in f(x), for inputs x as the caller has them: 1 for trace-class spectra, which are trained
  /// as ordinary ones with inputs sqrt(D) x.
  [[nodiscard]] double predictor_scale() const { return 1.0 / std::sqrt(dim() * feature_scale); }
  /// The cost of `steps_done` steps of a seed's networks.
  [[nodiscard]] Work work(int steps_done) const;
};

/// All that a call does: plans are independent of each other, and so are the seeds of each.
struct Call {
  std::vector<Plan> plans;
  int threads;   ///< seeds at a time
  double bytes;  ///< at the peak: `threads` of the largest seeds, and the results

  /// Of all kinds
  [[nodiscard]] int total_threads() const { return threads * plans.front().threads; }
};

/// Throws BadInput. Memory: where more than `limit` bytes would be needed, fewer seeds at a time and fewer
/// networks in a plan, but at least one; what that takes is for the caller to compare with the limit.
[[nodiscard]] Call make_call(const Problem& problem, int steps, const TrainOptions& options, double limit);
[[nodiscard]] Call make_call(std::span<const Problem> problems, int steps, const TrainOptions& options, double limit);
[[nodiscard]] Call make_replica_call(const Problem& problem, int steps, const TrainOptions& options, double limit);

}  // namespace lindmft::training
