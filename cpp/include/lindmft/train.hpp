// Finite-size networks, trained by the collapsed updates of theory.md section 2.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lindmft/export.h"
#include "lindmft/matrix.hpp"
#include "lindmft/problem.hpp"
#include "lindmft/progress.hpp"

namespace lindmft {

/// The numbers of weights, data and signals. Observables are doubles, random numbers the same ones, rounded.
enum class Precision { float64, float32 };

/// How weights are kept; results agree to rounding.
enum class TrainMethod {
  automatic,  ///< whichever of the others should take the least time
  shared,     ///< of networks with the same initial weights: one product for all, what each learned as factors
  factored,   ///< each network's own, as of some steps ago, and factors of what came since
  in_place    ///< each network's own, updated every step
};

struct TrainOptions {
  int dim = 256;                        ///< D, the input dimension; N_l = round(width_l D), P = round(alpha D)
  std::vector<std::uint64_t> seeds{0};  ///< one network (weights, data, noise) a seed
  int threads = 0;                      ///< 0: the allowed physical cores
  double memory_limit = 0.0;            ///< bytes the call may take; 0: four fifths of the free memory
  Progress progress{};
  bool kernels = false;          ///< record Ensemble's kernel_...; two more forward passes a step; one target only
  bool updates = false;          ///< record Ensemble's feature_update and gradient_update
  std::uint32_t noise_draw = 0;  ///< which independent draw of the label noise, on the same weights and inputs
  Precision precision = Precision::float64;
  TrainMethod method = TrainMethod::automatic;
  /// Stop before this step; 0: after all. Entries from there on are zero.
  int stop = 0;
  bool keep_state = false;           ///< fill Ensemble::state
  std::vector<std::string> start{};  ///< Ensemble::state of an earlier call that differs in `stop` alone; or empty
};

/// The rest as in TrainOptions.
struct TrainManyOptions {
  int dim = 256;
  std::vector<std::uint64_t> seeds{0};
  int threads = 0;
  double memory_limit = 0.0;
  Progress progress{};
  bool updates = false;
  std::vector<std::uint32_t> noise_draws{0};  ///< one for all problems, or one a problem
  Precision precision = Precision::float64;
  TrainMethod method = TrainMethod::automatic;
};

/// Several networks a seed: k_init initializations and k_data data sets of the same target, every pair of them trained.
/// The rest as in TrainOptions.
struct ReplicaOptions {
  int k_init = 2;
  int k_data = 2;
  int dim = 256;
  std::vector<std::uint64_t> seeds{0};
  int threads = 0;
  double memory_limit = 0.0;
  Progress progress{};
  Precision precision = Precision::float64;
  TrainMethod method = TrainMethod::automatic;
};

struct TrainStats {
  double seconds = 0.0;  ///< of the whole call
  int threads = 1;
  std::string instruction_set;  ///< of the fused kernels: the one chosen at run time
  std::string method;           ///< "shared", "factored" or "in_place"; see TrainMethod
  double operations = 0.0;      ///< counted operations of the products with weights and data; draws are left out
  double bytes_moved = 0.0;     ///< by them if no array stays in a cache; what networks share, by equal parts
};

/// Time is counted in steps; an entry at t is before the update of step t. Past a network's divergence: infinity.
/// With C outputs (data.targets): losses and norms are sums over them.
struct Ensemble {
  int dim = 0;
  int samples = 0;                           ///< P, or the batch of one pass; 0 for the population
  std::vector<int> widths;                   ///< L               N_1 .. N_L
  std::vector<std::uint64_t> seeds;          ///< seeds           as asked for
  std::vector<double> time;                  ///< n               0, 1, 2, ...
  Matrix test_loss;                          ///< seeds x n       (1/D) sum_k lambda_k v_k^2, excess
  Matrix train_loss;                         ///< seeds x n       (1/P) sum Delta^2, all samples; one pass: fresh batch
  std::vector<Matrix> test_loss_by_output;   ///< C of seeds x n  the terms of test_loss
  std::vector<Matrix> train_loss_by_output;  ///< C of seeds x n  the terms of train_loss
  std::vector<Matrix> feature_norm;          ///< L of seeds x n  |h^l|^2 / N_l, l = 1 .. L
  std::vector<Matrix> gradient_norm;         ///< L of seeds x n  |g^l|^2 / N_l, l = 1 .. L
  std::vector<Matrix> feature_update;        ///< L of seeds x n  |h^l - h^l(0)|^2 / N_l, or empty
  std::vector<Matrix> gradient_update;       ///< L of seeds x n  |g^l - g^l(0)|^2 / N_l, or empty
  Matrix chain_residual;  ///< seeds x n       relative spread of g^l.h^l over l (theory.md section 12 item 8)
  /// Rayleigh quotients x . K x / x . x of the predictor's neural tangent kernel K (D x D: a small gradient step moves
  /// w_hat by eta K u), or empty: for the data gradient x = u, for x = Lambda w*, and for a random direction, where the
  /// mean over seeds is that of Tr K / D. NaN where x is zero: such a vector has no direction.
  Matrix kernel_gradient;        ///< seeds x n
  Matrix kernel_target;          ///< seeds x n
  Matrix kernel_scale;           ///< seeds x n
  std::vector<int> diverged_at;  ///< seeds           first step past 1e12 max(1, initial test loss), or -1
  Precision precision = Precision::float64;
  std::uint32_t noise_draw = 0;
  /// seeds  bytes from which TrainOptions::start resumes, on machines with the same order of bytes. The bytes of a
  /// network that diverged are empty; without TrainOptions::keep_state the vector is.
  std::vector<std::string> state;
  TrainStats stats;
};

/// Overlaps of the discrepancies of two networks a, b of a seed, (1/D) sum_k lambda_k v_k^a v_k^b summed over outputs
/// (theory.md section 3, replicas), averaged over the pairs of a kind; a kind without pairs is empty. Time and
/// divergence as in Ensemble: a seed has diverged once one of its networks has.
struct ReplicaEnsemble {
  int dim = 0;
  int samples = 0;                   ///< P, or the batch of one pass; 0 for the population
  int k_init = 0;                    ///< initializations of a seed
  int k_data = 0;                    ///< data sets of a seed
  std::vector<int> widths;           ///< L          N_1 .. N_L
  std::vector<std::uint64_t> seeds;  ///< seeds      as asked for
  std::vector<double> time;          ///< n          0, 1, 2, ...
  Matrix test_loss;                  ///< seeds x n  a = b: the mean test loss
  Matrix shared_init;                ///< seeds x n  the same initial weights, different data
  Matrix shared_data;                ///< seeds x n  the same data, different initial weights
  Matrix independent;                ///< seeds x n  both different
  Matrix averaged_loss;              ///< seeds x n  test loss of the prediction averaged over all networks of a seed
  std::vector<int> diverged_at;      ///< seeds      first step past 1e12 max(1, initial test loss), or -1
  Precision precision = Precision::float64;
  TrainStats stats;
};

/// Bytes that train(), train_many() and train_replicas() take at their peak, where that much is free: with less they
/// use fewer threads, and train_many() trains fewer networks at a time. They throw std::invalid_argument.
[[nodiscard]] LINDMFT_EXPORT double estimate_train_memory(const Problem& problem, int steps,
                                                          const TrainOptions& options);
[[nodiscard]] LINDMFT_EXPORT double estimate_train_many_memory(std::span<const Problem> problems, int steps,
                                                               const TrainManyOptions& options);
[[nodiscard]] LINDMFT_EXPORT double estimate_replicas_memory(const Problem& problem, int steps,
                                                             const ReplicaOptions& options);

/// Train one network per seed for `steps` steps (n = steps entries, before each update).
/// The same seed gives the same trajectory bit for bit, whatever the number of threads and the other seeds.
/// Throws std::invalid_argument (bad input; infinite width or depth or gamma0 = 0 have no finite network), MemoryLimit,
/// Interrupted.
[[nodiscard]] LINDMFT_EXPORT Ensemble train(const Problem& problem, int steps, const TrainOptions& options);

/// Train every problem as train() would, up to rounding; one result a problem, in their order. Problems whose networks
/// have the same initial weights and inputs, seed by seed, ride together: each array is read once for all of them. They
/// may differ in the optimizer, gamma0, parameterization, init_scale, centering, branches, and label noise. Results do
/// not depend on the number of threads, bit for bit. Throws as train(), naming the problem.
[[nodiscard]] LINDMFT_EXPORT std::vector<Ensemble> train_many(std::span<const Problem> problems, int steps,
                                                              const TrainManyOptions& options);

/// Train k_init x k_data networks per seed. Networks with the same data see the same samples, label noise and, of one
/// or several passes, the same batches. The first network of a seed is the one that train() trains. Throws as train().
[[nodiscard]] LINDMFT_EXPORT ReplicaEnsemble train_replicas(const Problem& problem, int steps,
                                                            const ReplicaOptions& options);

}  // namespace lindmft
