// The one place where two-time functions meet time: rows of  scale (D_w R + c K * C)  (theory.md section 3: A, B and
// Bt), and what D_w does to rows.
#pragma once

#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"
#include "time_grid/panel_time.hpp"

namespace lindmft::theory {

/// out(t,s) = scale * (d(t) R(t,s) + lr K(t,s) C(t,s)) on the panel's rows; R null: zero, C null: all ones.
void kernel_rows(linalg::View out, const PanelTime& time, const Matrix* R, const Matrix* C, double lr, double scale);

/// rows <- rows D_w
void times_decay(linalg::View rows, const PanelTime& time);

/// out = the panel's rows of m D_w
void decayed_rows(linalg::View out, const Matrix& m, const PanelTime& time);

/// rows += I (its diagonal lies in the panel's own columns)
void add_identity(linalg::View rows, Panel panel);

/// rows += D_w (its diagonal lies in the panel's own columns)
void add_decay(linalg::View rows, const PanelTime& time);

}  // namespace lindmft::theory
