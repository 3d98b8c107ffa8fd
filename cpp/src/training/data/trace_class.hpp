// Converts a problem with a trace-class spectrum to an ordinary finite problem, as which it is trained (theory.md
// section 6).
#pragma once

#include "lindmft/problem.hpp"

namespace lindmft::training {

/// The problem of the leading `dim` modes with the same dynamics, in which counts are replaced by ratios to D = dim.
/// Eigenvalues, weight decay and gamma0^2 are multiplied by D, learning rates are divided by D. Losses and C_g do not
/// change; C_h is multiplied by D. Throws std::invalid_argument if the spectrum has fewer modes, or weights that are
/// not whole numbers of modes.
[[nodiscard]] Problem with_ratios(const Problem& problem, int dim);

}  // namespace lindmft::training
