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

class Trial {
 public:
  Trial(const Plan& plan, std::uint64_t seed);

  /// Step t in the order of theory.md section 3, g^L .. g^1 -> v -> Delta -> u -> h^1 .. h^L, with or without the
  /// update that ends it. What the accessors tell is from before the update.
  void step(int t, bool update);

  /// Networks are numbered data set by data set: j k_init + i has data j and initialization i.
  [[nodiscard]] const FiniteNetwork& network(int i) const { return networks_[static_cast<std::size_t>(i)]; }
  /// What output c of network i gets wrong.
  [[nodiscard]] const Errors& errors(int i, int c) const { return errors_[static_cast<std::size_t>(i * outputs_ + c)]; }
  /// (1/D) sum_k lambda_k v_k^a v_k^b, summed over outputs; for a = b the test loss
  [[nodiscard]] double overlap(int a, int b) const;
  [[nodiscard]] double train_loss(int i) const;

  /// Rayleigh quotients of network 0's kernel, along Lambda w* and a random direction; only if the plan has kernels.
  [[nodiscard]] double kernel_target() const { return kernel_target_; }
  [[nodiscard]] double kernel_scale() const { return kernel_scale_; }

  /// Has a network's loss or any of its norms passed 1e12 max(1, its initial test loss), or is it not a number?
  [[nodiscard]] bool diverged() const;

 private:
  void evaluate();
  [[nodiscard]] bool within(int i, double limit) const;

  int outputs_;
  int depth_;
  bool kernels_;
  Modes modes_;
  std::vector<std::unique_ptr<Samples>> samples_;  // k_data
  std::vector<FiniteNetwork> networks_;            // k_data x k_init
  std::vector<Errors> errors_;                     // k_data x k_init x C
  std::vector<double> limits_;                     // k_data x k_init  beyond which a network counts as diverged
  PaddedVector weighted_target_;                   // D  Lambda w*
  PaddedVector probe_;                             // D  a random direction, the same at all times
  double kernel_target_ = 0.0;
  double kernel_scale_ = 0.0;
};

}  // namespace lindmft::training
