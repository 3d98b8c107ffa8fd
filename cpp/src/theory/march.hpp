// Forward through time: sweep, accept or shrink, detect divergence (theory.md section 10).
#pragma once

#include "lindmft/solve.hpp"
#include "theory/sides.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft::theory {

struct MarchOptions {
  int threads = 1;
  int largest_panel = 8;  ///< rows of the sliding window, and recorded together
  Progress progress;
};

/// Fills the solution's series and stats node by node. Returns the number of valid nodes (all of them, or up to
/// divergence).
int march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution);

}  // namespace lindmft::theory
