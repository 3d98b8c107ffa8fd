// One depth of a residual network, at which the signals of the two directions are coupled (theory.md sections 4 and 5):
//     h = a + E g,  g = b + F h,  with sources of covariances S_a and S_b,
// in regular variables: E and F stand for E / gamma0 and F / gamma0.
#pragma once

#include "theory/network/linear_process.hpp"

namespace lindmft::theory {

/// The two processes h and g at one depth, and the covariances of their sources.
struct Crossing {
  /// nodes: capacity; rows: the largest panel
  Crossing(int nodes, int rows)
      : h(nodes, rows, SourceFactor::one), g(nodes, rows, SourceFactor::one), S_a(nodes, nodes), S_b(nodes, nodes) {}

  LinearProcess h, g;  // own: responses to a and b; h.cross = (I - E F)^-1 E, g.cross = (I - F E)^-1 F, over gamma0
  Matrix S_a, S_b;     // n x n, symmetric

  void visit(const std::string& name, const StateVisitor& visitor);

  /// First guess of a panel's rows. A sweep begins with g and S_b, which need none.
  void guess(const linalg::Guess& guess, bool responses_final);
  void correlate_h(const Sweep& sweep, double gamma0_sq) { h.correlate(sweep, g, {&S_a, 1.0}, {&S_b, 1.0}, gamma0_sq); }
  void correlate_g(const Sweep& sweep, double gamma0_sq) { g.correlate(sweep, h, {&S_b, 1.0}, {&S_a, 1.0}, gamma0_sq); }

  /// Bytes an object of these sizes takes.
  [[nodiscard]] static double bytes(int nodes, int rows) {
    return 2.0 * LinearProcess::bytes(nodes, rows) + 16.0 * nodes * nodes;
  }
};

/// Rows of S_a of the first crossing: D_w C_h^0 D_w times `size`.
void first_source_rows(Matrix& S_a, const Sweep& sweep, const DataField& data, double size);
/// Rows of S_b of the last crossing: D_w 1 D_w times `size`, from the constant random readout.
void last_source_rows(Matrix& S_b, const Sweep& sweep, double size);

}  // namespace lindmft::theory
