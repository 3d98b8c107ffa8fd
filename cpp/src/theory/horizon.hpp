// What time is made of, and where it ends.
#pragma once

#include <string>

namespace lindmft::theory {

/// Exact steps, or a coarse grid of steps or of gradient flow.
struct Horizon {
  enum class Kind { exact_steps, adaptive_steps, gradient_flow };
  Kind kind;
  double end;  // steps, or the time of gradient flow
  int nodes;   // exact steps: all of them; else: room for so many to begin with

  [[nodiscard]] bool coarse() const { return kind != Kind::exact_steps; }
  [[nodiscard]] int steps() const { return static_cast<int>(end); }
};

[[nodiscard]] Horizon exact_steps(double steps);

/// The same kind of time, ending earlier.
[[nodiscard]] Horizon shorter(const Horizon& horizon, int steps);

/// "solve of 100 steps" and the like, for messages.
[[nodiscard]] std::string describe(const Horizon& horizon);

}  // namespace lindmft::theory
