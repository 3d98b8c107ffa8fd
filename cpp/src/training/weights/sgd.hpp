// PyTorch's SGD as a linear map: what one step does to a weight and its momentum buffer (theory.md section 7).
#pragma once

#include "lindmft/problem.hpp"

namespace lindmft::training {

/// weight' = keep weight + push buffer + gain G,   buffer' = sink weight + fade buffer + feed G,
/// with G the ascent direction of theory.md section 2 (the minus sign of descent is inside). Without momentum there is
/// no buffer.
struct LinearStep {
  double keep;
  double push;
  double gain;
  double sink;
  double fade;
  double feed;
};

/// Step t of a weight array whose gradient is multiplied by `multiplier`; weight decay is not, so that all arrays share
/// d(t).
[[nodiscard]] LinearStep linear_step(const Optimizer& optimizer, int t, double multiplier);

}  // namespace lindmft::training
