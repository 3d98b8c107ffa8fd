// Averages of the weights of several networks, Wbar(t) = (1 - a(t)) Wbar(t-1) + a(t) W(t), and their backward pass.
#pragma once

#include <memory>
#include <vector>

#include "training/weights/weight_array.hpp"

namespace lindmft::training {

/// The averaged weights of K networks with C outputs each.
template <class T>
class AveragedWeights {
 public:
  /// sizes: D, N_1 .. N_L; readouts: K C rows
  AveragedWeights(const std::vector<int>& sizes, int networks, int readouts);

  /// Moves the average of a network towards its weights: share is a(t).
  void move(int network, double share, const std::vector<std::unique_ptr<WeightArray<T>>>& arrays);
  void move_readout(int row, double share, const T* readout);

  /// out = scale W^T g for array l of a network
  void backward(int network, std::size_t l, T scale, const T* g, T* out) const;
  [[nodiscard]] const PaddedRows<T>& readouts() const { return readouts_; }

  /// Writes or reads the averages.
  void persist(Archive& archive);

  /// Bytes that the averages take.
  [[nodiscard]] static double bytes(const std::vector<int>& sizes, double networks, double outputs, double scalar);

 private:
  std::vector<std::vector<PaddedRows<T>>> arrays_;  // K of L arrays N_{l+1} x N_l
  PaddedRows<T> readouts_;                          // K C x N_L
};

}  // namespace lindmft::training
