// The propagator K and the decay d for the rows of one panel.
#pragma once

#include "linalg/panel.hpp"
#include "linalg/view.hpp"

namespace lindmft {

/// The quantities through which time enters the equations, for the rows of one panel (theory.md section 9).
struct PanelTime {
  Panel panel;
  linalg::ConstView K;  ///< panel.size() x panel.end   propagator: response of a weight to the gradient at node s
  const double* decay;  ///< d, panel.end entries       decay of the initial weights (the diagonal of D_w)
};

}  // namespace lindmft
