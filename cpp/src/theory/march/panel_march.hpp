// Forward through time in panels that grow: place, iterate to convergence, accept or shrink (theory.md sections 9, 10).
#pragma once

#include "theory/march/panel_error.hpp"
#include "theory/march/recorder.hpp"

namespace lindmft::theory {

inline constexpr int kProgress = 1000;  ///< parts in which progress is reported, on a logarithmic scale of time

/// Fills the solution's series and stats. Stops where the grid has no room left: then it is not finished.
Marched march_panels(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                     const Tolerance& tolerance, double rate, Solution& solution);

/// The correlations of replicas, on the panels of a solution.
void march_panels_again(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                        const Tolerance& tolerance, const Solution& on, Solution& solution);

}  // namespace lindmft::theory
