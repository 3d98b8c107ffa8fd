// What a call to train() or train_replicas() will do, settled and checked before anything is allocated.
#pragma once

#include <cstdint>
#include <vector>

#include "lindmft/problem.hpp"
#include "lindmft/train.hpp"

namespace lindmft::training {

struct Plan {
  Problem problem;
  int steps;
  std::vector<int> sizes;  ///< D, N_1 .. N_L
  int samples;             ///< P, or the batch of one pass; 0 for the population
  std::vector<std::uint64_t> seeds;
  int threads;           ///< at most one a seed
  int k_init;            ///< initializations of a seed
  int k_data;            ///< data sets of a seed
  bool kernels;          ///< also probe the kernel
  double feature_scale;  ///< what |h^l|^2 / N_l is multiplied by; not 1 for trace-class spectra
  double bytes;          ///< at the peak: the networks of a seed for every thread, and the results

  [[nodiscard]] int runs() const { return static_cast<int>(seeds.size()); }
  [[nodiscard]] int dim() const { return sizes.front(); }
  [[nodiscard]] int depth() const { return static_cast<int>(sizes.size()) - 1; }
  [[nodiscard]] int outputs() const { return static_cast<int>(problem.data.targets.size()); }
};

/// Throws std::invalid_argument; does not ask for memory.
[[nodiscard]] Plan make_plan(const Problem& problem, int steps, const TrainOptions& options);
[[nodiscard]] Plan make_plan(const Problem& problem, int steps, const ReplicaOptions& options);

}  // namespace lindmft::training
