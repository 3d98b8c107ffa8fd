// All that one seed trains, a step at a time: k_init initializations times k_data data sets times the members of the
// plan, one network for each. They march together, so that what they share is read once, and they can be compared.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "training/data/modes.hpp"
#include "training/data/samples.hpp"
#include "training/network/network.hpp"
#include "training/run/plan.hpp"

namespace lindmft::training {

/// What one network shows in a step.
struct Reading {
  double test_loss = 0.0;  // totals over outputs
  double train_loss = 0.0;
  std::vector<double> test_losses;  // C
  std::vector<double> train_losses;
  double chain_residual = 0.0;
  std::vector<double> feature_norm;     // L
  std::vector<double> gradient_norm;    // L
  std::vector<double> feature_update;   // L, or empty unless the plan has updates
  std::vector<double> gradient_update;  // the same
  double kernel_gradient = 0.0;         // Rayleigh quotients of the kernel, along u, ...
  double kernel_target = 0.0;           // ... Lambda w* ...
  double kernel_scale = 0.0;            // ... and a random direction; zero unless the plan has kernels

  /// Is everything a number, and are losses and norms at most `limit`?
  [[nodiscard]] bool within(double limit) const;
};

/// A trial in whatever precision.
class Trial {
 public:
  Trial() = default;
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  virtual ~Trial() = default;

  /// Step t in the order of theory.md section 3, g^L .. g^1 -> v -> Delta -> u -> h^1 .. h^L, with or without the
  /// update that ends it. What the accessors tell is from before the update.
  virtual void step(int t, bool update) = 0;

  /// Networks are numbered data set by data set, and then initialization by initialization: (j k_init + i) K + k has
  /// data j, initialization i and member k.
  [[nodiscard]] virtual const Reading& reading(int i) const = 0;
  /// (1/D) sum_k lambda_k v_k^a v_k^b, summed over outputs; for a = b the test loss
  [[nodiscard]] virtual double overlap(int a, int b) const = 0;
  /// The test loss of the mean of all networks' predictions
  [[nodiscard]] virtual double averaged_loss() const = 0;

  /// Has the network's loss or any of its norms passed 1e12 max(1, its initial test loss), or is it not a number?
  [[nodiscard]] virtual bool diverged(int i) const = 0;
  /// From now on it stays out, and keeps out of the way of the others.
  virtual void drop(int i) = 0;

  /// Between two steps: everything that the steps after it need and that the plan and the seed do not give.
  virtual void persist(Archive& archive) = 0;
};

[[nodiscard]] std::unique_ptr<Trial> make_trial(const Plan& plan, std::uint64_t seed);

}  // namespace lindmft::training
