// Multilayer perceptron: the network side of theory.md section 3, in the regular variables of section 8.
#pragma once

#include "problem/scales.hpp"
#include "theory/network/linear_process.hpp"

namespace lindmft::theory {

/// The network side of a perceptron.
class Mlp final : public NetworkSide {
 public:
  /// nodes: capacity; rows: the largest panel
  Mlp(const Problem& problem, int nodes, int rows);

  void guess(const linalg::Guess& guess, bool responses_final) override;
  [[nodiscard]] std::vector<Carried> carried() override;
  [[nodiscard]] std::vector<Watched> watched() const override;
  void visit(const StateVisitor& visitor) override;
  void backward(const Sweep& sweep, const DataField& data) override;
  void forward(const Sweep& sweep, const DataField& data) override;
  void finish(const Sweep& sweep, const DataField& data) override;
  [[nodiscard]] NetworkField field() const override { return {&layer(1).g.C, &layer(1).g.cross}; }

  [[nodiscard]] int layers() const override { return static_cast<int>(layers_.size()); }
  [[nodiscard]] double feature_norm(int l, int node) const override { return layer(l).h.C(node, node); }
  [[nodiscard]] double gradient_norm(int l, int node) const override { return layer(l).g.C(node, node); }
  [[nodiscard]] std::vector<ChainTerm> chain(int node) const override;
  void release(TwoTimeFunctions& out, const Saved& saved) override;
  [[nodiscard]] double tangent_kernel(int node, int weights, const DataField& data) const override;

  /// Bytes an object of these sizes takes.
  [[nodiscard]] static double bytes(const Problem& problem, int nodes, int rows);

 private:
  /// h = D_w u + A g and g = D_w r + B h: each is the other's partner. h.own = R_hu, h.cross = R_hr / gamma0,
  /// g.own = R_gr, g.cross = R_gu / gamma0.
  struct Layer {
    Layer(int nodes, int rows, int outputs)
        : h(nodes, rows, SourceFactor::decay, outputs), g(nodes, rows, SourceFactor::decay, outputs) {}
    LinearProcess h, g;
  };

  [[nodiscard]] Layer& layer(int l) { return layers_[static_cast<std::size_t>(l - 1)]; }
  [[nodiscard]] const Layer& layer(int l) const { return layers_[static_cast<std::size_t>(l - 1)]; }
  /// The sources of layer l are u^l ~ GP(0, C_h^{l-1}),  r^l ~ GP(0, (nu_{l+1} / nu_l) C_g^{l+1}), C_g^{L+1} = 1.
  linalg::ConstView forward_kernel(int l, const Sweep& sweep, const DataField& data);
  linalg::ConstView backward_kernel(int l, const Sweep& sweep);
  void correlate_features(int l, const Sweep& sweep, const DataField& data);
  [[nodiscard]] Source forward_source(int l, const DataField& data) const;
  [[nodiscard]] Source backward_source(int l) const;

  [[nodiscard]] Scales::Array array(int l) const { return scales_.arrays[static_cast<std::size_t>(l)]; }

  Scales scales_;
  std::vector<Layer> layers_;  // l = 1 .. L at index l - 1
  std::vector<double> width_;  // nu_l / nu_L, l = 1 .. L
};

}  // namespace lindmft::theory
