// Creates the coarse grid of a horizon.
#pragma once

#include <memory>

#include "lindmft/problem.hpp"
#include "theory/horizon.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft::theory {

inline constexpr int kMostOrder = 10;  ///< largest number of nodes of a panel of a coarse grid

/// Nodes of a panel. More nodes make panels longer and cost more work; rounding limits their number.
[[nodiscard]] int panel_order(double rtol);

/// order: nodes of a panel
[[nodiscard]] std::unique_ptr<PanelGrid> coarse_grid(const Problem& problem, const Horizon& horizon, int order);

}  // namespace lindmft::theory
