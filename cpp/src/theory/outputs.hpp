// Several outputs: channels that are solved one by one, and their sum.
#pragma once

#include <cstddef>

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// A single output whose target is the spectrum's, times a norm.
[[nodiscard]] Problem channel_problem(const Problem& problem, double norm);

/// The number of channels that are solved: those of different norms.
[[nodiscard]] std::size_t distinct_targets(const Problem& problem);

/// Solves every channel (theory.md section 8) and adds them up.
[[nodiscard]] Solution solve_outputs(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
