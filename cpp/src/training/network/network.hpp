// Finite networks of one initialization, perceptrons or residual, trained by the collapsed updates of theory.md
// sections 2 and 4: no sample passes through them, only the data gradient forward and the readout backward, once for
// every network and output. These vectors are the rows of a block for each layer, network by network.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/weights/padded.hpp"
#include "training/weights/weight_array.hpp"

namespace lindmft::training {

/// Where initial weights come from: initialization `replica` of a seed.
struct Initialization {
  std::uint64_t seed;
  int replica = 0;
};

/// What is recorded besides losses and norms.
struct Extras {
  bool kernels = false;
  bool updates = false;
};

template <class T>
class Networks {
 public:
  /// One network a problem; they may differ in their optimizers, scales and centering. `sizes`: D, N_1 .. N_L.
  Networks(const std::vector<Problem>& problems, const std::vector<int>& sizes, Initialization origin,
           const Schedule& schedule, int threads);
  Networks(const Networks&) = delete;  // arrays point to the riders
  Networks& operator=(const Networks&) = delete;

  /// g^L .. g^1 from the weights, and with them the predictors.
  void backward();
  /// h^1 .. h^L from the data gradients in input().
  void forward();
  /// The same, and then the update of step t. h and g keep their values from before it.
  void forward_and_update(int t);

  /// w_hat of a network's output (theory.md section 1), without the one at initialization, which is that of the first
  /// call, where the network is centered. After backward().
  void predictor(int network, int output, T* w_hat);
  /// Where the data gradient u = h^0 goes.
  [[nodiscard]] T* input(int network = 0, int output = 0) { return h_.front().row(row(network, output)); }
  /// |h^l|^2 / N_l and |g^l|^2 / N_l for l = 1 .. L, summed over outputs
  [[nodiscard]] double feature_norm(int network, int l) const;
  [[nodiscard]] double gradient_norm(int network, int l) const;
  /// From here on updates are counted: h^1 .. h^L and g^1 .. g^L are those at initialization. After forward().
  void start_updates();
  /// |h^l - h^l(0)|^2 / N_l and |g^l - g^l(0)|^2 / N_l for l = 1 .. L, summed over outputs
  [[nodiscard]] double feature_update(int network, int l) const;
  [[nodiscard]] double gradient_update(int network, int l) const;
  /// Spread over l = 0 .. L of g^l . h^l, which are equal in exact arithmetic (theory.md section 12 item 8, here per
  /// network; l = 0 is the data side, gamma0 w_hat . u N_L / D). Relative to the largest of the sums of |terms|. The
  /// largest of the outputs.
  [[nodiscard]] double chain_residual(int network) const;

  /// x . NTK x / x . x of a network's first output, NTK the D x D matrix by which a small gradient step moves the
  /// predictor, d w_hat = eta NTK u: for x = u, whose h^1 .. h^L are there, ...
  [[nodiscard]] double kernel(int network) const { return kernel(network, h_); }
  /// ... and of all networks for any x, by a forward pass of its own. Both before the update. NaN for x = 0.
  [[nodiscard]] std::vector<double> kernels(const Padded<T>& x);

  /// Write or read the weights that training changes, and the signals kept from the start.
  void persist(Archive& archive);

  /// The network is lost: from now on it is zero, and takes no time.
  void drop(int network);

  /// W^l for l = 0 .. L - 1, and w^L of an output.
  [[nodiscard]] PaddedRows<T> weights(int network, int l) {
    return arrays_[static_cast<std::size_t>(l)]->weights(network);
  }
  [[nodiscard]] const T* readout(int network, int output) const { return readout_.row(row(network, output)); }

 private:
  using Layers = std::vector<PaddedRows<T>>;  // L + 1 of K C x N_l

  /// What a network has of its own besides its optimizer.
  struct Scale {
    double gamma0;                    // richness, the effective one
    double branch;                    // b of residual networks
    std::vector<double> multipliers;  // L + 1  c_l, layer_lr
    bool centered;
  };

  void draw_readouts(Initialization origin);
  [[nodiscard]] int row(int network, int output) const { return network * outputs_ + output; }
  [[nodiscard]] int count() const { return static_cast<int>(riders_.size()); }
  /// Does array l have a skip connection beside it?
  [[nodiscard]] bool skips(std::size_t l) const { return residual_ && l > 0; }
  void add_skip(std::size_t l, const PaddedRows<T>& from, PaddedRows<T>& to) const;
  void update_readout(int network, int t);
  void fold_if_full();
  [[nodiscard]] double norm(int network, const PaddedRows<T>& x) const;
  [[nodiscard]] double distance(int network, const PaddedRows<T>& x, const PaddedRows<T>& from) const;
  [[nodiscard]] double kernel(int network, const Layers& h) const;

  int outputs_;
  bool residual_;
  Schedule schedule_;
  int threads_;
  int age_ = 0;                                          // steps since the last fold
  std::vector<Rider> riders_;                            // K
  std::vector<Scale> scales_;                            // K
  std::vector<std::unique_ptr<WeightArray<T>>> arrays_;  // L
  PaddedRows<T> readout_;                                // K C x N_L  w^L
  PaddedRows<T> readout_buffer_;                         // the same  momentum
  Layers h_;                                             // h^l, the data gradient h^0 = u passed forward
  Layers g_;                                             // g^l, the readout passed backward; g^0 = W^0^T g^1 / sqrt(D)
  PaddedRows<T> initial_;  // K C x D  w_hat(0), of centered networks; empty before it is known
  Layers probe_;           // the forward pass of kernels(x); empty until asked for
  Layers first_h_;         // h^1 .. h^L at initialization; empty unless updates are counted
  Layers first_g_;         // g^1 .. g^L, the same
};

/// Bytes they take.
[[nodiscard]] double networks_bytes(const std::vector<int>& sizes, const Schedule& schedule, double networks,
                                    double outputs, bool momentum, const Extras& extras, double scalar);

}  // namespace lindmft::training
