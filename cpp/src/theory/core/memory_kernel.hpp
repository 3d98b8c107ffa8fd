// The memory kernels A, B and Bt (theory.md section 3): rows of scale (D_w R + c K * C), and the action of D_w on rows.
// All products of two-time functions with K and d are here.
#pragma once

#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"
#include "problem/scales.hpp"
#include "time_grid/panel_time.hpp"

namespace lindmft::theory {

/// The direction of the signals that a memory kernel acts on: A acts on g and gives h, B and Bt act on h and give g.
enum class Pass { forward, backward };

/// out(t,s) = scale * (start d(t) R(t,s) + lr K(t,s) C(t,s)) on the panel's rows. R counts as zero if it is null, and C
/// as all ones, of several outputs between rows of the same output.
void kernel_rows(linalg::View out, const PanelTime& time, const Matrix* R, const Matrix* C, Scales::Array array,
                 double scale, Pass pass);

/// rows += weight * kappa on the entries from one level of frozen rows to the next (frozen_rows.hpp), with kappa =
/// step * C at equal times of the frozen weights; C counts as all ones if it is null.
void add_frozen(linalg::View rows, const PanelTime& time, const Matrix* C, double weight);

/// rows <- rows D_w
void times_decay(linalg::View rows, const PanelTime& time);

/// out = the panel's rows of m D_w
void decayed_rows(linalg::View out, const Matrix& m, const PanelTime& time);

/// rows += I (its diagonal lies in the panel's own columns)
void add_identity(linalg::View rows, Panel panel);

/// rows += D_w (its diagonal lies in the panel's own columns)
void add_decay(linalg::View rows, const PanelTime& time);

}  // namespace lindmft::theory
