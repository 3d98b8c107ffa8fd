// The threshold above which a trajectory is diverged. Theory and training share it, so that they report the same
// instabilities.
#pragma once

namespace lindmft::support {

/// A loss is diverged when it exceeds this factor times the larger of 1 and its initial value (theory.md section 10).
inline constexpr double kDivergence = 1e12;

}  // namespace lindmft::support
