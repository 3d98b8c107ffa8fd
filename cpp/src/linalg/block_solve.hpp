// The small dense systems inside a panel.
#pragma once

#include "linalg/blas.hpp"

namespace lindmft::linalg {

/// x <- s^-1 x for a p x p matrix s, which is destroyed. No pivoting: s is the identity plus a causal coupling, unit
/// lower triangular for exact steps and close to the identity on coarse grids.
void solve_block(View s, View x);

/// out += a x for a p x p block a
void add_block_product(View out, ConstView a, ConstView x, double scale);

}  // namespace lindmft::linalg
