// Propagator and decay for the rows of one panel.
#pragma once

#include "linalg/panel.hpp"
#include "linalg/view.hpp"

namespace lindmft {

/// Everything the equations know of time, for the rows of one panel (theory.md section 9).
struct PanelTime {
  Panel panel;
  linalg::ConstView K;  ///< panel.size() x panel.end   propagator: response of a weight to the gradient at node s
  const double* decay;  ///< d, panel.end entries       decay of the initial weights (the diagonal of D_w)
};

}  // namespace lindmft
