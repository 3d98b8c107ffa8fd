// One weight array of several networks with the same initial weights, K networks of C outputs each, and its products
// with a vector of every network and output: the rows of a block, network by network.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lindmft/problem.hpp"
#include "training/weights/archive.hpp"
#include "training/weights/coefficients.hpp"
#include "training/weights/method.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// One of the networks.
struct Rider {
  Optimizer optimizer;
  double start;         // init_scale
  Coefficients memory;  // of the factored methods
  bool active = true;   // false: diverged, and its vectors are zero
  int steps = 0;        // updates done
};

/// What a network's products with one array are multiplied by, and its gradients.
struct ArrayScale {
  double product;     // b_l / sqrt(N_l)
  double rank_one;    // gamma0 b_l / sqrt(N_l)
  double multiplier;  // c_l, layer_lr
};

/// Writes the initial weights, of standard deviation 1, into one row of the array.
template <class T>
using DrawRow = std::function<void(int, std::span<T>)>;

struct ArraySetup {
  int rows;
  int cols;
  int outputs;
  Schedule schedule;
  int threads;
};

template <class T>
class WeightArray {
 public:
  WeightArray() = default;
  WeightArray(const WeightArray&) = delete;
  WeightArray& operator=(const WeightArray&) = delete;
  virtual ~WeightArray() = default;

  /// out = scale W^T g, each network with its own W
  virtual void backward(Rows<const T> g, Rows<T> out) = 0;
  /// out = scale W h
  virtual void forward(Rows<const T> h, Rows<T> out) = 0;
  /// The same, and then the update of step t along rank_one g h^T. The riders' memories have the step after it.
  virtual void forward_and_update(int t, Rows<const T> h, Rows<T> out, Rows<const T> g) = 0;
  /// Once the riders' memories have the step: fold what was learned into the weights.
  virtual void fold() {}
  /// Write or read the values that training changes; the memories of networks that share an array are kept elsewhere.
  virtual void persist(Archive& archive) = 0;
  /// A network's W
  [[nodiscard]] virtual PaddedRows<T> weights(int network) = 0;
};

/// `riders` outlive the array.
template <class T>
[[nodiscard]] std::unique_ptr<WeightArray<T>> make_weight_array(const ArraySetup& setup,
                                                                const std::vector<Rider>& riders,
                                                                std::vector<ArrayScale> scales, const DrawRow<T>& draw);

/// Bytes that it takes for so many networks.
[[nodiscard]] double weight_array_bytes(const Schedule& schedule, double networks, double rows, double cols,
                                        double outputs, bool momentum, double scalar);

}  // namespace lindmft::training
