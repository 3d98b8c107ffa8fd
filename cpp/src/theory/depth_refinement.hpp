// Solutions at infinite depth with as many nodes in depth as the profiles need.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// The number of nodes in depth that is tried first.
[[nodiscard]] int first_depth_nodes(const Problem& problem);

/// Solves with more and more nodes in depth until they resolve the profiles. Training can diverge within a step or two,
/// so fast that no number of nodes resolves it. Then a network of finite depth shows where it diverges, and the steps
/// before are solved. Throws NotConverged if neither works.
[[nodiscard]] Solution refine_depth(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
