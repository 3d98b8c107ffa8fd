// Series of a coarse grid at other times.
#pragma once

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// The solution's series at these times, by the polynomials through each panel's nodes and the one before them; nothing
/// else of it. Times are those of a grid of the same kind, within the solution's.
[[nodiscard]] Solution at_times(const Solution& solution, const std::vector<double>& times);

}  // namespace lindmft::theory
