// The regular variables of theory.md section 8: scales of a problem that stay finite at infinite width and in the lazy
// limit.
#pragma once

#include <vector>

#include "lindmft/problem.hpp"

namespace lindmft {

struct Scales {
  /// The factors of weight array l.
  struct Array {
    double lr;     ///< c_l, the multiplier of its gradient step
    double start;  ///< (s_l / s)^2, the variance of its initial weights relative to the largest, init_unit()^2, which
                   ///< D_w contains
  };

  double branch;  ///< b, the factor of a residual branch: beta0, or beta0 / sqrt(L); at infinite depth beta0
  double gamma0;  ///< effective richness: divided by sqrt(width of the last hidden layer) in NTK parameterization
  double gamma0_sq;
  double rho;                 ///< 1 / (gamma0^2 nu_L)
  double first_to_last;       ///< nu_1 / nu_L
  std::vector<double> ratio;  ///< entry l: nu_{l+1} / nu_l for l = 1 .. L-1; 1 for l = 0 and l = L
  std::vector<Array> arrays;  ///< entry l: weight array l = 0 .. L (infinite depth: three)

  /// The factor of D_w C_g^1 D_w in the part of v that comes from initial weights: rho (nu_1 / nu_L) (s_0 / s)^2.
  [[nodiscard]] double initial_weights() const { return rho * first_to_last * arrays.front().start; }
};

/// The scales of a problem that has been validated.
[[nodiscard]] Scales scales(const Problem& problem);

/// nu_l for l = 1 .. L (index 0 .. L-1); at infinite depth two entries, for the first and the last layer.
[[nodiscard]] std::vector<double> layer_widths(const Network& network);

}  // namespace lindmft
