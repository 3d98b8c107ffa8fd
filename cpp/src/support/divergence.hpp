// When a trajectory counts as lost. Theory and training use the same threshold, so that they report the same
// instabilities.
#pragma once

namespace lindmft::support {

/// A loss is diverged once it passes this many times the larger of 1 and its initial value (theory.md section 10).
inline constexpr double kDivergence = 1e12;

}  // namespace lindmft::support
