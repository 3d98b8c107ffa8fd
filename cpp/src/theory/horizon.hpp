// The kind of a grid of times, and its end.
#pragma once

#include <string>

namespace lindmft::theory {

/// Exact steps, or a coarse grid of steps or of gradient flow.
struct Horizon {
  enum class Kind { exact_steps, adaptive_steps, gradient_flow };
  Kind kind;
  double end;  // steps, or the time of gradient flow
  int nodes;   // exact steps: all of them; else: the first guess of their number

  [[nodiscard]] bool coarse() const { return kind != Kind::exact_steps; }
  [[nodiscard]] int steps() const { return static_cast<int>(end); }
};

[[nodiscard]] Horizon exact_steps(double steps);

/// The same kind of time, ending earlier.
[[nodiscard]] Horizon shorter(const Horizon& horizon, int steps);

/// "solve of 100 steps" and the like, for messages.
[[nodiscard]] std::string describe(const Horizon& horizon);

}  // namespace lindmft::theory
