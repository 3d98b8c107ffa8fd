#include "linalg/skinny.hpp"

#include <algorithm>
#include <string_view>

#include "support/platform.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // all functions that return vectors here are inlined, so that no ABI changes

// The blocks kept in registers fill the 32 wide registers of AVX-512; with fewer or narrower registers dgemm is faster.
// In builds without clones (sanitizers), these loops are compiled for the build's instruction set and are always used,
// so that they are checked.

namespace lindmft::linalg {
namespace {

using Index = std::ptrdiff_t;

constexpr int kLanes = 8;
// Rows of a that are processed together: few pages, and a block of their columns fits the first-level cache.
constexpr int kDepth = 64;
constexpr int kColumnsAhead = 96;  // distance of prefetching, in columns to the right
constexpr int kRowsAhead = 48;     // distance of prefetching, in rows below, if the matrix ends before
// Terms of a dot product that are summed together: the rows involved stay in the first-level cache.
constexpr int kDotDepth = 256;
constexpr int kPanelRows = 64;    // rows of x that are packed together
constexpr int kGroupRows = 8;     // rows of a register block of x a
constexpr int kDotGroupRows = 4;  // rows of a register block of x a^T
constexpr int kDotColumns = 6;    // columns of a register block of x a^T

// Eight doubles, which the compiler maps to vector registers; they may lie anywhere in memory. Clang loses the
// alignment of a reference that a function returns, so values are returned.
using Lanes [[gnu::vector_size(kLanes * sizeof(double))]] = double;
using Loose [[gnu::vector_size(kLanes * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] = double;
using LaneBits [[gnu::vector_size(kLanes * sizeof(double))]] = long long;

[[gnu::always_inline]] inline Lanes lanes(const double* p) { return *reinterpret_cast<const Loose*>(p); }
[[gnu::always_inline]] inline void store(double* p, const Lanes& x) { *reinterpret_cast<Loose*>(p) = x; }

/// All ones in the lanes from `first` on.
[[gnu::always_inline]] inline LaneBits lanes_from(int first) {
  return LaneBits{0, 1, 2, 3, 4, 5, 6, 7} >= LaneBits{} + first;
}

/// Splits rows into the fewest groups of at most `most`, as equal as can be.
class Groups {
 public:
  Groups(int rows, int most) : rows_(rows), count_((rows + most - 1) / most) {}
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] int begin(int group) const { return rows_ * group / count_; }
  [[nodiscard]] int size(int group) const { return begin(group + 1) - begin(group); }

 private:
  int rows_;
  int count_;
};

void multiply(View out, double beta) {
  if (beta == 1.0) return;
  for (int i = 0; i < out.rows; ++i) {
    double* row = out.row(i);
    if (beta == 0.0) {
      std::fill_n(row, out.cols, 0.0);  // also overwrites NaN
    } else {
      for (int j = 0; j < out.cols; ++j) row[j] *= beta;
    }
  }
}

// Products x a: every entry is one chain of additions along k, in every block. x is packed: for each group of rows,
// column after column.

/// Adds to a register block of Rows rows. The leading `keep` columns are not written (only if Vectors is 1).
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void add_tile(View out, const double* x, ConstView a, Index ahead, int keep) {
  Lanes sum[Rows][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sum[i][v] = lanes(out.row(i) + v * kLanes);

  const double* row = a.data;
  for (int k = 0; k < a.rows; ++k, row += a.ld, x += Rows) {
    Lanes y[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      y[v] = lanes(row + v * kLanes);
      __builtin_prefetch(row + v * kLanes + ahead, 0, 2);
    }
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) sum[i][v] += x[i] * y[v];
  }

#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      double* to = out.row(i) + v * kLanes;
      store(to, Vectors > 1 ? sum[i][v] : lanes_from(keep) ? sum[i][v] : lanes(to));
    }
}

/// The same for all rows of the panel; after the first group the block of a is read from the first-level cache.
template <int Vectors>
[[gnu::always_inline]] inline void add_tile_groups(View out, const double* x, ConstView a, const Groups& groups,
                                                   Index ahead, int keep = 0) {
  for (int g = 0; g < groups.count(); ++g) {
    const int rows = groups.size(g);
    const View part = out.block(groups.begin(g), 0, rows, out.cols);
    const double* part_of_x = x + groups.begin(g) * a.rows;
    if (rows == 1) add_tile<1, Vectors>(part, part_of_x, a, ahead, keep);
    if (rows == 2) add_tile<2, Vectors>(part, part_of_x, a, ahead, keep);
    if (rows == 3) add_tile<3, Vectors>(part, part_of_x, a, ahead, keep);
    if (rows == 4) add_tile<4, Vectors>(part, part_of_x, a, ahead, keep);
    if constexpr (Vectors <= 3) {  // larger blocks would not fit the registers
      if (rows == 5) add_tile<5, Vectors>(part, part_of_x, a, ahead, keep);
      if (rows == 6) add_tile<6, Vectors>(part, part_of_x, a, ahead, keep);
      if (rows == 7) add_tile<7, Vectors>(part, part_of_x, a, ahead, keep);
      if (rows == 8) add_tile<8, Vectors>(part, part_of_x, a, ahead, keep);
    }
  }
}

/// Processes whole blocks from column j on; returns the column where they end.
template <int Vectors>
[[gnu::always_inline]] inline int add_tiles(View out, const double* x, ConstView a, const Groups& groups, Index ahead,
                                            int j) {
  constexpr int width = Vectors * kLanes;
  for (; j + width <= out.cols; j += width)
    add_tile_groups<Vectors>(out.block(0, j, out.rows, width), x, a.block(0, j, a.rows, width), groups, ahead);
  return j;
}

/// The product for matrices narrower than a vector.
[[gnu::always_inline]] inline void add_narrow(View out, const double* x, ConstView a, const Groups& groups) {
  for (int g = 0; g < groups.count(); ++g)
    for (int k = 0; k < a.rows; ++k)
      for (int i = groups.begin(g); i < groups.begin(g + 1); ++i, ++x)
        for (int j = 0; j < out.cols; ++j) out(i, j) += *x * a(k, j);
}

void pack(double* packed, ConstView x, const Groups& groups, double scale) {
  for (int g = 0; g < groups.count(); ++g)
    for (int k = 0; k < x.cols; ++k)
      for (int i = groups.begin(g); i < groups.begin(g + 1); ++i) *packed++ = scale * x(i, k);
}

LINDMFT_WIDE void add_strip(View out, const double* x, ConstView a, const Groups& groups) {
  if (out.cols < kLanes) return add_narrow(out, x, a, groups);
  const Index ahead = out.cols > kColumnsAhead ? kColumnsAhead : kRowsAhead * a.ld;
  int j = 0;
  if (out.rows <= kGroupRows / 2) j = add_tiles<6>(out, x, a, groups, ahead, j);
  j = add_tiles<3>(out, x, a, groups, ahead, j);
  j = add_tiles<1>(out, x, a, groups, ahead, j);
  if (j == out.cols) return;
  const int last = out.cols - kLanes;  // the remaining columns, together with some that are done already
  add_tile_groups<1>(out.block(0, last, out.rows, kLanes), x, a.block(0, last, a.rows, kLanes), groups, ahead,
                     j - last);
}

// Products x a^T: every entry is eight chains along k, summed in one fixed order at the end of each kDotDepth.

[[gnu::always_inline]] inline Lanes add_halves(const Lanes& x, const Lanes& y) {
  return __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
}
[[gnu::always_inline]] inline Lanes add_quarters(const Lanes& x, const Lanes& y) {
  return __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13) +
         __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
}
[[gnu::always_inline]] inline Lanes add_eighths(const Lanes& x, const Lanes& y) {
  return __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14) +
         __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
}

