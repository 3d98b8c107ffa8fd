// One finite network, perceptron or residual, trained by the collapsed updates of theory.md sections 2 and 4:
// no sample passes through it, only the data gradient forward and the readout backward, once for every output.
#pragma once

#include <cstdint>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/padded.hpp"

namespace lindmft::training {

class FiniteNetwork {
 public:
  /// `sizes`: D, N_1 .. N_L. `replica`: which initialization of the seed.
  FiniteNetwork(const Problem& problem, const std::vector<int>& sizes, std::uint64_t seed, int replica = 0);

  /// g^L .. g^1 from the weights, and with them the predictor.
  void backward();
  /// h^1 .. h^L from the data gradients in input().
  void forward();
  /// The same, and then the update of step t. h and g keep their values from before it.
  void forward_and_update(int t);

  /// w_hat, without the one at initialization where the network is centered (theory.md section 1). After backward().
  void predictor(PaddedVector& w_hat, int output = 0) const;
  /// Where the data gradient u = h^0 of an output goes.
  [[nodiscard]] PaddedVector& input(int output = 0) { return signals_[static_cast<std::size_t>(output)].h.front(); }
  /// |h^l|^2 / N_l and |g^l|^2 / N_l for l = 1 .. L, summed over outputs
  [[nodiscard]] double feature_norm(int l) const;
  [[nodiscard]] double gradient_norm(int l) const;
  /// Spread over l = 0 .. L of g^l . h^l, which are equal in exact arithmetic (theory.md section 12 item 8, here per
  /// network; l = 0 is the data side, gamma0 w_hat . u N_L / D). Relative to the largest of the sums of |terms|. The
  /// largest of the outputs.
  [[nodiscard]] double chain_residual() const;

  /// x . NTK x / x . x of the first output, NTK the D x D matrix by which a small gradient step moves the predictor,
  /// d w_hat = eta NTK u: for x = u, whose h^1 .. h^L are there, ...
  [[nodiscard]] double kernel() const { return kernel(signals_.front().h); }
  /// ... and for any x, by a forward pass of its own. Both before the update. 0 for x = 0.
  [[nodiscard]] double kernel(const PaddedVector& x);

  /// W^l for l = 0 .. L - 1, and w^L of an output.
  [[nodiscard]] const PaddedMatrix& weights(int l) const { return weights_[static_cast<std::size_t>(l)]; }
  [[nodiscard]] const PaddedVector& readout(int output = 0) const {
    return signals_[static_cast<std::size_t>(output)].readout;
  }

  /// Bytes it takes.
  [[nodiscard]] static double bytes(const std::vector<double>& sizes, const Problem& problem, bool kernels);

 private:
  using Layers = std::vector<PaddedVector>;  // L + 1 of N_l

  /// What one output has of its own.
  struct Signals {
    PaddedVector readout;         // N_L  w^L
    PaddedVector readout_buffer;  // N_L
    Layers h;                     // h^l, the data gradient h^0 = u passed forward
    Layers g;                     // g^l, the readout passed backward; g^0 = W^0^T g^1 / sqrt(D)
    PaddedVector initial;         // D  w_hat(0) where centered, else zero
  };

  void draw_weights(std::uint64_t seed, int replica, double scale);
  /// Does array l have a skip connection beside it?
  [[nodiscard]] bool skips(std::size_t l) const { return residual_ && l > 0; }
  /// b_l / sqrt(N_l), the scale of the products with W^l.
  [[nodiscard]] double product_scale(std::size_t l) const;
  void pass_forward(std::size_t l, Layers& h) const;
  void update_array(std::size_t l, int t);
  [[nodiscard]] double kernel(const Layers& h) const;

  Optimizer optimizer_;
  bool residual_;
  double gamma0_;                      // richness, the effective one
  double branch_;                      // b of residual networks
  std::vector<double> multipliers_;    // L + 1  c_l, layer_lr
  std::vector<PaddedMatrix> weights_;  // L of N_{l+1} x N_l  W^l
  std::vector<PaddedMatrix> buffers_;  // the same  momentum; empty without
  std::vector<Signals> signals_;       // C
  Layers probe_;                       // the forward pass of kernel(x); empty until asked for
};

}  // namespace lindmft::training
