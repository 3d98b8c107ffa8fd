// Forward through time, step by step: sweep, accept or shrink, detect divergence (theory.md section 10).
#pragma once

#include "theory/march/recorder.hpp"

namespace lindmft::theory {

/// Fills the solution's series and stats node by node. Every step is a node of the grid.
Marched march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution);

}  // namespace lindmft::theory
