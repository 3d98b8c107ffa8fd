// One attempt to solve a channel: all nodes in time, with a given number of nodes in depth.
#pragma once

#include <optional>

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// Bytes that an attempt takes at its peak.
[[nodiscard]] double attempt_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                   int depth_nodes);

/// Bytes of its result: series, and functions that were asked for.
[[nodiscard]] double attempt_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                          int depth_nodes);

/// Solves with this number of nodes in depth (0 at finite depth) and as many nodes in time as are needed. Returns
/// nothing if there are too few nodes in depth.
[[nodiscard]] std::optional<Solution> solve_at(const Problem& problem, Horizon horizon, const SolveOptions& options,
                                               int depth_nodes);

/// Extends a diverged solution to the end. All series are infinite there; a coarse grid has only the last time.
void pad(Solution& solution, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
