// Products of the rows of a panel with causal (block lower triangular) and symmetric matrices, in blocks of columns
// that threads share.
#pragma once

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// x and out are panels of p rows and b columns; a is read in its leading b x b block.
/// The blocks of columns depend on sizes alone, so that results do not depend on the number of threads, to the last
/// bit.
class PanelAlgebra {
 public:
  PanelAlgebra(const PanelMap& map, int threads) : map_(&map), threads_(threads) {}

  /// out = scale * x a, a causal
  void times_causal(View out, ConstView x, const Matrix& a, double scale = 1.0) {
    times_rows(out, x, a, out.cols, scale);
  }
  /// out = scale * x a, with only the first `rows` rows of a: the contribution of the history
  void times_history(View out, ConstView x, const Matrix& a, int rows, double scale = 1.0) {
    times_rows(out, x, a, rows, scale);
  }
  /// out = scale * x a^T + beta * out, a causal
  void times_transposed(View out, ConstView x, const Matrix& a, double scale = 1.0, double beta = 0.0);
  /// out = scale * x a + beta * out, a full (symmetric in its leading block)
  void times_symmetric(View out, ConstView x, const Matrix& a, double scale = 1.0, double beta = 0.0);

  [[nodiscard]] const PanelMap& map() const { return *map_; }
  /// Floating-point operations done so far, structural zeros skipped.
  [[nodiscard]] double flops() const { return flops_; }

 private:
  void times_rows(View out, ConstView x, const Matrix& a, int rows, double scale);
  template <class Columns>
  void for_column_blocks(View out, double work, Columns columns);

  const PanelMap* map_;
  int threads_;
  double flops_ = 0.0;
};

}  // namespace lindmft::linalg
