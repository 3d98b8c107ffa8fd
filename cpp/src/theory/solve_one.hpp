// What a call is made of, once its input is checked: for the calls that solve one problem, and those that solve many.
#pragma once

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// Where time ends. Each throws std::invalid_argument for anything that keeps the problem from being solved up to
/// there.
[[nodiscard]] Horizon steps_horizon(const Problem& problem, int steps, const SolveOptions& options);
[[nodiscard]] Horizon flow_horizon(const Problem& problem, double time, const SolveOptions& options);

/// Bytes that solve_one takes at its peak, its result included.
[[nodiscard]] double solve_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Bytes of what it returns.
[[nodiscard]] double result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

[[nodiscard]] Solution solve_one(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
