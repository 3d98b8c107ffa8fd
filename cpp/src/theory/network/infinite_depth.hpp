// Residual network of infinite depth: the Riccati equations of theory.md section 5 with D_w, by collocation in depth,
// in the regular variables of section 8.
//
// Depth is implicit. A sweep improves all nodes at once, along with all rows of its window; a window of one row is
// solved, so that the march gets ahead where that does not converge.
#pragma once

#include "problem/scales.hpp"
#include "theory/network/crossing.hpp"
#include "theory/network/depth_grid.hpp"

namespace lindmft::theory {

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
  [[nodiscard]] NetworkField field() const override { return {&nodes_.front().at.g.C, &R_gu1_}; }
  [[nodiscard]] bool exact_first_row(int rows) const override { return rows == 1; }
  [[nodiscard]] std::string failure() const override { return failure_; }

  /// Profiles over depth: one "layer" a node.
  [[nodiscard]] int layers() const override { return grid_.size(); }
  [[nodiscard]] double feature_norm(int l, int node) const override { return this->node(l).at.h.C(node, node); }
  [[nodiscard]] double gradient_norm(int l, int node) const override { return this->node(l).at.g.C(node, node); }
  [[nodiscard]] std::vector<double> depth() const override { return grid_.tau(); }
  [[nodiscard]] double depth_error(int node) const override;
  [[nodiscard]] std::vector<ChainTerm> chain(int node) const override;
  void release(TwoTimeFunctions& out, const Saved& saved) override;
  [[nodiscard]] double kernel(int node, const DataField& data) const override;

  /// Bytes an object of these sizes takes.
  [[nodiscard]] static double bytes(int nodes, int rows, int depth_nodes);

 private:
  /// What one direction carries through a depth: E or F, and its equation.
  struct Direction {
    Direction(int nodes, int rows);
    Matrix kernel;              // n x n, causal   E or F
    Matrix branch;              // n x n, causal   Ahat or Bhat
    Matrix turn;                // n x n, causal   gamma0^2 E Bhat, or gamma0^2 F Ahat
    Matrix d_kernel, d_source;  // p x n   derivatives, without their linear part
  };
  struct Node {
    Node(int nodes, int rows) : at(nodes, rows), forward(nodes, rows), backward(nodes, rows) {}
    Crossing at;
    Direction forward, backward;
  };

  /// What the equations of one direction know at one depth; the other direction's mirror it.
  struct Going {
    Direction& my;
    const Matrix& opposite;  // the branch of the other direction
    Matrix &S, &S_partner;
    LinearProcess &x, &partner;
  };
  class RowState;

  [[nodiscard]] const Node& node(int l) const { return nodes_[static_cast<std::size_t>(l - 1)]; }
  static Going going(Node& node, bool ahead);
  void derivatives(const Sweep& sweep, const Going& at);
  void integrate(const Sweep& sweep, bool ahead);
  void meet(const Sweep& sweep, const Going& at);
  void improve(const Sweep& sweep, bool ahead);
  void settle(const Sweep& sweep, bool ahead);
  void pass(const Sweep& sweep, bool ahead);
  double iterate(const Sweep& sweep, bool ahead, RowState& state);
  void solve_row(const Sweep& sweep, bool ahead);

  Scales scales_;
  double branch_sq_;  // beta0^2
  DepthGrid grid_;
  std::vector<Node> nodes_;
  Matrix R_gu1_;               // n x n, strictly causal   R_gu^1 / gamma0
  std::vector<double> decay_;  // n   d, as of the last finish()
  std::string failure_;        // of the last single row
};

}  // namespace lindmft::theory
