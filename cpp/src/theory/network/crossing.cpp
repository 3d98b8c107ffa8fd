#include "theory/network/crossing.hpp"

#include <algorithm>

#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"

namespace lindmft::theory {

using linalg::View;

void Crossing::guess(const linalg::Guess& guess, bool responses_final) {
  linalg::guess_symmetric(h.C, guess);
  linalg::guess_symmetric(S_a, guess);
  if (responses_final) return;
  h.clear_responses(guess.panel);
  g.clear_responses(guess.panel);
}

void Crossing::visit(const std::string& name, const StateVisitor& visitor) {
  h.visit("h" + name, visitor);
  g.visit("g" + name, visitor);
  visitor.function("S_a" + name, S_a);
  visitor.function("S_b" + name, S_b);
}

void first_source_rows(Matrix& S_a, const Sweep& sweep, const DataField& data, double size) {
  const Panel panel = sweep.time.panel;
  const double* d = sweep.time.decay;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  for (int i = 0; i < rows.rows; ++i) {
    const int t = panel.begin + i;
    const double* C = data.C_h0->row(t);
    for (int s = 0; s < rows.cols; ++s) rows(i, s) = size * d[t] * d[s] * C[s];
  }
  linalg::replace_symmetric(S_a, panel, rows, sweep.changes);
}

void last_source_rows(Matrix& S_b, const Sweep& sweep, double size) {
  const Panel panel = sweep.time.panel;
  const double* d = sweep.time.decay;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  for (int i = 0; i < rows.rows; ++i) {
    const int sources = panel.begin + i < sweep.time.networks() ? sweep.time.networks() : 0;
    std::fill_n(rows.row(i), rows.cols, 0.0);
    for (int s = (panel.begin + i) % sweep.time.outputs; s < std::min(sources, rows.cols); s += sweep.time.outputs)
      rows(i, s) = size * d[panel.begin + i] * d[s] * (sweep.time.unit == nullptr ? 1.0 : sweep.time.unit[s]);
  }
  linalg::replace_symmetric(S_b, panel, rows, sweep.changes);
}

}  // namespace lindmft::theory
