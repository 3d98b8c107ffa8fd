// The propagator K and the decay d for the rows of one panel.
#pragma once

#include "linalg/panel.hpp"
#include "linalg/view.hpp"
#include "time_grid/frozen_rows.hpp"

namespace lindmft {

/// The quantities through which time enters the equations, for the rows of one panel (theory.md section 9).
struct PanelTime {
  Panel panel;
  linalg::ConstView K;  ///< panel.size() x panel.end   propagator: response of a weight to the gradient at node s
  const double* decay;  ///< d, panel.end entries       decay of the initial weights (the diagonal of D_w)
  const FrozenRows* frozen = nullptr;  ///< if the panel's rows are vectors passed through frozen weights

  /// The number of rows that are nodes of training.
  [[nodiscard]] int trained() const { return frozen == nullptr ? panel.end : frozen->begin; }
  /// The number of rows whose g is that of a network.
  [[nodiscard]] int networks() const { return frozen == nullptr ? panel.end : frozen->networks(); }
};

}  // namespace lindmft
