// Series of a solution on a coarse grid, interpolated to other times.
#pragma once

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// A solution with the series at these times and without everything else. Within a panel, series are the polynomials
/// through the nodes of the panel and the node before them. Times are those of a grid of the same kind, within the
/// range of the solution.
[[nodiscard]] Solution at_times(const Solution& solution, const std::vector<double>& times);

}  // namespace lindmft::theory
