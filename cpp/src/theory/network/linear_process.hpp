// x = d a + k y: a Gaussian process driven by its own source a and by its partner y, which is driven by x in turn.
// Forward and backward signals of a layer are two such processes, each the other's partner (theory.md section 3).
#pragma once

#include <vector>

#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// Covariance of a source: scale * C, or a constant random number (all ones) where C is null.
struct Source {
  const Matrix* C;
  double scale;
};

/// How a source enters: times the decay of the initial weights (D_w), or as it is.
enum class SourceFactor { decay, one };

class LinearProcess {
 public:
  /// nodes: capacity; rows: the largest panel
  LinearProcess(int nodes, int rows, SourceFactor d = SourceFactor::decay);

  Matrix C;      // n x n, symmetric   correlation <x x>
  Matrix own;    // n x n, causal      response of x to its own source
  Matrix cross;  // n x n, causal      response of x to its partner's source, divided by gamma0

  /// First guess of a panel's rows of cross, or none: what a sweep computes before it reads it needs no guess.
  void guess_responses(const linalg::Guess& guess);
  void clear_responses(Panel panel);

  void visit(const std::string& prefix, const StateVisitor& visitor);

  /// Takes the kernel's rows k in: what the history contributes to the panel's rows, and the coupling within the panel.
  void set_kernel(const Sweep& sweep, linalg::ConstView k, const LinearProcess& partner, double gamma0_sq);

  /// Rows of the responses, from both kernels, the coupling within the panel solved exactly:
  ///     cross = k partner.own        own = d + gamma0^2 k partner.cross
  void respond(const Sweep& sweep, const LinearProcess& partner, double gamma0_sq);

  /// Rows of  C = own C_own own^T + gamma0^2 cross C_cross cross^T.
  void correlate(const Sweep& sweep, const LinearProcess& partner, Source own_source, Source cross_source,
                 double gamma0_sq);

  /// <x y> / gamma0 at one node, as of the last correlate(), y the partner.
  [[nodiscard]] ChainTerm with_partner(int node) const { return with_partner_[static_cast<std::size_t>(node)]; }

  /// Matrices, n x n and panels, that one process holds, in bytes.
  [[nodiscard]] static double bytes(int nodes, int rows) {
    return 8.0 * nodes * (3.0 * nodes + 2.0 * rows + 4.0) + 8.0 * rows * rows;
  }

 private:
  void respond(Matrix& response, const Sweep& sweep, const Matrix& history, const Matrix& partner_history,
               const LinearProcess& partner, double coupling, double gamma0_sq);

  SourceFactor d_;
  Matrix own_history_, cross_history_;       // p x n   the responses' rows without the coupling within the panel
  Matrix block_;                             // p x p   the kernel's columns of the panel
  std::vector<double> own_sum_, cross_sum_;  // n   row sums of the responses: what a constant source does
  std::vector<ChainTerm> with_partner_;      // n
};

}  // namespace lindmft::theory