/// Lane j is the sum over the lanes of s_j.
[[gnu::always_inline]] inline Lanes totals(const Lanes (&s)[kLanes]) {
  return add_eighths(add_quarters(add_halves(s[0], s[4]), add_halves(s[2], s[6])),
                     add_quarters(add_halves(s[1], s[5]), add_halves(s[3], s[7])));
}

/// Adds products of eight terms from k on; lanes outside the mask count as zero.
template <int Rows>
[[gnu::always_inline]] inline void add_terms(Lanes (&sum)[Rows][kLanes], ConstView x,
                                             const double* const (&a)[kDotColumns], int k, const LaneBits& mask,
                                             Index ahead) {
  Lanes y[Rows];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) y[i] = (Lanes)((LaneBits)lanes(x.row(i) + k) & mask);
#pragma GCC unroll 8
  for (int j = 0; j < kDotColumns; ++j) {
    const Lanes z = (Lanes)((LaneBits)lanes(a[j] + k) & mask);
    __builtin_prefetch(a[j] + k + ahead, 0, 2);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) sum[i][j] += y[i] * z;
  }
}

/// Adds a register block of Rows rows and up to kDotColumns columns. The vector before x and a must be readable.
template <int Rows>
[[gnu::always_inline]] inline void add_dots(View out, ConstView x, ConstView a, double scale) {
  Lanes sum[Rows][kLanes] = {};
  const double* rows_of_a[kDotColumns];
#pragma GCC unroll 8
  // Unused columns repeat the last one.
  for (int j = 0; j < kDotColumns; ++j) rows_of_a[j] = a.row(std::min(j, a.rows - 1));

  const int whole = x.cols / kLanes * kLanes;
  const Index ahead = kDotColumns * a.ld;  // the next block
  for (int k = 0; k < whole; k += kLanes) add_terms<Rows>(sum, x, rows_of_a, k, ~LaneBits{}, ahead);
  if (const int rest = x.cols - whole; rest > 0)
    add_terms<Rows>(sum, x, rows_of_a, x.cols - kLanes, lanes_from(kLanes - rest), ahead);

#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
    double total[kLanes];
    store(total, totals(sum[i]));
    for (int j = 0; j < out.cols; ++j) out(i, j) += scale * total[j];
  }
}

