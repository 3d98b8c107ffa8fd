// The networks that one seed trains, step by step: one network for each of k_init initializations, k_data data sets and
// the members of the plan. They are trained together, so that shared arrays are read once, and they can be compared.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lindmft/sharpness.hpp"
#include "lindmft/train.hpp"
#include "training/data/modes.hpp"
#include "training/data/samples.hpp"
#include "training/network/network.hpp"
#include "training/run/plan.hpp"

namespace lindmft::training {

/// The observables of one network at one step.
struct Observables {
  double test_loss = 0.0;           // sum over outputs
  double train_loss = 0.0;          // sum over outputs
  std::vector<double> test_losses;  // C
  std::vector<double> train_losses;
  double average_loss = 0.0;  // test loss of averaged weights; zero if the plan has no average
  double chain_residual = 0.0;
  std::vector<double> feature_norm;     // L
  std::vector<double> gradient_norm;    // L
  std::vector<double> feature_update;   // L, or empty if the plan does not record updates
  std::vector<double> gradient_update;  // the same
  // Rayleigh quotients of the kernel; zero if the plan does not record kernels.
  double kernel_gradient = 0.0;  // along u
  double kernel_target = 0.0;    // along Lambda w*
  double kernel_scale = 0.0;     // along a random direction
  double first_task_loss = 0.0;  // sum over outputs; zero without a second target
  // modes, or empty if the plan does not record them.
  std::vector<double> mode_loss;     // the terms of test_loss
  std::vector<double> mode_learned;  // w_hat . w* / |w*|^2

  /// Whether all observables are numbers, and losses and norms are at most `limit`.
  [[nodiscard]] bool within(double limit) const;
};

/// The networks of one seed, in double or single precision.
class SeedRun {
 public:
  SeedRun() = default;
  SeedRun(const SeedRun&) = delete;
  SeedRun& operator=(const SeedRun&) = delete;
  virtual ~SeedRun() = default;

  /// Computes step t in the order of theory.md section 3, g^L .. g^1 -> v -> Delta -> u -> h^1 .. h^L, with or without
  /// the update at its end. The accessors return values from before the update.
  virtual void step(int t, bool update) = 0;
  /// Writes the spectrum of the Hessian at the current weights of the first network to a row. Later steps do not depend
  /// on it.
  virtual void find_spectrum(int row, HessianSpectrum& out) = 0;

  /// The observables of network i. Network (j k_init + i) K + k has data set j, initialization i and member k.
  [[nodiscard]] virtual const Observables& observables(int i) const = 0;
  /// (1/D) sum_k lambda_k v_k^a v_k^b, summed over outputs. For a = b it is the test loss.
  [[nodiscard]] virtual double overlap(int a, int b) const = 0;
  /// The test loss of the mean of all networks' predictions.
  [[nodiscard]] virtual double averaged_loss() const = 0;

  /// Whether the network's loss or one of its norms exceeds 1e12 max(1, its initial test loss) or is not a number.
  [[nodiscard]] virtual bool diverged(int i) const = 0;
  /// Removes the network from all later steps, in which its vectors are zero.
  virtual void drop(int i) = 0;

  /// Writes the current weights of the first network, and its predictor, to the rows of seed number `seed`.
  virtual void write_weights(int seed, Ensemble& out) = 0;

  /// Writes or reads, between two steps, everything that later steps need and that does not follow from the plan and
  /// the seed.
  virtual void persist(Archive& archive) = 0;
};

/// The networks of a seed, with their initial weights.
[[nodiscard]] std::unique_ptr<SeedRun> make_seed_run(const Plan& plan, std::uint64_t seed);

}  // namespace lindmft::training
