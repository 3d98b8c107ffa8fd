// What Lanczos' method in the theory says about the spectrum of the Hessian at one time.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/spectrum/lanczos.hpp"

namespace lindmft::theory {

/// What Lanczos' method found at one time.
struct Sharpness {
  hessian::Estimate sharpness;
  hessian::Estimate bulk_edge;
  hessian::Ritz target, random;
};

/// Joins what the two starts see, as far as rounding errors are small: the sharpness is the largest eigenvalue of
/// either.
[[nodiscard]] Sharpness sharpness_of(LanczosResult target, LanczosResult random);

}  // namespace lindmft::theory
