// Rows of the solution of a causal equation: known rows give the history's part, and a system within the panel the
// rest.
#pragma once

#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// Rows of the solution R of  R = rhs + scale x R;  R holds its rows before the panel.
void solve_causal(linalg::View out, linalg::ConstView rhs, linalg::ConstView x, const Matrix& R, double scale,
                  const Sweep& sweep);

/// The same with rhs = I: rows of (I - scale x)^-1.
void solve_resolvent(linalg::View out, linalg::ConstView x, const Matrix& R, double scale, const Sweep& sweep);

}  // namespace lindmft::theory
