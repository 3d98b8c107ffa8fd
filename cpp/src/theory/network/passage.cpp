#include "theory/network/passage.hpp"

#include <algorithm>

#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "theory/core/causal_solve.hpp"
#include "theory/core/memory_kernel.hpp"
#include "theory/core/panel_rows.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

void branch_rows(View rows, const PanelTime& time, const Matrix& R, const Matrix& C, Scales::Array array, double weight,
                 Pass pass) {
  for (int i = 0; i < rows.rows; ++i) {
    const int t = time.panel.begin + i;
    const double* r = R.row(t);
    const double* c = C.row(t);
    const double* K = time.K.row(i);
    const double* d = time.decay;
    double* to = rows.row(i);
    for (int s = 0; s < rows.cols; ++s) to[s] = weight * (array.start * d[t] * d[s] * r[s] + array.lr * K[s] * c[s]);
  }
  if (pass == Pass::backward) add_frozen(rows, time, &C, weight * array.lr);
}

void add_decayed(View rows, const PanelTime& time, const Matrix& C, double weight) {
  const double* d = time.decay;
  for (int i = 0; i < rows.rows; ++i) {
    const int t = time.panel.begin + i;
    const double* c = C.row(t);
    double* to = rows.row(i);
    for (int s = 0; s < rows.cols; ++s) to[s] += weight * d[t] * d[s] * c[s];
  }
}

void Passage::guess(const linalg::Guess& guess) {
  linalg::clear_rows(own, guess.panel);
  linalg::guess_causal(branch, guess);
  linalg::guess_causal(cross, guess);
}

void Passage::visit(const std::string& prefix, const StateVisitor& visitor) {
  visitor.function(prefix + ".branch", branch);
  visitor.function(prefix + ".own", own);
  visitor.function(prefix + ".cross", cross);
}

void Passage::clear(Panel panel) {
  for (Matrix* m : {&branch, &own, &cross}) linalg::clear_rows(*m, panel);
}

void Passage::set_branch(const Sweep& sweep, const Matrix& Y, const Matrix& C, Scales::Array array, double branch_sq,
                         Pass pass) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  branch_rows(rows, sweep.time, Y, C, array, branch_sq, pass);
  linalg::replace_rows(branch, panel, rows, sweep.changes);
}

void Passage::respond(const Sweep& sweep, ConstView k, const Matrix& opposite, double gamma0_sq) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  const View round_trip = sweep.scratch(Buffer::left, panel.size(), panel.end);  // gamma0^2 b E B
  sweep.algebra.times_causal(round_trip, k, opposite, gamma0_sq);
  solve_resolvent(rows, round_trip, own, 1.0, sweep);
  linalg::replace_rows(own, panel, rows, sweep.changes);
  solve_causal(rows, k, round_trip, cross, 1.0, sweep);
  linalg::replace_rows(cross, panel, rows, sweep.changes);
}

void Passage::outgoing_kernel(View out, Panel panel) const {
  for (int i = 0; i < out.rows; ++i) {
    const double* a = cross.row(panel.begin + i);
    const double* b = branch.row(panel.begin + i);
    for (int s = 0; s < out.cols; ++s) out(i, s) = a[s] + b[s];
  }
}

void Passage::correlate(const Sweep& sweep, const Matrix& S, const Matrix& near, const Matrix& far, double start_sq,
                        double gamma0_sq, Matrix& S_out) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  const View rows = sweep.scratch(Buffer::rows, p, b);
  const View left = sweep.scratch(Buffer::left, p, b);
  sweep.algebra.times_symmetric(left, rows_of(own, panel), S);
  sweep.algebra.times_transposed(rows, left, own);
  if (gamma0_sq > 0.0) {
    const View decayed = sweep.scratch(Buffer::extra, p, b);
    decayed_rows(decayed, cross, sweep.time);
    sweep.algebra.times_symmetric(left, decayed, far, start_sq * gamma0_sq);
    times_decay(left, sweep.time);
    sweep.algebra.times_transposed(rows, left, cross, 1.0, 1.0);
  }
  add_decayed(rows, sweep.time, near, start_sq);
  linalg::replace_symmetric(S_out, panel, rows, sweep.changes);
}

}  // namespace lindmft::theory
