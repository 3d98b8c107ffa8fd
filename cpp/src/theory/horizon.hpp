// The kind of a time grid, and its end.
#pragma once

#include <string>

namespace lindmft::theory {

/// Exact steps, exact steps with a condensed past, or a coarse grid of steps or of gradient flow.
struct Horizon {
  enum class Kind { exact_steps, condensed_steps, adaptive_steps, gradient_flow };
  Kind kind;
  double end;  // number of steps, or the end of gradient flow
  int nodes;   // number of nodes: for coarse grids the first guess of it, with a condensed past the largest one

  [[nodiscard]] bool coarse() const { return kind == Kind::adaptive_steps || kind == Kind::gradient_flow; }
  [[nodiscard]] bool condensed() const { return kind == Kind::condensed_steps; }
  /// The number of times in the result; for coarse grids the first guess of it.
  [[nodiscard]] int times() const { return coarse() ? nodes : steps(); }
  [[nodiscard]] int steps() const { return static_cast<int>(end); }
};

/// A grid with a node at every step.
[[nodiscard]] Horizon exact_steps(double steps);

/// The same kind of grid that ends earlier.
[[nodiscard]] Horizon shorter(const Horizon& horizon, int steps);

/// A description for messages, such as "solve of 100 steps".
[[nodiscard]] std::string describe(const Horizon& horizon);

}  // namespace lindmft::theory
