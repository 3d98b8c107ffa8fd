// The error of representing the solution by the polynomials through the nodes of a panel.
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft::theory {

/// The tolerance of a function: relative, or absolute where the function is small.
struct Tolerance {
  double relative = 1e-6;
  double absolute = 1e-10;  ///< in units of a function's value at the start, or of 1 if this value is zero
};

/// Estimated error of the placed panel's rows of a correlation, in units of the tolerance: at most 1 where the
/// tolerance is met. It follows from the jump between the panel's polynomials and the last row of the panel before. The
/// jump is also large at a fixed point of the iteration that does not continue the solution, and for oscillations that
/// no polynomial follows.
[[nodiscard]] double panel_error(const Matrix& C, const PanelGrid& grid, const Tolerance& tolerance, int outputs);

}  // namespace lindmft::theory
