// The spectrum of the Hessian in the results of one network (theory.md section 15).
#pragma once

#include "lindmft/sharpness.hpp"
#include "training/run/lanczos.hpp"
#include "training/run/plan.hpp"

namespace lindmft::training {

/// The spectrum of a network at the steps of the plan, with zeros for its values.
[[nodiscard]] HessianSpectrum allocate_spectrum(const Plan& plan);

/// Writes what was found from both start vectors to one row.
void record(const Krylov& target, const Krylov& random, int row, HessianSpectrum& out);

/// Fills the rows of step `t` and of all later ones with infinity.
void fill_infinity(HessianSpectrum& out, int t);

}  // namespace lindmft::training
