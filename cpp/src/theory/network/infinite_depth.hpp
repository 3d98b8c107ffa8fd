// Residual network of infinite depth: the Riccati equations of theory.md section 5 with D_w, by collocation in depth,
// in the regular variables of section 8.
//
// The equations in depth are implicit. A sweep improves all nodes and all rows of its window together. A window of one
// row is iterated to convergence, so that the march can continue where sweeps of several rows do not converge.
#pragma once

#include "problem/scales.hpp"
#include "theory/core/memory_kernel.hpp"
#include "theory/network/crossing.hpp"
#include "theory/network/depth_grid.hpp"

namespace lindmft::theory {

/// The network side of a residual network of infinite depth.
class InfiniteDepth final : public NetworkSide {
 public:
  /// nodes: capacity in time; rows: the largest panel; depth_nodes: at least 2
  InfiniteDepth(const Problem& problem, int nodes, int rows, int depth_nodes);

  void guess(const linalg::Guess& guess, bool responses_final) override;
  [[nodiscard]] std::vector<Carried> carried() override;
  [[nodiscard]] std::vector<Watched> watched() const override;
  void visit(const StateVisitor& visitor) override;
  void backward(const Sweep& sweep, const DataField& data) override;
  void forward(const Sweep& sweep, const DataField& data) override;
  void finish(const Sweep& sweep, const DataField& data) override;
  [[nodiscard]] NetworkField field() const override { return {&nodes_.front().crossing.g.C, &R_gu1_}; }
  [[nodiscard]] bool exact_first_row(int rows) const override { return rows == 1; }
  [[nodiscard]] std::string failure() const override { return failure_; }

  /// Profiles over depth: every node counts as one layer.
  [[nodiscard]] int layers() const override { return grid_.size(); }
  [[nodiscard]] double feature_norm(int l, int node) const override { return this->node(l).crossing.h.C(node, node); }
  [[nodiscard]] double gradient_norm(int l, int node) const override { return this->node(l).crossing.g.C(node, node); }
  [[nodiscard]] std::vector<double> depth() const override { return grid_.tau(); }
  [[nodiscard]] double depth_error(int node) const override;
  [[nodiscard]] std::vector<ChainTerm> chain(int node) const override;
  void release(TwoTimeFunctions& out, const Saved& saved) override;
  [[nodiscard]] double tangent_kernel(int node, int weights, const DataField& data) const override;

  /// Bytes an object of these sizes takes.
  [[nodiscard]] static double bytes(int nodes, int rows, int depth_nodes);

 private:
  /// The functions of one direction at one depth: E or F, and its equation.
  struct Direction {
    Direction(int nodes, int rows);
    Matrix kernel;              // n x n, causal   E or F
    Matrix branch;              // n x n, causal   Ahat or Bhat
    Matrix round_trip;          // n x n, causal   gamma0^2 E Bhat, or gamma0^2 F Ahat
    Matrix d_kernel, d_source;  // p x n   derivatives, without their linear part
  };
  struct Node {
    Node(int nodes, int rows) : crossing(nodes, rows), forward(nodes, rows), backward(nodes, rows) {}
    Crossing crossing;
    Direction forward, backward;
  };

  /// The functions in the equations of one direction at one depth. The equations of both directions have the same form.
  struct DirectionView {
    Direction& my;
    const Matrix& opposite;  // branch of the other direction
    Matrix &S, &S_partner;
    LinearProcess &x, &partner;
    Pass pass;
  };
  class RowState;

  [[nodiscard]] const Node& node(int l) const { return nodes_[static_cast<std::size_t>(l - 1)]; }
  static DirectionView direction(Node& node, bool is_forward);
  void derivatives(const Sweep& sweep, const DirectionView& view);
  void integrate(const Sweep& sweep, bool is_forward);
  void couple_directions(const Sweep& sweep, const DirectionView& view);
  void sweep_direction(const Sweep& sweep, bool is_forward);
  void iterate_panel(const Sweep& sweep, bool is_forward);
  void solve_direction(const Sweep& sweep, bool is_forward);
  double iterate_row(const Sweep& sweep, bool is_forward, RowState& state);
  void solve_row(const Sweep& sweep, bool is_forward);

  Scales scales_;
  double branch_sq_;  // beta0^2
  double start_sq_;   // the same times the variance of the branches' initial weights
  DepthGrid grid_;
  std::vector<Node> nodes_;
  Matrix R_gu1_;               // n x n, strictly causal   R_gu^1 / gamma0
  std::vector<double> decay_;  // n   d, as of the last finish()
  std::string failure_;        // reason why the last single row failed
};

}  // namespace lindmft::theory
