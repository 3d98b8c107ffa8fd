// K and d of averaged weights, at every step (theory.md section 18).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "optimizer/propagator.hpp"

namespace lindmft {

/// The average  Wbar(t) = (1 - a(t)) Wbar(t-1) + a(t) W(t)  of the weights is the same average of K and of d.
class AveragedSteps {
 public:
  /// shares: a(t) of every step t = 0, 1, ..., with a(0) = 1
  AveragedSteps(const Problem& problem, std::vector<double> shares)
      : propagator_(problem), shares_(std::move(shares)) {}

  /// Advances to the next step; the first call is for step 0.
  void next();
  /// The response of the averaged weights to the gradient at step s.
  [[nodiscard]] double K(int s) const {
    return static_cast<std::size_t>(s) < K_.size() ? K_[static_cast<std::size_t>(s)] : 0.0;
  }
  /// The decay of the initial weights in the averaged weights.
  [[nodiscard]] double decay() const { return decay_; }

 private:
  Propagator propagator_;
  std::vector<double> shares_;
  int time_ = 0;
  std::vector<double> row_;  // K of the weights at the current step
  std::vector<double> K_;
  double decay_ = 0.0;
};

}  // namespace lindmft
