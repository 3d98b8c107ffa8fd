#include "linalg/causal.hpp"

#include <algorithm>

#include "linalg/skinny.hpp"
#include "support/interruption.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kTile = 48;  // columns: a multiple of the kernels' register tiles, small enough to share evenly
constexpr double kParallelWork = 4e7;  // operations below which threads gain less than they lose to a busy machine

}  // namespace

template <class Tile>
void PanelAlgebra::for_tiles(View out, double work, Tile tile) {
  const int tiles = (out.cols + kTile - 1) / kTile;
  const auto columns = [&](int i) { return tile(i * kTile, std::min(out.cols, (i + 1) * kTile)); };
  double flops = 0.0;
  support::interruption_point(work);
  if (threads_ == 1 || tiles == 1 || work < kParallelWork) {
    // Not even a region of one thread: its bookkeeping takes longer than small products.
    for (int i = tiles - 1; i >= 0; --i) flops += columns(i);
  } else {
#pragma omp parallel for schedule(dynamic) num_threads(threads_) reduction(+ : flops)
    for (int i = tiles - 1; i >= 0; --i) flops += columns(i);
  }
  flops_ += flops;
}

void PanelAlgebra::times_rows(View out, ConstView x, const Matrix& a, int rows, double scale) {
  for_tiles(out, 1.0 * out.rows * out.cols * rows, [&](int begin, int end) {
    const int first = map_->begin_of(begin);  // rows above are zero in these columns
    const int count = std::max(0, rows - first);
    skinny_product(out.block(0, begin, out.rows, end - begin), x.block(0, first, x.rows, count),
                   leading(a, rows, out.cols).block(first, begin, count, end - begin), scale, 0.0);
    return 2.0 * out.rows * count * (end - begin);
  });
}

void PanelAlgebra::times_transposed(View out, ConstView x, const Matrix& a, double scale, double beta) {
  const int b = out.cols;
  for_tiles(out, 1.0 * out.rows * b * b, [&](int begin, int end) {
    const int last = std::min(b, map_->end_of(end - 1));  // columns beyond are zero in these rows
    skinny_product_transposed(out.block(0, begin, out.rows, end - begin), x.block(0, 0, x.rows, last),
                              leading(a, b, b).block(begin, 0, end - begin, last), scale, beta);
    return 2.0 * out.rows * last * (end - begin);
  });
}

// a is its own transpose, and rows stream better than columns.
void PanelAlgebra::times_symmetric(View out, ConstView x, const Matrix& a, double scale, double beta) {
  const int b = out.cols;
  for_tiles(out, 2.0 * out.rows * b * b, [&](int begin, int end) {
    skinny_product_transposed(out.block(0, begin, out.rows, end - begin), x,
                              leading(a, b, b).block(begin, 0, end - begin, b), scale, beta);
    return 2.0 * out.rows * b * (end - begin);
  });
}

}  // namespace lindmft::linalg
