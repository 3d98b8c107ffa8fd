// Networks on a trace-class spectrum are trained as the ordinary problem that they are (theory.md section 6).
#pragma once

#include "lindmft/problem.hpp"

namespace lindmft::training {

/// The same dynamics with ratios to D = dim in the place of counts, for the leading `dim` modes: eigenvalues times D,
/// learning rates through D, weight decay and gamma0^2 times D. Losses and C_g stay as they are; C_h grows by D.
/// Throws std::invalid_argument if the spectrum has fewer modes, or weights that count no modes.
[[nodiscard]] Problem with_ratios(const Problem& problem, int dim);

}  // namespace lindmft::training
