// Full batch with a single mode of the spectrum: R_Delta and C_e are computed from Bt without iteration.
//
// With X = lambda Bt and a = alpha / p (p = 1 but for counted modes), theory.md sections 3 and 6 say
//     H = (I + X R)^-1,   R = I - (I - H) / a          (R = R_Delta)
//     C_e = a W C_e W^T + F,   W = I - R,   F = R (p lambda H S H^T + sigma^2 1) R^T.
// Therefore R is the function r(x) = 2 a / (a + (1 - a) x + sqrt((a + (1 - a) x)^2 + 4 a^2 x)) of X. Within a panel it
// is evaluated in the Schur basis of the panel's block of X. The remaining equations are linear, and are solved for one
// row of that basis after the other. An iteration would reduce the error only by a factor min(a, 1/a) per sweep, also
// within long panels.
#pragma once

#include "linalg/schur.hpp"
#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// The equations of one panel.
class SampleEquations {
 public:
  /// x: the panel's rows of X
  SampleEquations(double a, linalg::ConstView x, const Sweep& sweep);

  /// Rows of R, from x, and from R and H before the panel.
  void response(linalg::View out, linalg::ConstView x, const Matrix& R, const Matrix& H, const Sweep& sweep) const;

  /// Rows of C_e, from rows of F, R (the panel's included), and C_e before the panel.
  void correlation(linalg::View out, linalg::ConstView F, const Matrix& R, const Matrix& C_e, const Sweep& sweep) const;

 private:
  double a_;
  Panel panel_;
  linalg::Schur schur_;
  linalg::Small R_, W_;  // R and W of the panel's block, in its Schur basis
};

}  // namespace lindmft::theory
