// The weights at given times, as Lanczos' method needs them.
#pragma once

#include <vector>

#include "lindmft/problem.hpp"
#include "theory/spectrum/lanczos.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft::theory {

/// The weights at these times, in ascending order, on a grid of all steps.
[[nodiscard]] std::vector<FrozenWeights> weights_at(const Problem& problem, const std::vector<double>& times);

/// The decay of the initial weights at the first `steps` steps.
[[nodiscard]] std::vector<double> decay_at_steps(const Problem& problem, int steps);

/// The weights at these times, in ascending order, on a coarse grid whose panels have these edges and nodes. `grid` is
/// a new one of the same kind; it gets the panels.
[[nodiscard]] std::vector<FrozenWeights> weights_at(PanelGrid& grid, const std::vector<int>& edges,
                                                    const std::vector<double>& nodes, const std::vector<double>& times);

}  // namespace lindmft::theory
