// One output channel: a problem with a single target.
#pragma once

#include <string>

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// What time is made of, and where it ends.
struct Horizon {
  enum class Kind { exact_steps, adaptive_steps, gradient_flow };
  Kind kind;
  double end;  // steps, or the time of gradient flow
  int nodes;   // exact steps: all of them; else: room for so many to begin with

  [[nodiscard]] bool coarse() const { return kind != Kind::exact_steps; }
  [[nodiscard]] int steps() const { return static_cast<int>(end); }
};

/// "solve of 100 steps" and the like, for messages.
[[nodiscard]] std::string describe(const Horizon& horizon);

/// Bytes that solve_channel takes at its peak (infinite depth: with the first number of depth nodes it tries; coarse
/// grids: with the first number of time nodes).
[[nodiscard]] double channel_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Bytes of what it returns: series, and what was asked to be kept.
[[nodiscard]] double channel_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

/// Options are checked; problem.data.targets is {1}.
[[nodiscard]] Solution solve_channel(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
