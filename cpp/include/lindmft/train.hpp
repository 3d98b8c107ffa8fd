// Finite-size networks, trained by the collapsed updates of theory.md section 2.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lindmft/matrix.hpp"
#include "lindmft/problem.hpp"
#include "lindmft/progress.hpp"

namespace lindmft {

struct TrainOptions {
  int dim = 256;                        ///< D, the input dimension; N_l = round(width_l D), P = round(alpha D)
  std::vector<std::uint64_t> seeds{0};  ///< one network (weights, data, noise) a seed
  int threads = 0;                      ///< 0: the allowed physical cores
  double memory_limit = 0.0;            ///< bytes the call may take; 0: four fifths of the free memory
  Progress progress{};
};

struct TrainStats {
  double seconds = 0.0;
  int threads = 1;
  std::string instruction_set;  ///< of the fused kernels: the one chosen at run time
};

/// Time is counted in steps; an entry at t is before the update of step t. Past a network's divergence: infinity.
struct Ensemble {
  int dim = 0;
  int samples = 0;                    ///< P, or the batch of one pass; 0 for the population
  std::vector<int> widths;            ///< L               N_1 .. N_L
  std::vector<std::uint64_t> seeds;   ///< seeds           as asked for
  std::vector<double> time;           ///< n               0, 1, 2, ...
  Matrix test_loss;                   ///< seeds x n       (1/D) sum_k lambda_k v_k^2, excess
  Matrix train_loss;                  ///< seeds x n       (1/P) sum Delta^2, all samples; one pass: the fresh batch
  std::vector<Matrix> feature_norm;   ///< L of seeds x n  |h^l|^2 / N_l, l = 1 .. L
  std::vector<Matrix> gradient_norm;  ///< L of seeds x n  |g^l|^2 / N_l, l = 1 .. L
  Matrix chain_residual;              ///< seeds x n       relative spread of g^l.h^l over l (theory.md 12.8)
  std::vector<int> diverged_at;       ///< seeds           first step past 1e12 max(1, initial test loss), or -1
  TrainStats stats;
};

/// Bytes that train() takes at its peak.
[[nodiscard]] double estimate_train_memory(const Problem& problem, int steps, const TrainOptions& options);

/// Train one network per seed for `steps` steps (n = steps entries, before each update).
/// The same seed gives the same trajectory bit for bit, whatever the number of threads and the other seeds.
/// Throws std::invalid_argument (bad input; infinite width or gamma0 = 0 have no finite network), MemoryLimit,
/// Interrupted.
[[nodiscard]] Ensemble train(const Problem& problem, int steps, const TrainOptions& options);

}  // namespace lindmft
