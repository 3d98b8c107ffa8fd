// The spectrum of the Hessian of a solution, from Lanczos' method in the theory.
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

/// Joins what the two starts see: the sharpness is the largest eigenvalue of either.
[[nodiscard]] Sharpness sharpness_of(const LanczosResult& target, const LanczosResult& random);

/// Rows after the nodes of training that add_spectrum() needs, for panels of at most `rows` rows.
[[nodiscard]] int spectrum_rows(const SolveOptions& options, int rows);

/// Fills solution.spectrum at the times of `weights`. rows: the largest panel of the two sides.
void add_spectrum(const SolveOptions& options, const std::vector<FrozenWeights>& weights, TrainedSides sides, int rows,
                  Solution& solution);

}  // namespace lindmft::theory
