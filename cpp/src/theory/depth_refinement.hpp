// Infinite depth: as many nodes in depth as it takes.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// The number of nodes in depth that is tried first.
[[nodiscard]] int first_depth_nodes(const Problem& problem);

/// Solves with more and more nodes in depth, until they resolve the profiles. Where training diverges within a step or
/// two, so fast that no number of nodes resolves it, a network of finite depth says so, and what comes before is solved
/// for. Throws NotConverged where neither helps.
[[nodiscard]] Solution refine_depth(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
