#include "training/weights/block_products.hpp"

#include <type_traits>

#include "linalg/blas.hpp"
#include "linalg/skinny.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/parts.hpp"

namespace lindmft::training {
namespace {

using linalg::Operand;
using linalg::Transpose;

constexpr double kLeastEntries = 1 << 16;  // least number of entries of an array for which a further thread saves time
constexpr int kMostParts = 16;             // largest number of parts for BLAS
constexpr double kMostEntries = 1 << 26;   // largest number of entries between two interruption points

/// Number of parts of an array for BLAS, whose sums may depend on the division into parts.
int fixed_parts(int rows, int cols) { return parts_of(static_cast<double>(rows) * cols, kLeastEntries, kMostParts); }

/// Number of parts for the passes of loops.hpp, whose sums do not depend on it.
int free_parts(int rows, int cols, int threads) {
  const double entries = static_cast<double>(rows) * cols;
  return parts_of(entries, kLeastEntries, threads) * static_cast<int>(1.0 + entries / threads / kMostEntries);
}

template <class T>
constexpr int kUnit = static_cast<int>(kLanes<T>);

/// out = beta out + x op(a) for the rows x of a block. BLAS would first copy (pack) all of a, which takes too long for
/// a few rows. Therefore the products in double precision use linalg/skinny.hpp; in single precision there is only
/// BLAS.
template <class T>
void multiply(Rows<T> out, Rows<const T> x, Rows<const T> a, Transpose op, T beta) {
  if constexpr (std::is_same_v<T, double>) {
    const auto product = op == Transpose::yes ? linalg::skinny_product_transposed : linalg::skinny_product;
    product({out.data, out.rows, out.cols, out.stride}, {x.data, x.rows, x.cols, x.stride},
            {a.data, a.rows, a.cols, a.stride}, 1.0, beta);
  } else {
    linalg::gemm(out.data, out.stride, out.rows, out.cols, x.cols, Operand<T>{x.data, x.stride},
                 Operand<T>{a.data, a.stride, op}, T{1}, beta);
  }
}

}  // namespace

template <class T>
void backward_products(Rows<const T> w, Rows<const T> g, T beta, Rows<T> out, int threads) {
  const bool single = g.rows == 1;
  const int parts = single ? free_parts(w.rows, w.cols, threads) : fixed_parts(w.rows, w.cols);
  for_each_part(parts, threads, [&](int i) {
    const auto [first, count] = interval(w.cols, parts, kUnit<T>, i);
    support::interruption_point(static_cast<double>(w.rows) * count * g.rows);
    if (single) {
      backward_product(w.columns(first, count), g.data, T{1}, beta, out.data + first);
    } else {
      multiply(out.columns(first, count), g, w.columns(first, count), Transpose::no, beta);
    }
  });
}

template <class T>
void forward_products(Rows<const T> w, Rows<const T> h, Rows<T> out, int threads) {
  const bool single = h.rows == 1;
  const int parts = single ? free_parts(w.rows, w.cols, threads) : fixed_parts(w.rows, w.cols);
  for_each_part(parts, threads, [&](int i) {
    const auto [first, count] = interval(w.rows, parts, kUnit<T>, i);
    support::interruption_point(static_cast<double>(count) * w.cols * h.rows);
    if (single) {
      forward_product(w.middle(first, count), h.data, T{1}, out.data + first);
    } else {
      multiply(out.columns(first, count), h, w.middle(first, count), Transpose::yes, T{});
    }
  });
}

template <class T>
void add_products(Rows<const T> g, Rows<const T> h, T keep, Rows<T> w, int threads) {
  const int parts = fixed_parts(w.rows, w.cols);
  for_each_part(parts, threads, [&](int i) {
    const auto [first, count] = interval(w.rows, parts, kUnit<T>, i);
    support::interruption_point(static_cast<double>(count) * w.cols * g.rows);
    linalg::gemm(w.row(first), w.stride, count, w.cols, g.rows, Operand<T>{g.data + first, g.stride, Transpose::yes},
                 Operand<T>{h.data, h.stride}, T{1}, keep);
  });
}

template void backward_products(Rows<const double>, Rows<const double>, double, Rows<double>, int);
template void backward_products(Rows<const float>, Rows<const float>, float, Rows<float>, int);
template void forward_products(Rows<const double>, Rows<const double>, Rows<double>, int);
template void forward_products(Rows<const float>, Rows<const float>, Rows<float>, int);
template void add_products(Rows<const double>, Rows<const double>, double, Rows<double>, int);
template void add_products(Rows<const float>, Rows<const float>, float, Rows<float>, int);

}  // namespace lindmft::training
