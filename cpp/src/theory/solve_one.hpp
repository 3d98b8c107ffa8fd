// The steps of solving a problem: checks, an estimate of memory, the solution. For one problem and for many.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// The end of time. Each throws BadInput for anything that keeps the problem from being solved up to
/// there.
[[nodiscard]] Horizon steps_horizon(const Problem& problem, int steps, const SolveOptions& options);
[[nodiscard]] Horizon flow_horizon(const Problem& problem, double time, const SolveOptions& options);

/// Bytes that solve_one takes at its peak, its result included.
[[nodiscard]] double solve_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Bytes of what it returns.
[[nodiscard]] double result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

[[nodiscard]] Solution solve_one(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
