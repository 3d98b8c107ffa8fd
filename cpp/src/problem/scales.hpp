// The regular variables of theory.md section 8: scales of a problem that stay finite at infinite width and in the lazy
// limit.
#pragma once

#include <vector>

#include "lindmft/problem.hpp"

namespace lindmft {

struct Scales {
  double branch;  ///< b, the factor of a residual branch: beta0, or beta0 / sqrt(L); at infinite depth beta0
  double gamma0;  ///< effective richness: divided by sqrt(width of the last hidden layer) in NTK parameterization
  double gamma0_sq;
  double rho;                 ///< 1 / (gamma0^2 nu_L)
  double first_to_last;       ///< nu_1 / nu_L
  double readout;             ///< 1 for a random initial readout, 0 for one that starts at zero
  std::vector<double> ratio;  ///< entry l: nu_{l+1} / nu_l for l = 1 .. L-1; 1 for l = 0 and l = L
  std::vector<double> lr;     ///< entry l: multiplier c_l of weight array l = 0 .. L (infinite depth: three)
};

/// The scales of a problem that has been validated.
[[nodiscard]] Scales scales(const Problem& problem);

/// nu_l for l = 1 .. L (index 0 .. L-1); at infinite depth two entries, for the first and the last layer.
[[nodiscard]] std::vector<double> layer_widths(const Network& network);

}  // namespace lindmft
