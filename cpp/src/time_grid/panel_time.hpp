// The propagator K and the decay d for the rows of one panel.
#pragma once

#include "linalg/panel.hpp"
#include "linalg/view.hpp"
#include "time_grid/frozen_rows.hpp"

namespace lindmft {

/// The quantities through which time enters the equations, for the rows of one panel (theory.md section 9). Where
/// several outputs share modes (section 16), every time has one row for each output, one after the other.
struct PanelTime {
  Panel panel;
  linalg::ConstView K;  ///< panel.size() x panel.end   propagator: response of a weight to the gradient at node s
  const double* decay;  ///< d, panel.end entries       decay of the initial weights (the diagonal of D_w)
  const FrozenRows* frozen = nullptr;  ///< if the panel's rows are vectors passed through frozen weights
  int outputs = 1;                     ///< C, the number of rows of each time
  /// The coefficients of the function 1, panel.end entries, if the past is condensed (segment.hpp); null: all are 1.
  const double* unit = nullptr;
  int skipped = 0;  ///< of a condensed past, the number of steps minus the number of nodes before the panel

  /// The step of a row, where steps are single nodes.
  [[nodiscard]] int step(int row) const { return row / outputs + skipped; }

  [[nodiscard]] bool same_output(int row, int other) const { return row % outputs == other % outputs; }
  /// The number of rows that are nodes of training.
  [[nodiscard]] int trained() const { return frozen == nullptr ? panel.end : frozen->begin; }
  /// The number of rows whose g is that of a network.
  [[nodiscard]] int networks() const { return frozen == nullptr ? panel.end : frozen->networks(); }
};

}  // namespace lindmft
