// What a call to train() will do, settled and checked before anything is allocated.
#pragma once

#include <vector>

#include "lindmft/problem.hpp"
#include "lindmft/train.hpp"

namespace lindmft::training {

struct Plan {
  Problem problem;
  int steps;
  std::vector<int> sizes;  ///< D, N_1 .. N_L
  int samples;             ///< P, or the batch of one pass; 0 for the population
  int networks;            ///< one a seed
  int threads;             ///< at most one a network
  double bytes;            ///< at the peak: a network for every thread, and the results
};

/// Throws std::invalid_argument; does not ask for memory.
[[nodiscard]] Plan make_plan(const Problem& problem, int steps, const TrainOptions& options);

}  // namespace lindmft::training
