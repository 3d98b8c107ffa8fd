// One output channel: a problem with a single target.
#pragma once

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// Bytes that solve_channel takes at its peak (infinite depth: with the first number of depth nodes it tries).
[[nodiscard]] double channel_bytes(const Problem& problem, int steps, const SolveOptions& options);

/// Bytes of the two-time functions that it keeps.
[[nodiscard]] double channel_result_bytes(const Problem& problem, int steps, const SolveOptions& options);

/// Options are checked; problem.data.targets is {1}.
[[nodiscard]] Solution solve_channel(const Problem& problem, int steps, const SolveOptions& options);

}  // namespace lindmft::theory
