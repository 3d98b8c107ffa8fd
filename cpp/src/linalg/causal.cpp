#include "linalg/causal.hpp"

#include <algorithm>

#include "linalg/skinny.hpp"
#include "support/interruption.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kBlockColumns = 48;  // columns of a block: a multiple of the register blocks in skinny.cpp, and small
                                   // enough that threads share evenly
// Number of operations below which threads on a busy machine cost more time than they save.
constexpr double kParallelWork = 4e7;

}  // namespace

template <class Columns>
void PanelAlgebra::for_column_blocks(View out, double work, Columns columns) {
  const int blocks = (out.cols + kBlockColumns - 1) / kBlockColumns;
  const auto block = [&](int i) { return columns(i * kBlockColumns, std::min(out.cols, (i + 1) * kBlockColumns)); };
  double flops = 0.0;
  support::interruption_point(work);
  if (threads_ == 1 || blocks == 1 || work < kParallelWork) {
    // A parallel region, even one of a single thread, would take longer than a small product.
    for (int i = blocks - 1; i >= 0; --i) flops += block(i);
  } else {
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(threads_) reduction(+ : flops)
#endif
    for (int i = blocks - 1; i >= 0; --i) flops += block(i);
  }
  flops_ += flops;
}

void PanelAlgebra::times_rows(View out, ConstView x, const Matrix& a, int rows, double scale) {
  for_column_blocks(out, 1.0 * out.rows * out.cols * rows, [&](int begin, int end) {
    const int first = map_->begin_of(begin);  // rows above this one are zero in these columns
    const int count = std::max(0, rows - first);
    skinny_product(out.block(0, begin, out.rows, end - begin), x.block(0, first, x.rows, count),
                   leading(a, rows, out.cols).block(first, begin, count, end - begin), scale, 0.0);
    return 2.0 * out.rows * count * (end - begin);
  });
}

void PanelAlgebra::times_transposed(View out, ConstView x, const Matrix& a, double scale, double beta) {
  const int b = out.cols;
  for_column_blocks(out, 1.0 * out.rows * b * b, [&](int begin, int end) {
    const int last = std::min(b, map_->end_of(end - 1));  // columns from here on are zero in these rows
    skinny_product_transposed(out.block(0, begin, out.rows, end - begin), x.block(0, 0, x.rows, last),
                              leading(a, b, b).block(begin, 0, end - begin, last), scale, beta);
    return 2.0 * out.rows * last * (end - begin);
  });
}

// a equals its transpose, and rows can be read from memory faster than columns.
void PanelAlgebra::times_symmetric(View out, ConstView x, const Matrix& a, double scale, double beta) {
  const int b = out.cols;
  for_column_blocks(out, 2.0 * out.rows * b * b, [&](int begin, int end) {
    skinny_product_transposed(out.block(0, begin, out.rows, end - begin), x,
                              leading(a, b, b).block(begin, 0, end - begin, b), scale, beta);
    return 2.0 * out.rows * b * (end - begin);
  });
}

}  // namespace lindmft::linalg
