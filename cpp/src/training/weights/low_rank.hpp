// The updates of one weight array of one network, as the factors of sum_s c_s g_s h_s^T (theory.md section 11).
#pragma once

#include <span>

#include "training/weights/archive.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// Pairs of factors, in the order of steps.
template <class T>
class LowRank {
 public:
  /// Allocates memory for `capacity` steps of `outputs` pairs each, for an array of rows x cols.
  LowRank(int rows, int cols, int capacity, int outputs);

  /// Adds one step: the pairs g, h of every output.
  void push(Rows<const T> g, Rows<const T> h);
  void clear() { pairs_ = 0; }
  void persist(Archive& archive);

  /// out += scale sum_s c_s (g_s . g) h_s, or with g and h exchanged; c has one entry for each step.
  void add_backward(std::span<const double> c, double scale, const T* g, T* out);
  void add_forward(std::span<const double> c, double scale, const T* h, T* out);

  /// w = keep w + scale sum_s c_s g_s h_s^T
  void add_to(std::span<const double> c, double scale, T keep, Rows<T> w, int threads);

 private:
  void add(std::span<const double> c, double scale, Rows<const T> onto, const T* x, Rows<const T> from, T* out);
  [[nodiscard]] T coefficient(std::span<const double> c, double scale, int pair) const {
    return static_cast<T>(scale * c[static_cast<std::size_t>(pair / outputs_)]);
  }

  int outputs_;
  int pairs_ = 0;
  PaddedRows<T> g_;  // pairs x rows
  PaddedRows<T> h_;  // pairs x cols
  Padded<T> share_;  // pairs: c_s times the inner product
};

}  // namespace lindmft::training
