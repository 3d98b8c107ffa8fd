// The march through time, step by step: sweep a window of rows, accept rows or shrink the window, detect divergence
// (theory.md section 10).
#pragma once

#include "theory/march/condensation.hpp"
#include "theory/march/recorder.hpp"

namespace lindmft::theory {

/// Fills the solution's series and stats, on a grid with a node at every new step. past: condenses what the grid keeps
/// of earlier steps, or null
Marched march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution,
              Condensation* past = nullptr);

}  // namespace lindmft::theory
