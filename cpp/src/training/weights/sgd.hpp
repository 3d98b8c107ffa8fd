// One step of PyTorch's SGD as a linear map of a weight and its momentum buffer (theory.md section 7).
#pragma once

#include "lindmft/problem.hpp"

namespace lindmft::training {

/// The coefficients of  weight' = keep weight + push buffer + gain G,  buffer' = sink weight + fade buffer + feed G.
/// G is the ascent direction of theory.md section 2 (it includes the minus sign of descent). Without momentum there is
/// no buffer.
struct LinearStep {
  double keep;
  double push;
  double gain;
  double sink;
  double fade;
  double feed;
};

/// Step t of a weight array whose gradient is multiplied by `multiplier`. Weight decay is not multiplied by it, so that
/// all arrays have the same d(t).
[[nodiscard]] LinearStep linear_step(const Optimizer& optimizer, int t, double multiplier);

}  // namespace lindmft::training
