// One attempt at a channel: all of its nodes in time, with a given number of nodes in depth.
#pragma once

#include <optional>

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// Bytes that an attempt takes at its peak.
[[nodiscard]] double attempt_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                   int depth_nodes);

/// Bytes of what it returns: series, and what was asked to be kept.
[[nodiscard]] double attempt_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                          int depth_nodes);

/// Solves with this number of nodes in depth (0 at finite depth), and as many nodes in time as it takes. Returns
/// nothing if the nodes in depth were too few.
[[nodiscard]] std::optional<Solution> solve_at(const Problem& problem, Horizon horizon, const SolveOptions& options,
                                               int depth_nodes);

/// Past a divergence every series is infinite and time goes on: step by step, or on a coarse grid right to the end.
void pad(Solution& solution, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
