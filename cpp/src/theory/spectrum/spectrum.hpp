// The sharpness and the Ritz values at one time, from Lanczos' method in the theory.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/spectrum/lanczos.hpp"

namespace lindmft::theory {

/// The sharpness, the bulk edge and the Ritz values at one time.
struct Sharpness {
  hessian::Estimate sharpness;
  hessian::Estimate bulk_edge;
  hessian::Ritz target, random;
};

/// Joins what the two starts see, as far as rounding errors are small: the sharpness is the largest eigenvalue of
/// either.
[[nodiscard]] Sharpness sharpness_of(LanczosResult target, LanczosResult random);

}  // namespace lindmft::theory
