// How well the polynomials through the nodes of a panel represent what was solved for.
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft::theory {

struct Tolerance {
  double relative = 1e-6;
  double absolute = 1e-10;  ///< in units of a function's value at the start, or of 1 if that is zero
};

/// Estimated error of the placed panel's rows of a correlation in units of the tolerance, that is at most 1 where it is
/// met. It follows from the jump between the panel's polynomials and the row where the panel before ended, which also
/// finds fixed points of the iteration that do not go on from there, and oscillations that no polynomial follows.
[[nodiscard]] double panel_error(const Matrix& C, const PanelGrid& grid, const Tolerance& tolerance);

}  // namespace lindmft::theory
