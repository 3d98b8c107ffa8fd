// Solves one output channel: a problem with a single target.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// Bytes that solve_channel takes at its peak (at infinite depth with the number of depth nodes that is tried first, on
/// coarse grids with the number of time nodes that is tried first).
[[nodiscard]] double channel_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Bytes of its result: series, and the functions that the options ask to keep.
[[nodiscard]] double channel_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Solves a problem whose targets are {1}, with options that have been checked.
[[nodiscard]] Solution solve_channel(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
