#include "linalg/skinny.hpp"

#include <algorithm>

#include "support/simd.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are returned by functions that are always inlined

namespace lindmft::linalg {
namespace {

using Index = std::ptrdiff_t;

constexpr int kLanes = 8;
#ifndef KD
#define KD 128
#endif
#ifndef NP
#define NP 0
#endif
#ifndef PF
#define PF 1
#endif
#ifndef PD
#define PD 1
#endif
#ifndef PL
#define PL 3
#endif
#ifndef KT
#define KT 512
#endif
constexpr int kDepth = KD;
constexpr int kDotDepth = KT;
constexpr int kPanelRows = 64;

// Eight doubles anywhere, which GCC and Clang map to the vector registers there are.
using Lanes [[gnu::vector_size(kLanes * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] = double;
using Bits [[gnu::vector_size(kLanes * sizeof(double))]] = long long;

[[gnu::always_inline]] inline const Lanes& lanes(const double* p) { return *reinterpret_cast<const Lanes*>(p); }
[[gnu::always_inline]] inline Lanes& lanes(double* p) { return *reinterpret_cast<Lanes*>(p); }

void prescale(View out, double beta) {
  for (int i = 0; i < out.rows; ++i) {
    double* row = out.row(i);
    if (beta == 0.0) std::fill_n(row, out.cols, 0.0);
    else if (beta != 1.0) std::for_each_n(row, out.cols, [beta](double& value) { value *= beta; });
  }
}

template <int Rows, int Vectors>
[[gnu::always_inline]] inline void accumulate(View out, const double* x, ConstView a, int ahead) {
  Lanes sum[Rows][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sum[i][v] = lanes(out.row(i) + v * kLanes);
  const double* row = a.data;
  for (int k = 0; k < a.rows; ++k, row += a.ld, x += Rows) {
    Lanes r[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      r[v] = lanes(row + v * kLanes);
      if (PF && ahead) __builtin_prefetch(row + ahead * PD + v * kLanes, 0, PL);
    }
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) sum[i][v] += x[i] * r[v];
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) lanes(out.row(i) + v * kLanes) = sum[i][v];
}

template <int Vectors>
[[gnu::always_inline]] inline void accumulate_rows(View out, const double* x, ConstView a, int ahead) {
  switch (out.rows) {
    case 1: return accumulate<1, Vectors>(out, x, a, ahead);
    case 2: return accumulate<2, Vectors>(out, x, a, ahead);
    case 3: return accumulate<3, Vectors>(out, x, a, ahead);
    case 4: return accumulate<4, Vectors>(out, x, a, ahead);
    default: break;
  }
  if constexpr (Vectors <= 3) {
    switch (out.rows) {
      case 5: return accumulate<5, Vectors>(out, x, a, ahead);
      case 6: return accumulate<6, Vectors>(out, x, a, ahead);
      case 7: return accumulate<7, Vectors>(out, x, a, ahead);
      case 8: return accumulate<8, Vectors>(out, x, a, ahead);
      default: break;
    }
  }
}

inline int begin_of_group(int group, int groups, int rows) { return rows * group / groups; }

template <int Vectors>
[[gnu::always_inline]] inline void accumulate_groups(View out, const double* x, ConstView a, int groups, int ahead) {
  for (int g = 0; g < groups; ++g) {
    const int begin = begin_of_group(g, groups, out.rows);
    const int end = begin_of_group(g + 1, groups, out.rows);
    accumulate_rows<Vectors>(out.block(begin, 0, end - begin, out.cols), x + begin * a.rows, a, g == 0 ? ahead : 0);
  }
}

template <int Vectors>
[[gnu::always_inline]] inline int accumulate_tiles(View out, const double* x, ConstView a, int groups, int j) {
  constexpr int width = Vectors * kLanes;
  for (; j + width <= out.cols; j += width)
    accumulate_groups<Vectors>(out.block(0, j, out.rows, width), x, a.block(0, j, a.rows, width), groups, width);
  return j;
}

[[gnu::always_inline]] inline void accumulate_rest(View out, const double* x, ConstView a, int groups) {
  double a_padded[kDepth * kLanes];
  double out_padded[kPanelRows * kLanes];
  for (int k = 0; k < a.rows; ++k)
    for (int j = 0; j < kLanes; ++j) a_padded[k * kLanes + j] = j < a.cols ? a(k, j) : 0.0;
  for (int i = 0; i < out.rows; ++i)
    for (int j = 0; j < kLanes; ++j) out_padded[i * kLanes + j] = j < out.cols ? out(i, j) : 0.0;
  accumulate_groups<1>({out_padded, out.rows, kLanes, kLanes}, x, {a_padded, a.rows, kLanes, kLanes}, groups, 0);
  for (int i = 0; i < out.rows; ++i) std::copy_n(out_padded + i * kLanes, out.cols, out.row(i));
}

void pack(double* packed, ConstView x, int groups, double scale) {
  for (int g = 0; g < groups; ++g) {
    const int begin = begin_of_group(g, groups, x.rows);
    const int end = begin_of_group(g + 1, groups, x.rows);
    for (int k = 0; k < x.cols; ++k)
      for (int i = begin; i < end; ++i) *packed++ = scale * x(i, k);
  }
}

LINDMFT_CLONES void add_panel(View out, ConstView x, ConstView a, double scale) {
  const int groups = (out.rows + 7) / 8;
  alignas(64) double packed[kPanelRows * kDepth];
  for (int k = 0; k < x.cols; k += kDepth) {
    const int depth = std::min(kDepth, x.cols - k);
    pack(packed, x.block(0, k, x.rows, depth), groups, scale);
    const ConstView strip = a.block(k, 0, depth, a.cols);
    int j = 0;
    if (out.rows <= 4) j = accumulate_tiles<6>(out, packed, strip, groups, j);
    j = accumulate_tiles<3>(out, packed, strip, groups, j);
    j = accumulate_tiles<1>(out, packed, strip, groups, j);
    if (j < out.cols)
      accumulate_rest(out.block(0, j, out.rows, out.cols - j), packed, strip.block(0, j, depth, out.cols - j), groups);
  }
}

// ---- transposed

[[gnu::always_inline]] inline Lanes halves(const Lanes& x, const Lanes& y) {
  return __builtin_shuffle(x, y, Bits{0, 1, 2, 3, 8, 9, 10, 11}) + __builtin_shuffle(x, y, Bits{4, 5, 6, 7, 12, 13, 14, 15});
}
[[gnu::always_inline]] inline Lanes quarters(const Lanes& x, const Lanes& y) {
  return __builtin_shuffle(x, y, Bits{0, 1, 8, 9, 4, 5, 12, 13}) + __builtin_shuffle(x, y, Bits{2, 3, 10, 11, 6, 7, 14, 15});
}
[[gnu::always_inline]] inline Lanes eighths(const Lanes& x, const Lanes& y) {
  return __builtin_shuffle(x, y, Bits{0, 8, 2, 10, 4, 12, 6, 14}) + __builtin_shuffle(x, y, Bits{1, 9, 3, 11, 5, 13, 7, 15});
}
// lane of totals: 
[[gnu::always_inline]] inline Lanes totals(const Lanes (&s)[8]) {
  const Lanes a = quarters(halves(s[0], s[4]), halves(s[2], s[6]));
  const Lanes b = quarters(halves(s[1], s[5]), halves(s[3], s[7]));
  return eighths(a, b);
}

[[gnu::always_inline]] inline Lanes masked(const Lanes& x, const Bits& mask) { return (Lanes)((Bits)x & mask); }

template <int Rows, int Cols>
[[gnu::always_inline]] inline void dots(View out, ConstView x, ConstView a, double scale, Index ahead) {
  Lanes sum[Rows][8] = {};
  const double* row[Cols];
#pragma GCC unroll 8
  for (int j = 0; j < Cols; ++j) row[j] = a.row(std::min(j, a.rows - 1));
  const int whole = x.cols / kLanes * kLanes;
  for (int k = 0; k < whole; k += kLanes) {
    Lanes r[Rows];
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) r[i] = lanes(x.row(i) + k);
#pragma GCC unroll 8
    for (int j = 0; j < Cols; ++j) {
      const Lanes c = lanes(row[j] + k);
      if (NP && ahead) __builtin_prefetch(row[j] + k + (NP > 1 ? NP : ahead), 0, PL);
#pragma GCC unroll 8
      for (int i = 0; i < Rows; ++i) sum[i][j] += r[i] * c;
    }
  }
  if (const int rest = x.cols - whole; rest > 0) {
    const Bits mask = Bits{0, 1, 2, 3, 4, 5, 6, 7} >= Bits{} + (kLanes - rest);
    const int k = x.cols - kLanes;
    Lanes r[Rows];
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) r[i] = masked(lanes(x.row(i) + k), mask);
#pragma GCC unroll 8
    for (int j = 0; j < Cols; ++j) {
      const Lanes c = masked(lanes(row[j] + k), mask);
#pragma GCC unroll 8
      for (int i = 0; i < Rows; ++i) sum[i][j] += r[i] * c;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
    const Lanes total = totals(sum[i]);
    if (Cols == 8 && out.cols == 8) {
      lanes(out.row(i)) += scale * total;
    } else {
      for (int j = 0; j < out.cols; ++j) out(i, j) += scale * total[j];
    }
  }
}

template <int Cols>
[[gnu::always_inline]] inline void dot_groups(View out, ConstView x, ConstView a, int groups, double scale) {
  for (int g = 0; g < groups; ++g) {
    const int begin = begin_of_group(g, groups, out.rows);
    const int rows = begin_of_group(g + 1, groups, out.rows) - begin;
    const View o = out.block(begin, 0, rows, out.cols);
    const ConstView xx = x.block(begin, 0, rows, x.cols);
    switch (rows) {
      case 1: dots<1, Cols>(o, xx, a, scale, g == 0 ? Cols * a.ld : 0); break;
      case 2: dots<2, Cols>(o, xx, a, scale, g == 0 ? Cols * a.ld : 0); break;
      case 3: dots<3, Cols>(o, xx, a, scale, g == 0 ? Cols * a.ld : 0); break;
      case 4: if constexpr (Cols <= 6) dots<4, Cols>(o, xx, a, scale, g == 0 ? Cols * a.ld : 0); break;
    }
  }
}

template <int Cols>
[[gnu::always_inline]] inline void dot_tiles(View out, ConstView x, ConstView a, int groups, double scale) {
  for (int j = 0; j < out.cols; j += Cols) {
    const int cols = std::min(Cols, out.cols - j);
    dot_groups<Cols>(out.block(0, j, out.rows, cols), x, a.block(j, 0, cols, a.cols), groups, scale);
  }
}

LINDMFT_CLONES void add_dots(View out, ConstView x, ConstView a, double scale) {
  if (x.cols < kLanes) {
    for (int i = 0; i < out.rows; ++i)
      for (int j = 0; j < out.cols; ++j) {
        double sum = 0.0;
        for (int k = 0; k < x.cols; ++k) sum += x(i, k) * a(j, k);
        out(i, j) += scale * sum;
      }
    return;
  }
  const int groups = (out.rows + 3) / 4;
  for (int k = 0; k < x.cols; k += kDotDepth) {
    const int depth = std::min(kDotDepth, x.cols - k);
    const ConstView xs = x.block(0, k, x.rows, depth);
    const ConstView strip = a.block(0, k, a.rows, depth);
    if (out.rows > 3 * groups) dot_tiles<6>(out, xs, strip, groups, scale);
    else dot_tiles<8>(out, xs, strip, groups, scale);
  }
}

}  // namespace

void skinny_product(View out, ConstView x, ConstView a, double scale, double beta) {
  prescale(out, beta);
  for (int i = 0; i < out.rows; i += kPanelRows) {
    const int rows = std::min(kPanelRows, out.rows - i);
    add_panel(out.block(i, 0, rows, out.cols), x.block(i, 0, rows, x.cols), a, scale);
  }
}

void skinny_product_transposed(View out, ConstView x, ConstView a, double scale, double beta) {
  prescale(out, beta);
  if (out.rows > 0) add_dots(out, x, a, scale);
}

}  // namespace lindmft::linalg
