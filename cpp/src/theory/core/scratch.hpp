// Panel-sized buffers, allocated once and shared by both sides.
#pragma once

#include <array>

#include "linalg/blas.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::theory {

class Scratch {
 public:
  static constexpr int kBuffers = 8;

  [[nodiscard]] static double bytes(int nodes, int rows) { return 8.0 * rows * (1.0 * kBuffers * nodes + rows); }

  /// Room for panels of at most `rows` rows and `cols` columns.
  Scratch(int rows, int cols) : block_(rows, rows) {
    for (Matrix& m : buffers_) m = Matrix(rows, cols);
  }
  /// Buffer i, seen as rows x cols; its content is whatever was there.
  linalg::View operator()(int i, int rows, int cols) {
    return linalg::leading(buffers_[static_cast<std::size_t>(i)], rows, cols);
  }

  /// A p x p buffer for the systems within a panel.
  linalg::View block(int p) { return linalg::leading(block_, p, p); }

 private:
  Matrix block_;
  std::array<Matrix, kBuffers> buffers_;
};

}  // namespace lindmft::theory
