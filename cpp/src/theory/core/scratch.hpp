// Buffers of the size of a panel's rows, allocated once and shared by both sides.
#pragma once

#include <array>

#include "linalg/blas.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::theory {

/// Names of the buffers of Scratch. A function may overwrite the first three at any time; a caller that needs their
/// content across a call must use another one. The others keep their content through one pass of the side that fills
/// them. Both sides use the same memory under different names, one after the other.
enum class Buffer {
  rows,              ///< rows that are being computed
  left,              ///< left factor of a product of three matrices
  extra,             ///< a further factor or result of the same function
  kernel,            ///< network side: E or F of one crossing
  R_vu = kernel,     ///< data side: response of the discrepancy
  errors,            ///< R_Delta C_v R_Delta^T before noise; on long panels without the term of finite data
  R_delta = errors,  ///< R_Delta, before `errors` is computed
  result,            ///< rows of C_v or C_e while the first three buffers are in use
  lambda_Bt,         ///< lambda Bt of a single mode
  data_gradient,     ///< sum p lambda E_k: the term that finite data add to the gradient on long panels
  count
};

/// The buffers of a march.
class Scratch {
 public:
  static constexpr int kBuffers = static_cast<int>(Buffer::count);

  [[nodiscard]] static double bytes(int nodes, int rows) { return 8.0 * rows * (1.0 * kBuffers * nodes + rows); }

  /// rows, cols: room for panels of at most `rows` rows and `cols` columns.
  Scratch(int rows, int cols) : block_(rows, rows) {
    for (Matrix& m : buffers_) m = Matrix(rows, cols);
  }
  /// A buffer as a view of rows x cols, which still contains what was written to it last.
  linalg::View operator()(Buffer buffer, int rows, int cols) {
    return linalg::leading(buffers_[static_cast<std::size_t>(buffer)], rows, cols);
  }

  /// A p x p buffer for the systems within a panel.
  linalg::View block(int p) { return linalg::leading(block_, p, p); }

 private:
  Matrix block_;
  std::array<Matrix, kBuffers> buffers_;
};

}  // namespace lindmft::theory
