// The two sides of the mean-field equations, as the march sees them (theory.md section 3, last paragraph).
// Neither knows what the other is made of: a new architecture is a new NetworkSide, a new use of data a new DataSide.
#pragma once

#include <string>
#include <vector>

#include "linalg/causal.hpp"
#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "lindmft/solve.hpp"
#include "theory/core/saved.hpp"
#include "theory/core/scratch.hpp"
#include "theory/core/state.hpp"
#include "time_grid/panel_time.hpp"

namespace lindmft::theory {

/// What the data side gives the network. Regular variables (section 8): R_hr0 stands for R_hr^0 / gamma0.
struct DataField {
  const Matrix* C_h0;   ///< n x n, symmetric   correlation of the data gradient u = h^0
  const Matrix* R_hr0;  ///< n x n, causal      its response to r^0
};

/// What the network gives the data side. Regular variables: R_gu1 stands for R_gu^1 / gamma0.
struct NetworkField {
  const Matrix* C_g1;   ///< n x n, symmetric         correlation of g^1
  const Matrix* R_gu1;  ///< n x n, strictly causal   its response to u^1
};

/// One side of the self-check of section 12 item 8 at one node, in regular variables.
struct ChainTerm {
  double value;  ///< (nu_l / nu_L) <g^l h^l> / gamma0, or <w_hat . u> / D
  double scale;  ///< size of the terms it is the sum of
};

/// A two-time function that a sweep reads before it writes it: what has to converge.
struct Carried {
  Matrix* m;
  bool symmetric;
};

/// A correlation in which errors of a coarse grid would show. Forward ones follow the gradient to zero; what they do to
/// everything else fades with them.
struct Watched {
  const Matrix* C;
  bool forward;
};

/// What a pass over the equations works with: the panel's time, the products, and buffers for the moment.
struct Sweep {
  const PanelTime& time;
  linalg::PanelAlgebra& algebra;
  Scratch& scratch;
  linalg::RowChanges& changes;   ///< everything that is written notes here how much it changed
  bool responses_final = false;  ///< a pass over correlations alone: those of replicas (replicas.hpp)
  double settle = 0.0;  ///< relative change to which an implicit side iterates within this pass; 0: it does not
};

class NetworkSide {
 public:
  NetworkSide() = default;
  NetworkSide(const NetworkSide&) = delete;
  NetworkSide& operator=(const NetworkSide&) = delete;
  virtual ~NetworkSide() = default;

  /// First guess of a panel's rows: of everything, or of the correlations alone.
  virtual void guess(const linalg::Guess& guess, bool responses_final) = 0;
  /// Rows of everything backward, then forward.
  virtual void backward(const Sweep& sweep, const DataField& data) = 0;
  virtual void forward(const Sweep& sweep, const DataField& data) = 0;
  /// Rows of what nothing else depends on, once the panel's are final.
  virtual void finish(const Sweep& sweep, const DataField& data) = 0;
  [[nodiscard]] virtual NetworkField field() const = 0;
  /// What a sweep reads before it writes it.
  [[nodiscard]] virtual std::vector<Carried> carried() = 0;
  [[nodiscard]] virtual std::vector<Watched> watched() const = 0;
  /// All that later rows depend on.
  virtual void visit(const StateVisitor& visitor) = 0;
  /// Whether a sweep over a window of so many rows makes the first one exact, by causality.
  [[nodiscard]] virtual bool exact_first_row(int /*rows*/) const { return true; }
  /// Why the last sweep over a single row failed, with its changes infinite; empty if it is not known to be to blame.
  [[nodiscard]] virtual std::string failure() const { return {}; }

  /// Diagonals C_h^l(t,t), C_g^l(t,t), l = 1 .. L, of converged rows.
  [[nodiscard]] virtual int layers() const = 0;
  [[nodiscard]] virtual double feature_norm(int layer, int node) const = 0;
  [[nodiscard]] virtual double gradient_norm(int layer, int node) const = 0;
  [[nodiscard]] virtual std::vector<ChainTerm> chain(int node) const = 0;
  /// Where in depth they are: tau = l / L at infinite depth, else l.
  [[nodiscard]] virtual std::vector<double> depth() const;
  /// Estimated relative error of the representation in depth, at a converged node.
  [[nodiscard]] virtual double depth_error(int /*node*/) const { return 0.0; }
  /// Moves the two-time functions asked for into `out`, in the original variables.
  virtual void release(TwoTimeFunctions& out, const Saved& saved) = 0;

  /// What the kernel makes of what stands in the place of u at a node: sum over weight arrays of
  /// c_l (N_{l+1} / N_L) C_g^{l+1} C_h^l at equal times, with b^2 for branches (tangent_kernel.hpp).
  [[nodiscard]] virtual double kernel(int node, const DataField& data) const = 0;
};

/// Losses and the three terms of C_v at one node.
struct Losses {
  double test, train, term_target, term_init, term_data;
};

class DataSide {
 public:
  DataSide() = default;
  DataSide(const DataSide&) = delete;
  DataSide& operator=(const DataSide&) = delete;
  virtual ~DataSide() = default;

  /// First guess of a panel's rows: of everything, or of the correlations alone.
  virtual void guess(const linalg::Guess& guess, bool responses_final) = 0;
  /// Rows of everything on this side.
  virtual void update(const Sweep& sweep, const NetworkField& network) = 0;
  [[nodiscard]] virtual DataField field() const = 0;
  /// What a sweep reads before it writes it.
  [[nodiscard]] virtual std::vector<Carried> carried() = 0;
  [[nodiscard]] virtual std::vector<Watched> watched() const = 0;
  /// All that later rows depend on.
  virtual void visit(const StateVisitor& visitor) = 0;

  /// Whether a sweep makes the first row exact, by causality.
  [[nodiscard]] virtual bool exact_first_row() const { return true; }

  /// One entry a node of the panel, from converged rows.
  virtual std::vector<Losses> losses(const Sweep& sweep, const NetworkField& network) = 0;
  /// end: of the node's panel
  [[nodiscard]] virtual ChainTerm chain(int node, int end, const NetworkField& network) const = 0;
  /// What replicas share from now on: sweeps with final responses compute their cross-correlations.
  virtual void share(bool init, bool data) = 0;
  /// <x u(s)> for x = Lambda w*, per dimension and for all nodes; and |x|^2.
  [[nodiscard]] virtual std::vector<double> target_overlap(int nodes) const = 0;
  [[nodiscard]] virtual double target_size() const = 0;
  /// Whether no gradient has been there up to a node, whatever the network: nor have weights changed.
  [[nodiscard]] virtual bool nothing_learned(const PanelTime& time, int node) const = 0;
  /// The rounding error of C_h^0(t,t), which it must exceed so that u(t) has a direction.
  [[nodiscard]] virtual double least_gradient(int node, const NetworkField& network) const = 0;
  virtual void release(TwoTimeFunctions& out, const Saved& saved) = 0;
};

}  // namespace lindmft::theory
