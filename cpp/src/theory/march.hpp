// Forward through time: sweep, accept or shrink, detect divergence (theory.md section 10).
#pragma once

#include <limits>

#include "lindmft/solve.hpp"
#include "theory/sides.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft::theory {

struct MarchOptions {
  int threads = 1;
  int largest_panel = 8;  ///< rows of the sliding window, and recorded together
  double depth_tolerance = std::numeric_limits<double>::infinity();  ///< stop where depth_error() passes it
  bool responses_final = false;                                      ///< march correlations alone: those of replicas
  Progress progress;
};

struct Marched {
  int nodes;      ///< valid ones: all of them, or those before a divergence
  bool resolved;  ///< in depth; if not, the march stopped where it found out
};

/// Fills the solution's series and stats node by node.
Marched march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution);

}  // namespace lindmft::theory
