// The objects that a march through time works with: the grid, the two sides, and the memory for products.
#pragma once

#include <limits>

#include "lindmft/solve.hpp"
#include "theory/core/sides.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft::theory {

/// The options of a march.
struct MarchOptions {
  int threads = 1;
  int largest_panel = 8;  ///< rows of the sliding window, and number of rows recorded together
  double depth_tolerance = std::numeric_limits<double>::infinity();  ///< the march stops where depth_error() exceeds it
  int outputs = 1;               ///< rows of each time: the outputs that share modes
  bool second_target = false;    ///< record the loss on the first target
  bool modes = false;            ///< record the learning curves of the modes
  bool responses_final = false;  ///< compute only correlations, with given responses: those of replicas
  /// Coarse grids: the time from which every step is a node.
  double steps_from = std::numeric_limits<double>::infinity();
  double row_tolerance = 1e-12;  ///< single steps: relative change of a row below which the row after it is final
  double rounding = 1e-9;        ///< how far below zero a loss may be, relative to the loss at the start
  bool coarse_front = false;     ///< condensed past: compute only some of the coming steps where functions are smooth
  int from = 0;                  ///< number of nodes that are already final and recorded
  int spare_rows = 0;            ///< rows after the nodes in which vectors pass through frozen weights
  int spectrum_rows = 2;         ///< number of these rows that are computed together
  Progress progress{};
};

/// The references of a march, and the work that both kinds of march share.
struct MarchContext {
  MarchContext(TimeGrid& time, NetworkSide& network_side, DataSide& data_side, const MarchOptions& march_options,
               Solution& out);

  /// First guess of the panel's rows on both sides.
  void guess(const linalg::Guess& guess);
  /// Computes the data side of the panel's rows once from the guess of the network side, which varies more slowly.
  void update_data(const PanelTime& time);
  /// One sweep over the panel's rows; for inner_tolerance see Sweep.
  void sweep(const PanelTime& time, double inner_tolerance = 0.0);

  TimeGrid& grid;
  NetworkSide& network;
  DataSide& data;
  const MarchOptions& options;
  Solution& solution;
  PanelMap map;
  linalg::PanelAlgebra algebra;
  Scratch scratch;
  linalg::RowChanges changes;
};

}  // namespace lindmft::theory