LINDMFT_WIDE void add_dot_strip(View out, ConstView x, ConstView a, const Groups& groups, double scale) {
  for (int j = 0; j < out.cols; j += kDotColumns) {
    const int cols = std::min(kDotColumns, out.cols - j);
    const ConstView rows_of_a = a.block(j, 0, cols, a.cols);
    for (int g = 0; g < groups.count(); ++g) {
      const int rows = groups.size(g);
      const View part = out.block(groups.begin(g), j, rows, cols);
      const ConstView part_of_x = x.block(groups.begin(g), 0, rows, x.cols);
      if (rows == 1) add_dots<1>(part, part_of_x, rows_of_a, scale);
      if (rows == 2) add_dots<2>(part, part_of_x, rows_of_a, scale);
      if (rows == 3) add_dots<3>(part, part_of_x, rows_of_a, scale);
      if (rows == 4) add_dots<4>(part, part_of_x, rows_of_a, scale);
    }
  }
}

/// The product for sums shorter than a vector.
LINDMFT_WIDE void add_short_dots(View out, ConstView x, ConstView a, double scale) {
  for (int i = 0; i < out.rows; ++i)
    for (int j = 0; j < out.cols; ++j) {
      double sum = 0.0;
      for (int k = 0; k < x.cols; ++k) sum += x(i, k) * a(j, k);
      out(i, j) += scale * sum;
    }
}

}  // namespace

bool streams_skinny_products() {
#ifdef LINDMFT_NO_CLONES
  return true;
#else
  static const bool wide = std::string_view(support::instruction_set()) == "x86-64-v4";
  return wide;
#endif
}

void skinny_product(View out, ConstView x, ConstView a, double scale, double beta) {
  if (!streams_skinny_products()) return gemm(out, x, a, Transpose::no, scale, beta);
  multiply(out, beta);
  alignas(64) double packed[kPanelRows * kDepth];
  for (int i = 0; i < out.rows; i += kPanelRows) {
    const int rows = std::min(kPanelRows, out.rows - i);
    const Groups groups(rows, kGroupRows);
    for (int k = 0; k < x.cols; k += kDepth) {
      const int depth = std::min(kDepth, x.cols - k);
      pack(packed, x.block(i, k, rows, depth), groups, scale);
      add_strip(out.block(i, 0, rows, out.cols), packed, a.block(k, 0, depth, a.cols), groups);
    }
  }
}

void skinny_product_transposed(View out, ConstView x, ConstView a, double scale, double beta) {
  if (!streams_skinny_products()) return gemm(out, x, a, Transpose::yes, scale, beta);
  multiply(out, beta);
  if (x.cols < kLanes) return add_short_dots(out, x, a, scale);
  const Groups groups(out.rows, kDotGroupRows);
  for (int k = 0; k < x.cols; k += kDotDepth) {
    const int depth = std::min(kDotDepth, x.cols - k);
    add_dot_strip(out, x.block(0, k, x.rows, depth), a.block(0, k, a.rows, depth), groups, scale);
  }
}

}  // namespace lindmft::linalg
