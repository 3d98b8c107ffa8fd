// How long exact steps can be predicted. Beyond the edge of stability a mode that has decayed grows again from its
// rounding error (in trained networks: from fluctuations of order 1 / sqrt(D)), and what follows is one of many
// possible continuations (theory.md section 15).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// Solves a problem for a number of steps on the grid of the options; nothing if the nodes in depth are too few.
using SolveSteps = std::function<std::optional<Solution>(const Problem&, int steps, const SolveOptions&)>;

/// Finds out whether rounding errors change the losses visibly, and sets predictable_until and unstable_at.
///
/// An adaptive grid follows growing modes by panels of single steps. Only a solution whose training loss rises can be
/// concerned. It is solved again with learning rates that differ by a relative 1e-12: the solution is
/// predictable as long as both agree. `negative` is empty, or says that the solution ends before a loss below zero; if
/// rounding errors do not explain it, NotConverged is thrown.
void judge_predictability(const Problem& problem, const SolveOptions& options, const SolveSteps& solve,
                          const std::string& negative, Solution& solution);

}  // namespace lindmft::theory
