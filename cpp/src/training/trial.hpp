// All that one seed trains, a step at a time: k_init initializations times k_data data sets, one network for each pair.
// They march together, so that at each time they can be compared.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "training/modes.hpp"
#include "training/network.hpp"
#include "training/plan.hpp"
#include "training/samples.hpp"

namespace lindmft::training {

/// What one network shows in a step.
struct Reading {
  double test_loss = 0.0;  // totals over outputs
  double train_loss = 0.0;
  double chain_residual = 0.0;
  std::vector<double> feature_norm;   // L
  std::vector<double> gradient_norm;  // L
  double kernel_gradient = 0.0;       // Rayleigh quotients of the kernel, along u, ...
  double kernel_target = 0.0;         // ... Lambda w* ...
  double kernel_scale = 0.0;          // ... and a random direction; zero unless the plan has kernels

  /// Is everything a number, and are losses and norms at most `limit`?
  [[nodiscard]] bool within(double limit) const;
};

class Trial {
 public:
  Trial(const Plan& plan, std::uint64_t seed);

  /// Step t in the order of theory.md section 3, g^L .. g^1 -> v -> Delta -> u -> h^1 .. h^L, with or without the
  /// update that ends it. What the accessors tell is from before the update.
  void step(int t, bool update);

  /// Networks are numbered data set by data set: j k_init + i has data j and initialization i.
  [[nodiscard]] const Reading& reading(int i) const { return readings_[static_cast<std::size_t>(i)]; }
  /// What output c of network i gets wrong.
  [[nodiscard]] const Errors& errors(int i, int c) const { return errors_[static_cast<std::size_t>(i * outputs_ + c)]; }
  /// (1/D) sum_k lambda_k v_k^a v_k^b, summed over outputs; for a = b the test loss
  [[nodiscard]] double overlap(int a, int b) const;

  /// Has a network's loss or any of its norms passed 1e12 max(1, its initial test loss), or is it not a number?
  [[nodiscard]] bool diverged() const;

 private:
  void evaluate();
  void probe_kernels();
  void read(int i);
  [[nodiscard]] int count() const { return static_cast<int>(networks_.size()); }
  [[nodiscard]] Errors& own(int i, int c) { return errors_[static_cast<std::size_t>(i * outputs_ + c)]; }

  int outputs_;
  bool kernels_;
  double feature_scale_;
  Modes modes_;
  std::vector<std::unique_ptr<Samples>> samples_;  // k_data
  std::vector<FiniteNetwork> networks_;            // k_data x k_init
  std::vector<Errors> errors_;                     // k_data x k_init x C
  std::vector<Reading> readings_;                  // k_data x k_init
  std::vector<double> limits_;                     // k_data x k_init  beyond which a network counts as diverged
  PaddedVector weighted_target_;                   // D  Lambda w*
  PaddedVector probe_;                             // D  a random direction, the same at all times
};

}  // namespace lindmft::training
