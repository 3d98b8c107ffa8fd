// The passage of a residual branch in one direction (theory.md section 4). With E, A, B as there, the forward equations
//     h' = h + b D_w u + b A g',   h = a + E g,   g = g' + b D_w r + b B h
// become h' = a' + E' g'. Backward, the same holds with the roles of h and g, A and B, E and F exchanged.
// In regular variables kernels stand for kernels divided by gamma0.
#pragma once

#include "theory/core/memory_kernel.hpp"
#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// The functions of one branch in one direction.
class Passage {
 public:
  explicit Passage(int nodes) : branch(nodes, nodes), own(nodes, nodes), cross(nodes, nodes) {}

  Matrix branch;  // n x n, causal   b A (forward) or b B (backward)
  Matrix own;     // n x n, causal   M = (I - b E B)^-1, or Q = (I - b F A)^-1
  Matrix cross;   // n x n, causal   M E or Q F

  /// First guess of a panel's rows of the outgoing functions.
  void guess(const linalg::Guess& guess);
  void clear(Panel panel);
  void visit(const std::string& prefix, const StateVisitor& visitor);

  /// Rows of the branch, b^2 (start D_w Y D_w + lr K * C), from the crossing where it begins.
  void set_branch(const Sweep& sweep, const Matrix& Y, const Matrix& C, Scales::Array array, double branch_sq,
                  Pass pass);

  /// Rows of the responses to the incoming signal with kernel k (rows of E or F); opposite: the branch of the other
  /// direction.
  void respond(const Sweep& sweep, linalg::ConstView k, const Matrix& opposite, double gamma0_sq);

  /// Rows of the outgoing kernel: E' = M E + b A, or F' = Q F + b B.
  void outgoing_kernel(linalg::View out, Panel panel) const;

  /// Rows of the outgoing covariance, forward
  ///     S' = M S M^T + b^2 gamma0^2 (M E) D_w C_g' D_w (M E)^T + b^2 D_w C_h D_w:
  /// `near` is the correlation where the branch begins (C_h), `far` the one where it ends (C_g'). start_sq: b^2 times
  /// the variance of the branch's initial weights.
  void correlate(const Sweep& sweep, const Matrix& S, const Matrix& near, const Matrix& far, double start_sq,
                 double gamma0_sq, Matrix& S_out);

  /// Bytes an object of this size takes.
  [[nodiscard]] static double bytes(int nodes) { return 24.0 * nodes * nodes; }
};

/// rows = weight (start D_w R D_w + lr K * C) on the panel's rows
void branch_rows(linalg::View rows, const PanelTime& time, const Matrix& R, const Matrix& C, Scales::Array array,
                 double weight, Pass pass);

/// rows += weight D_w C D_w on the panel's rows
void add_decayed(linalg::View rows, const PanelTime& time, const Matrix& C, double weight);

}  // namespace lindmft::theory
