// The march through time in panels of growing length: place a panel, iterate it to convergence, accept or shrink it
// (theory.md sections 9, 10).
#pragma once

#include "theory/march/panel_error.hpp"
#include "theory/march/recorder.hpp"

namespace lindmft::theory {

class EdgeWatch;

/// Number of parts in which progress is reported, on a logarithmic scale of time.
inline constexpr int kProgress = 1000;

/// Fills the solution's series and stats. If the grid has no room left, the march stops and the grid is not finished.
/// `rate` is the rate at which the loss falls at the start; `edge` looks for instabilities, if it is given.
Marched march_panels(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                     const Tolerance& tolerance, double rate, Solution& solution, EdgeWatch* edge);

/// Computes the correlations of replicas on the panels of the solution `on`.
void march_panels_again(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                        const Tolerance& tolerance, const Solution& on, Solution& solution);

}  // namespace lindmft::theory
