// Residual network of finite depth: the two-sweep chain of theory.md section 4, in the regular variables of section 8.
// Work and memory are linear in depth.
#pragma once

#include "problem/scales.hpp"
#include "theory/network/crossing.hpp"
#include "theory/network/passage.hpp"

namespace lindmft::theory {

/// The network side of a residual network of finite depth.
class Residual final : public NetworkSide {
 public:
  /// nodes: capacity; rows: the largest panel
  Residual(const Problem& problem, int nodes, int rows);

  void guess(const linalg::Guess& guess, bool responses_final) override;
  [[nodiscard]] std::vector<Carried> carried() override;
  [[nodiscard]] std::vector<Watched> watched() const override;
  void visit(const StateVisitor& visitor) override;
  void backward(const Sweep& sweep, const DataField& data) override;
  void forward(const Sweep& sweep, const DataField& data) override;
  void finish(const Sweep& sweep, const DataField& data) override;
  [[nodiscard]] NetworkField field() const override { return {&layers_.front().g.C, &R_gu1_}; }

  [[nodiscard]] int layers() const override { return static_cast<int>(layers_.size()); }
  [[nodiscard]] double feature_norm(int l, int node) const override { return layer(l).h.C(node, node); }
  [[nodiscard]] double gradient_norm(int l, int node) const override { return layer(l).g.C(node, node); }
  [[nodiscard]] std::vector<ChainTerm> chain(int node) const override;
  void release(TwoTimeFunctions& out, const Saved& saved) override;
  [[nodiscard]] double tangent_kernel(int node, int weights, const DataField& data) const override;

  /// Bytes an object of these sizes takes.
  [[nodiscard]] static double bytes(const Problem& problem, int nodes, int rows);

 private:
  /// The branch between layers l and l + 1.
  struct Branch {
    explicit Branch(int nodes) : forward(nodes), backward(nodes) {}
    Passage forward, backward;
  };

  [[nodiscard]] Crossing& layer(int l) { return layers_[static_cast<std::size_t>(l - 1)]; }
  [[nodiscard]] const Crossing& layer(int l) const { return layers_[static_cast<std::size_t>(l - 1)]; }
  [[nodiscard]] Branch& branch(int l) { return branches_[static_cast<std::size_t>(l - 1)]; }
  [[nodiscard]] const Branch& branch(int l) const { return branches_[static_cast<std::size_t>(l - 1)]; }
  linalg::View forward_kernel(int l, const Sweep& sweep, const DataField& data);
  linalg::View backward_kernel(int l, const Sweep& sweep);
  void cross_backward(int l, const Sweep& sweep);
  void cross_forward(int l, const Sweep& sweep, const DataField& data);

  [[nodiscard]] Scales::Array array(int l) const { return scales_.arrays[static_cast<std::size_t>(l)]; }

  Scales scales_;
  double branch_sq_;              // b^2
  std::vector<Crossing> layers_;  // l = 1 .. L at index l - 1
  std::vector<Branch> branches_;  // l = 1 .. L - 1 at index l - 1
  Matrix R_gu1_;                  // n x n, strictly causal   R_gu^1 / gamma0
  std::vector<double> decay_;     // n   d, as of the last finish()
};

}  // namespace lindmft::theory
