// One finite multilayer perceptron trained by the collapsed updates of theory.md section 2:
// no sample passes through it, only the data gradient forward and the readout backward.
#pragma once

#include <cstdint>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/padded.hpp"

namespace lindmft::training {

class FiniteNetwork {
 public:
  /// `sizes`: D, N_1 .. N_L.
  FiniteNetwork(const Problem& problem, const std::vector<int>& sizes, std::uint64_t seed);

  /// g^L .. g^1 from the weights, and with them the predictor.
  void backward();
  /// h^1 .. h^L from the data gradient in input().
  void forward();
  /// The same, and then the update of step t. h and g keep their values from before it.
  void forward_and_update(int t);

  /// w_hat, without the one at initialization where the network is centered (theory.md section 1). After backward().
  void predictor(PaddedVector& w_hat) const;
  /// Where the data gradient u = h^0 goes.
  [[nodiscard]] PaddedVector& input() { return h_.front(); }
  /// |h^l|^2 / N_l and |g^l|^2 / N_l for l = 1 .. L
  [[nodiscard]] double feature_norm(int l) const;
  [[nodiscard]] double gradient_norm(int l) const;
  /// Spread over l = 0 .. L of g^l . h^l, which are equal in exact arithmetic (theory.md section 12 item 8, here per
  /// network; l = 0 is the data side, gamma0 w_hat . u N_L / D). Relative to the largest of the sums of |terms|.
  [[nodiscard]] double chain_residual() const;

  /// Bytes it takes.
  [[nodiscard]] static double bytes(const std::vector<double>& sizes, bool momentum);

 private:
  Optimizer optimizer_;
  double gamma0_;                      // richness, the effective one
  std::vector<double> multipliers_;    // L + 1  c_l, layer_lr
  std::vector<PaddedMatrix> weights_;  // L of N_{l+1} x N_l  W^l
  std::vector<PaddedMatrix> buffers_;  // the same  momentum; empty without
  PaddedVector readout_;               // N_L  w^L
  PaddedVector readout_buffer_;        // N_L
  std::vector<PaddedVector> h_;        // L + 1 of N_l  h^l, the data gradient h^0 = u passed forward
  std::vector<PaddedVector> g_;        // L + 1 of N_l  g^l, the readout passed backward; g^0 = W^0^T g^1 / sqrt(D)
  PaddedVector initial_;               // D  w_hat(0) where centered, else zero
};

}  // namespace lindmft::training
