#include "theory/core/causal_solve.hpp"

#include "linalg/block_solve.hpp"
#include "theory/core/memory_kernel.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

/// out <- (I - scale x)^-1 out, with only the panel's columns of x
void solve_within(View out, ConstView x, double scale, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View system = sweep.scratch.block(panel.size());
  for (int i = 0; i < panel.size(); ++i) {
    for (int j = 0; j < panel.size(); ++j) system(i, j) = (i == j ? 1.0 : 0.0) - scale * x(i, panel.begin + j);
  }
  linalg::solve_block(system, out);
}

}  // namespace

void solve_causal(View out, ConstView rhs, ConstView x, const Matrix& R, double scale, const Sweep& sweep) {
  sweep.algebra.times_history(out, x, R, sweep.time.panel.begin, scale);
  for (int i = 0; i < out.rows; ++i) {
    for (int s = 0; s < out.cols; ++s) out(i, s) += rhs(i, s);
  }
  solve_within(out, x, scale, sweep);
}

void solve_resolvent(View out, ConstView x, const Matrix& R, double scale, const Sweep& sweep) {
  sweep.algebra.times_history(out, x, R, sweep.time.panel.begin, scale);
  add_identity(out, sweep.time.panel);
  solve_within(out, x, scale, sweep);
}

}  // namespace lindmft::theory
