// Several outputs: their channels are solved one after the other and added up.
#pragma once

#include <cstddef>

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// The problem of one channel: a single output whose target is that of the spectrum, times a norm.
[[nodiscard]] Problem channel_problem(const Problem& problem, double norm);

/// The number of channels that are solved: channels of equal norms count once.
[[nodiscard]] std::size_t distinct_targets(const Problem& problem);

/// Solves every channel (theory.md section 8) and adds them up.
[[nodiscard]] Solution solve_outputs(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
