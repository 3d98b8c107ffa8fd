// Small dense linear systems within a panel.
#pragma once

#include "linalg/blas.hpp"

namespace lindmft::linalg {

/// x <- s^-1 x for a p x p matrix s, which is destroyed. Rows are exchanged (pivoting) unless s is lower triangular, as
/// it is for exact steps.
void solve_block(View s, View x);

/// out += a x for a p x p block a
void add_block_product(View out, ConstView a, ConstView x, double scale);

}  // namespace lindmft::linalg
