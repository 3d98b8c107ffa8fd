// The interfaces of the two sides of the mean-field equations (theory.md section 3, last paragraph). Neither side
// depends on the kind of the other: a new architecture is a new NetworkSide, a new use of data a new DataSide.
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

/// The functions that the data side provides to the network side. Regular variables (section 8): R_hr0 stands for
/// R_hr^0 / gamma0.
struct DataField {
  const Matrix* C_h0;   ///< n x n, symmetric   correlation of the data gradient u = h^0
  const Matrix* R_hr0;  ///< n x n, causal      its response to r^0
};

/// The functions that the network side provides to the data side. Regular variables: R_gu1 stands for R_gu^1 / gamma0.
struct NetworkField {
  const Matrix* C_g1;   ///< n x n, symmetric         correlation of g^1
  const Matrix* R_gu1;  ///< n x n, strictly causal   its response to u^1
};

/// One side of the self-check of section 12 item 8 at one node, in regular variables.
struct ChainTerm {
  double value;  ///< (nu_l / nu_L) <g^l h^l> / gamma0, or <w_hat . u> / D
  double scale;  ///< size of the terms it is the sum of
};

/// A two-time function that a sweep reads before it writes it, so that it has to converge.
struct Carried {
  Matrix* m;
  bool symmetric;
};

/// A correlation from which the error of a coarse grid is estimated. Forward correlations follow the gradient to zero,
/// and their effect on other functions vanishes with them.
struct Watched {
  const Matrix* C;
  bool forward;
};

/// The arguments of one pass over the equations: the panel's time, the products, and temporary buffers.
struct Sweep {
  const PanelTime& time;
  linalg::PanelAlgebra& algebra;
  Scratch& scratch;
  linalg::RowChanges& changes;   ///< changes of all rows that are written
  bool responses_final = false;  ///< compute only correlations, those of replicas (replicas.hpp)
  /// Relative change to which an implicit side iterates within this pass; 0: no iteration.
  double inner_tolerance = 0.0;
};

/// The part of the interface that both sides share.
class Side {
 public:
  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  virtual ~Side() = default;

  /// First guess of a panel's rows: of all functions, or of the correlations alone.
  virtual void guess(const linalg::Guess& guess, bool responses_final) = 0;
  /// The functions that a sweep reads before it writes them.
  [[nodiscard]] virtual std::vector<Carried> carried() = 0;
  /// The correlations from which errors of coarse grids are estimated.
  [[nodiscard]] virtual std::vector<Watched> watched() const = 0;
  /// Visits all functions that later rows depend on.
  virtual void visit(const StateVisitor& visitor) = 0;
  /// Moves the requested two-time functions into `out`, in the original variables.
  virtual void release(TwoTimeFunctions& out, const Saved& saved) = 0;
};

/// The network side: the two-time functions of all layers.
class NetworkSide : public Side {
 public:
  /// Computes the rows of all backward functions, then of all forward functions.
  virtual void backward(const Sweep& sweep, const DataField& data) = 0;
  virtual void forward(const Sweep& sweep, const DataField& data) = 0;
  /// Computes the rows of functions that only the results need, once the panel's rows are final.
  virtual void finish(const Sweep& sweep, const DataField& data) = 0;
  [[nodiscard]] virtual NetworkField field() const = 0;
  /// Whether, by causality, a sweep over a window of `rows` rows makes the first one exact.
  [[nodiscard]] virtual bool exact_first_row(int /*rows*/) const { return true; }
  /// The reason why the last sweep over a single row failed (its changes are infinite then); empty if there is none.
  [[nodiscard]] virtual std::string failure() const { return {}; }

  /// Diagonals C_h^l(t,t), C_g^l(t,t), l = 1 .. L, of converged rows.
  [[nodiscard]] virtual int layers() const = 0;
  [[nodiscard]] virtual double feature_norm(int layer, int node) const = 0;
  [[nodiscard]] virtual double gradient_norm(int layer, int node) const = 0;
  [[nodiscard]] virtual std::vector<ChainTerm> chain(int node) const = 0;
  /// The layers' positions in depth: tau = l / L at infinite depth, otherwise l.
  [[nodiscard]] virtual std::vector<double> depth() const;
  /// Estimated relative error of the representation in depth, at a converged node.
  [[nodiscard]] virtual double depth_error(int /*node*/) const { return 0.0; }

  /// u N u for the tangent kernel N at the time of the node `weights` and the vector that takes the place of u at a
  /// node: the sum over weight arrays of c_l (N_{l+1} / N_L) C_g^{l+1} C_h^l at equal times, with b^2 for branches.
  [[nodiscard]] virtual double tangent_kernel(int node, int weights, const DataField& data) const = 0;
};

/// Losses and the three terms of C_v at one node.
struct Losses {
  double test, train, term_target, term_init, term_data;
  double first_task;  ///< test loss on the first target; zero without a second one

  Losses& operator+=(const Losses& other) {
    test += other.test;
    train += other.train;
    term_target += other.term_target;
    term_init += other.term_init;
    term_data += other.term_data;
    first_task += other.first_task;
    return *this;
  }
};

/// The parts of a row in the learning curve of a mode, without the weight of the mode for the last two.
struct ModeRow {
  double loss = 0.0;    ///< p_k lambda_k <v_k v_k>(t,t)
  double left = 0.0;    ///< <v_k w*_k>, what is not learned yet in the mean
  double target = 0.0;  ///< (w*_k)^2
};

/// The data side: the two-time functions of discrepancies and errors.
class DataSide : public Side {
 public:
  /// Computes the rows of all functions of this side.
  virtual void update(const Sweep& sweep, const NetworkField& network) = 0;
  [[nodiscard]] virtual DataField field() const = 0;

  /// Whether, by causality, a sweep makes the first row exact.
  [[nodiscard]] virtual bool exact_first_row() const { return true; }

  /// Losses at every node of the panel, from converged rows.
  virtual std::vector<Losses> losses(const Sweep& sweep, const NetworkField& network) = 0;
  /// A row of the learning curve of mode k, once losses() has been called. It needs follow_modes() from the start.
  [[nodiscard]] virtual ModeRow mode_row(int k, int node) const = 0;
  [[nodiscard]] virtual int modes() const = 0;
  virtual void follow_modes() = 0;
  /// end: the end of the node's panel
  [[nodiscard]] virtual ChainTerm chain(int node, int end, const NetworkField& network) const = 0;
  /// <v u> at equal times, per dimension; end: the end of the node's panel
  [[nodiscard]] virtual double alignment(int node, int end) const = 0;
  /// Sets what two replicas share; sweeps with final responses then compute their cross-correlations.
  virtual void share(bool init, bool data) = 0;
  /// <x u(s)> for x = Lambda w*, per dimension and for all nodes; and |x|^2.
  [[nodiscard]] virtual std::vector<double> target_overlap(int nodes) const = 0;
  [[nodiscard]] virtual double target_size() const = 0;
  /// Whether the gradient has been zero up to a node for every network, so that no weight has changed.
  [[nodiscard]] virtual bool nothing_learned(const PanelTime& time, int node) const = 0;
  /// The rounding error of C_h^0(t,t), which it must exceed so that u(t) has a direction.
  [[nodiscard]] virtual double least_gradient(int node, const NetworkField& network) const = 0;
};

}  // namespace lindmft::theory
