// x = d a + k y: a Gaussian process driven by its own source a and by its partner y, which is driven by x in turn.
// Forward and backward signals of a layer are two such processes, each the other's partner (theory.md section 3).
#pragma once

#include "theory/core/panel_rows.hpp"
#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// Covariance of a source: scale * C, or a random number for each output that is constant in time where C is null.
struct Source {
  const Matrix* C;
  double scale;
};

/// The factor d of a source: the decay of the initial weights (D_w), or 1.
enum class SourceFactor { decay, one };

/// The correlation and the responses of one process.
class LinearProcess {
 public:
  /// nodes: capacity; rows: the largest panel
  LinearProcess(int nodes, int rows, SourceFactor d = SourceFactor::decay, int outputs = 1);

  Matrix C;      // n x n, symmetric   correlation <x x>
  Matrix own;    // n x n, causal      response of x to its own source
  Matrix cross;  // n x n, causal      response of x to its partner's source, divided by gamma0

  /// First guess of a panel's rows of cross. Functions that a sweep computes before it reads them need no guess: their
  /// rows are cleared.
  void guess_responses(const linalg::Guess& guess);
  void clear_responses(Panel panel);

  void visit(const std::string& prefix, const StateVisitor& visitor);

  /// Sets the kernel's rows k: computes the history's contribution to the panel's rows, and stores the coupling within
  /// the panel.
  void set_kernel(const Sweep& sweep, linalg::ConstView k, const LinearProcess& partner, double gamma0_sq);

  /// Rows of the responses, from both kernels. The coupling within the panel is solved exactly:
  ///     cross = k partner.own        own = d + gamma0^2 k partner.cross
  void respond(const Sweep& sweep, const LinearProcess& partner, double gamma0_sq);

  /// Rows of  C = own C_own own^T + gamma0^2 cross C_cross cross^T.
  void correlate(const Sweep& sweep, const LinearProcess& partner, Source own_source, Source cross_source,
                 double gamma0_sq);

  /// <x y> / gamma0 at one node after the last correlate(), where y is the partner.
  [[nodiscard]] ChainTerm with_partner(int node) const { return with_partner_[static_cast<std::size_t>(node)]; }

  /// Bytes of the matrices of one process.
  [[nodiscard]] static double bytes(int nodes, int rows) {
    return 8.0 * nodes * (3.0 * nodes + 2.0 * rows + 4.0) + 8.0 * rows * rows;
  }

 private:
  void respond(Matrix& response, const Sweep& sweep, const Matrix& history, const Matrix& partner_history,
               const LinearProcess& partner, double coupling, double gamma0_sq);

  SourceFactor d_;
  Matrix own_history_, cross_history_;   // p x n   the responses' rows without the coupling within the panel
  Matrix block_;                         // p x p   the kernel's columns of the panel
  OutputSums own_sum_, cross_sum_;       // C of n   row sums of the responses: their action on a constant source
  std::vector<ChainTerm> with_partner_;  // n
};

}  // namespace lindmft::theory
