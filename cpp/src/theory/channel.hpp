// One output channel: a problem with a single target.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// Bytes that solve_channel takes at its peak (infinite depth: with the first number of depth nodes it tries; coarse
/// grids: with the first number of time nodes).
[[nodiscard]] double channel_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Bytes of what it returns: series, and what was asked to be kept.
[[nodiscard]] double channel_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Options are checked; problem.data.targets is {1}.
[[nodiscard]] Solution solve_channel(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
