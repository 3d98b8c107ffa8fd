// The regular variables of theory.md section 8: the scales in which infinite width and the lazy limit are ordinary
// points.
#pragma once

#include <vector>

#include "lindmft/problem.hpp"

namespace lindmft {

struct Scales {
  double branch;  ///< b, the factor of a residual branch: beta0, or beta0 / sqrt(L); beta0 at infinite depth
  double gamma0;  ///< effective richness: divided by sqrt(width of the last hidden layer) in NTK parameterization
  double gamma0_sq;
  double rho;                 ///< 1 / (gamma0^2 nu_L)
  double first_to_last;       ///< nu_1 / nu_L
  std::vector<double> ratio;  ///< entry l: nu_{l+1} / nu_l for l = 1 .. L-1; 1 for l = 0 and l = L
  std::vector<double> lr;     ///< entry l: multiplier c_l of weight array l = 0 .. L (infinite depth: three)
};

/// For a validated problem.
[[nodiscard]] Scales scales(const Problem& problem);

/// nu_l for l = 1 .. L (index 0 .. L-1); at infinite depth two, the ends.
[[nodiscard]] std::vector<double> layer_widths(const Network& network);

}  // namespace lindmft
