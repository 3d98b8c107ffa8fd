// The interface of one weight array of K networks that share initial weights and have C outputs each. Its products take
// a vector for every network and output: the rows of a block, network by network.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lindmft/problem.hpp"
#include "support/interruption.hpp"
#include "training/weights/archive.hpp"
#include "training/weights/coefficients.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/method.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// The state of one of the networks that share initial weights.
struct TrainedNetwork {
  Optimizer optimizer;
  double init_scale;          // s, the largest of all arrays
  Coefficients coefficients;  // for the factored methods: how its weights follow from stored arrays
  bool active = true;         // false: the network has diverged, and its vectors are zero
  int steps = 0;              // number of updates done
};

/// The factors of a network's products with one array, and of its gradients.
struct ArrayScale {
  double product;     // b_l / sqrt(N_l)
  double rank_one;    // gamma0 b_l / sqrt(N_l)
  double multiplier;  // c_l, layer_lr
  double start;       // s_l / s, the scale of its initial weights relative to init_scale of the network
};

/// Writes the initial weights, of standard deviation 1, into one row of the array.
template <class T>
using DrawRow = std::function<void(int, std::span<T>)>;

/// Sizes of an array, and the method of its products.
struct ArraySetup {
  int rows;
  int cols;
  int outputs;
  Schedule schedule;
  int threads;
};

/// The weights of one layer, in all networks.
template <class T>
class WeightArray {
 public:
  WeightArray() = default;
  WeightArray(const WeightArray&) = delete;
  WeightArray& operator=(const WeightArray&) = delete;
  virtual ~WeightArray() = default;

  /// out = scale W^T g, with the W of each network.
  virtual void backward(Rows<const T> g, Rows<T> out) = 0;
  /// out = scale W h
  virtual void forward(Rows<const T> h, Rows<T> out) = 0;
  /// The same, followed by the update of step t along rank_one g h^T. The networks' coefficients are advanced
  /// afterwards.
  virtual void forward_and_update(int t, Rows<const T> h, Rows<T> out, Rows<const T> g) = 0;
  /// Adds the factors to the weights, after the networks' coefficients were advanced.
  virtual void fold() {}
  /// Writes or reads the values that training changes, without the coefficients of the networks, which belong to
  /// Networks.
  virtual void persist(Archive& archive) = 0;
  /// The W of one network.
  [[nodiscard]] virtual PaddedRows<T> weights(int network) = 0;
  /// average = (1 - share) average + share W of one network
  virtual void move_average(int network, double share, Rows<T> average) {
    const PaddedRows<T> w = weights(network);
    mix(average, w.view(), share);
  }

 protected:
  static void mix(Rows<T> average, Rows<const T> w, double share) {
    support::interruption_point(static_cast<double>(w.rows) * w.cols);
    for (int i = 0; i < w.rows; ++i)
      scale_and_add(average.row(i), static_cast<T>(1.0 - share), w.row(i), static_cast<T>(share), w.width());
  }
};

/// Creates an array by the schedule's method. `networks` must outlive the array.
template <class T>
[[nodiscard]] std::unique_ptr<WeightArray<T>> make_weight_array(const ArraySetup& setup,
                                                                const std::vector<TrainedNetwork>& networks,
                                                                std::vector<ArrayScale> scales, const DrawRow<T>& draw);

/// Bytes that an array takes for `networks` networks.
[[nodiscard]] double weight_array_bytes(const Schedule& schedule, double networks, double rows, double cols,
                                        double outputs, bool momentum, double scalar);

}  // namespace lindmft::training
