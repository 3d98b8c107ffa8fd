// Finite networks with the same initialization, perceptrons or residual networks, trained by the collapsed updates of
// theory.md sections 2 and 4. Samples do not pass through them: for every network and output, only the data gradient
// passes forward and the readout backward. In each layer, these vectors are the rows of a block, network by network.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lindmft/problem.hpp"
#include "problem/scales.hpp"
#include "training/network/averaged_weights.hpp"
#include "training/weights/padded.hpp"
#include "training/weights/weight_array.hpp"

namespace lindmft::training {

/// The origin of initial weights: initialization `replica` of a seed.
struct Initialization {
  std::uint64_t seed;
  int replica = 0;
};

/// The optional observables, besides losses and norms.
struct Extras {
  bool kernels = false;
  bool updates = false;
  bool spectrum = false;
  bool modes = false;
  bool average = false;
};

/// Networks that share initial weights, their weights and their signals.
template <class T>
class Networks {
 public:
  /// One network for each problem. The problems may differ in optimizer, scales and centering. `sizes`: D, N_1 .. N_L.
  Networks(const std::vector<Problem>& problems, const std::vector<int>& sizes, Initialization origin,
           const Schedule& schedule, int threads);
  Networks(const Networks&) = delete;  // arrays refer to networks_
  Networks& operator=(const Networks&) = delete;

  /// Computes g^L .. g^1 from the weights, and g^0, from which predictor() follows.
  void backward();
  /// Computes h^1 .. h^L from the data gradients in input().
  void forward();
  /// The same, followed by the update of step t. h and g keep their values from before the update.
  void forward_and_update(int t);

  /// Writes w_hat of a network's output (theory.md section 1), after backward(). If the network is centered, w_hat at
  /// initialization, that of the first call, is subtracted.
  void predictor(int network, int output, T* w_hat);
  /// Moves averaged weights towards the current ones: (1 - share) average + share W. The first share is 1.
  void move_average(double share);
  /// Writes w_hat of averaged weights, as predictor() does.
  void average_predictor(int network, int output, T* w_hat);
  /// The vector to which the caller writes the data gradient u = h^0.
  [[nodiscard]] T* input(int network = 0, int output = 0) { return h_.front().row(row(network, output)); }
  /// |h^l|^2 / N_l and |g^l|^2 / N_l for l = 1 .. L, summed over outputs.
  [[nodiscard]] double feature_norm(int network, int l) const;
  [[nodiscard]] double gradient_norm(int network, int l) const;
  /// Stores the current h^1 .. h^L and g^1 .. g^L as those at initialization, from which updates are measured. After
  /// forward().
  void start_updates();
  /// |h^l - h^l(0)|^2 / N_l and |g^l - g^l(0)|^2 / N_l for l = 1 .. L, summed over outputs.
  [[nodiscard]] double feature_update(int network, int l) const;
  [[nodiscard]] double gradient_update(int network, int l) const;
  /// Spread over l = 0 .. L of g^l . h^l, which are equal in exact arithmetic (theory.md section 12 item 8, here per
  /// network; l = 0 is the data side, gamma0 w_hat . u N_L / D). Relative to the largest of the sums of |terms|. The
  /// largest of the outputs.
  [[nodiscard]] double chain_residual(int network) const;

  /// The Rayleigh quotient x . NTK x / x . x of a network's first output for x = u, before the update. NTK is the D x D
  /// matrix of a small gradient step, d w_hat = eta NTK u.
  [[nodiscard]] double kernel_quotient(int network) const { return kernel_quotient(network, h_); }
  /// The same for all networks and any x, by a separate forward pass. NaN for x = 0.
  [[nodiscard]] std::vector<double> kernel_quotients(const Padded<T>& x);
  /// out = NTK x with the kernel of each network's first output, for one row a network, by a forward and a backward
  /// pass. After backward(), whose g^l the kernel contains.
  void kernel_product(Rows<const T> x, Rows<T> out);

  /// Writes or reads the weights that training changes, and the stored signals from initialization.
  void persist(Archive& archive);
  /// The same of averaged weights.
  void persist_average(Archive& archive);

  /// Removes a diverged network: from now on its vectors are zero, and it takes no time.
  void drop(int network);

  /// W^l for l = 0 .. L - 1, and the readout w^L of an output.
  [[nodiscard]] PaddedRows<T> weights(int network, int l) {
    return arrays_[static_cast<std::size_t>(l)]->weights(network);
  }
  [[nodiscard]] const T* readout(int network, int output) const { return readout_.row(row(network, output)); }

 private:
  using Layers = std::vector<PaddedRows<T>>;  // L + 1 of K C x N_l

  /// The parameters of a network besides its optimizer.
  struct Scale {
    double gamma0;                      // effective richness
    double branch;                      // b of residual networks
    std::vector<Scales::Array> arrays;  // L + 1
    bool centered;
  };

  void draw_readouts(Initialization origin);
  void scaled_predictor(int network, const T* g0, T* w_hat) const;
  void make_average();
  [[nodiscard]] int row(int network, int output) const { return network * outputs_ + output; }
  [[nodiscard]] int count() const { return static_cast<int>(networks_.size()); }
  /// Whether array l has a parallel skip connection.
  [[nodiscard]] bool skips(std::size_t l) const { return residual_ && l > 0; }
  void add_skip(std::size_t l, const PaddedRows<T>& from, PaddedRows<T>& to) const;
  void update_readout(int network, int t);
  void fold_if_full();
  [[nodiscard]] double norm(int network, const PaddedRows<T>& x) const;
  [[nodiscard]] double distance(int network, const PaddedRows<T>& x, const PaddedRows<T>& from) const;
  [[nodiscard]] double kernel_quotient(int network, const Layers& h) const;
  [[nodiscard]] double kernel_share(int network, std::size_t l) const;
  [[nodiscard]] double norm_per_entry(int network, const PaddedRows<T>& x) const;
  void pass_probe();
  void make_room(Layers& layers) const;

  int outputs_;
  bool residual_;
  Schedule schedule_;
  int threads_;
  int age_ = 0;                                          // steps since the last fold
  std::vector<TrainedNetwork> networks_;                 // K
  std::vector<Scale> scales_;                            // K
  std::vector<std::unique_ptr<WeightArray<T>>> arrays_;  // L
  PaddedRows<T> readout_;                                // K C x N_L  w^L
  PaddedRows<T> readout_buffer_;                         // the same  momentum
  Layers h_;                                             // h^l, the data gradient h^0 = u passed forward
  Layers g_;                                             // g^l, the readout passed backward; g^0 = W^0^T g^1 / sqrt(D)
  PaddedRows<T> initial_;  // K C x D  w_hat(0) of centered networks; empty before it is computed
  Layers probe_;           // the forward pass of kernel_quotients(x) and kernel_product(x); empty before the first call
  Layers returned_;        // the backward pass of kernel_product(x), the same
  std::unique_ptr<AveragedWeights<T>> average_;  // null before the first share
  Layers average_g_;                             // its backward pass, like g_
  Layers first_h_;                               // h^1 .. h^L at initialization; empty if updates are not recorded
  Layers first_g_;                               // g^1 .. g^L, the same
};

/// Bytes that these networks take.
[[nodiscard]] double networks_bytes(const std::vector<int>& sizes, const Schedule& schedule, double networks,
                                    double outputs, bool momentum, const Extras& extras, double scalar);

}  // namespace lindmft::training
