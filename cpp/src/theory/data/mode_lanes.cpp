#include "theory/data/mode_lanes.hpp"

#include "support/platform.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // all functions that return vectors here are inlined, so that no ABI changes

namespace lindmft::theory::mode_lanes {

using linalg::ConstView;
using linalg::View;

namespace {

// Eight modes, which may lie anywhere in memory. Clang loses the alignment of a reference that a function returns, so
// values are returned.
using Lanes [[gnu::vector_size(kLanes * sizeof(double))]] = double;
using Loose [[gnu::vector_size(kLanes * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] = double;
[[gnu::always_inline]] inline Lanes lanes(const double* p) { return *reinterpret_cast<const Loose*>(p); }
[[gnu::always_inline]] inline void store(double* p, const Lanes& x) { *reinterpret_cast<Loose*>(p) = x; }
[[gnu::always_inline]] inline double total(const Lanes& x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

/// Calls solve for two vectors at a time, and for a single one at the end.
template <class Solve>
[[gnu::always_inline]] inline void for_vectors(int lanes_, Solve solve) {
  int v = 0;
  for (; v + 2 * kLanes <= lanes_; v += 2 * kLanes) solve.template operator()<2>(v);
  if (v < lanes_) solve.template operator()<1>(v);
}

/// Block of f with  f = e - lambda (known + f X),  X strictly lower triangular; f contains e, or e is zero (Zero).
/// Whole: kBlock columns.
template <bool Whole, bool Zero, int Vectors>
[[gnu::always_inline]] inline void solve_back_lanes(View f, ConstView known, const double* lambda, ConstView X, int v) {
  Lanes x[kBlock][Vectors];
  const int q = Whole ? kBlock : f.rows;
  for (int c = q - 1; c >= 0; --c) {
    for (int u = 0; u < Vectors; ++u) {
      Lanes sum = lanes(known.row(c) + v + u * kLanes);
#pragma GCC unroll 8
      for (int r = c + 1; r < q; ++r) sum += X(r, c) * x[r][u];
      const Lanes e = Zero ? Lanes{} : lanes(f.row(c) + v + u * kLanes);
      x[c][u] = e - lanes(lambda + v + u * kLanes) * sum;
      store(f.row(c) + v + u * kLanes, x[c][u]);
    }
  }
}

/// Block of y with  y = z - lambda (known + y X^T),  X strictly lower triangular; y contains z.
template <bool Whole, int Vectors>
[[gnu::always_inline]] inline void solve_forward_lanes(View y, ConstView known, const double* lambda, ConstView X,
                                                       int v) {
  Lanes x[kBlock][Vectors];
  const int q = Whole ? kBlock : y.rows;
  for (int c = 0; c < q; ++c) {
    for (int u = 0; u < Vectors; ++u) {
      Lanes sum = lanes(known.row(c) + v + u * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < c; ++r) sum += X(c, r) * x[r][u];
      x[c][u] = lanes(y.row(c) + v + u * kLanes) - lanes(lambda + v + u * kLanes) * sum;
      store(y.row(c) + v + u * kLanes, x[c][u]);
    }
  }
}

}  // namespace

LINDMFT_CLONES void solve_back(View f, ConstView known, const double* lambda, ConstView X, bool zero) {
  if (f.rows == kBlock && zero) {
    for_vectors(f.cols, [&]<int V>(int v) __attribute__((always_inline)) {
      solve_back_lanes<true, true, V>(f, known, lambda, X, v);
    });
  } else if (zero) {
    for_vectors(f.cols, [&]<int V>(int v) __attribute__((always_inline)) {
      solve_back_lanes<false, true, V>(f, known, lambda, X, v);
    });
  } else {
    for_vectors(f.cols, [&]<int V>(int v) __attribute__((always_inline)) {
      solve_back_lanes<false, false, V>(f, known, lambda, X, v);
    });
  }
}

LINDMFT_CLONES void solve_forward(View y, ConstView known, const double* lambda, ConstView X) {
  if (y.rows == kBlock) {
    for_vectors(y.cols, [&]<int V>(int v)
                            __attribute__((always_inline)) { solve_forward_lanes<true, V>(y, known, lambda, X, v); });
  } else {
    for_vectors(y.cols, [&]<int V>(int v)
                            __attribute__((always_inline)) { solve_forward_lanes<false, V>(y, known, lambda, X, v); });
  }
}

LINDMFT_CLONES void times_inverse(View rows, ConstView inverse, int stride, bool transposed, int chunk) {
  const int q = rows.rows;
  for (int v = 0; v < rows.cols; v += kLanes) {
    const int k = v % chunk;
    Lanes out[kDenseRows];
    for (int c = 0; c < q; ++c) {
      Lanes sum = {};
      for (int j = 0; j < q; ++j)
        sum += lanes(rows.row(j) + v) * lanes(inverse.row(transposed ? stride * c + j : stride * j + c) + k);
      out[c] = sum;
    }
    for (int c = 0; c < q; ++c) store(rows.row(c) + v, out[c]);
  }
}

LINDMFT_CLONES void subtract(View out, ConstView known, const double* lambda, bool zero) {
  for (int i = 0; i < out.rows; ++i) {
    for (int v = 0; v < out.cols; v += kLanes) {
      const Lanes e = zero ? Lanes{} : lanes(out.row(i) + v);
      store(out.row(i) + v, e - lanes(lambda + v) * lanes(known.row(i) + v));
    }
  }
}

LINDMFT_CLONES void add_lines(double* sums, ConstView f) {
  for (int s = 0; s < f.rows; ++s) {
    for (int v = 0; v < f.cols; v += kLanes) store(sums + v, lanes(sums + v) + lanes(f.row(s) + v));
  }
}

LINDMFT_CLONES void add_weighted_lines(double* sums, ConstView f, const double* weights) {
  for (int s = 0; s < f.rows; ++s) {
    for (int v = 0; v < f.cols; v += kLanes) store(sums + v, lanes(sums + v) + weights[s] * lanes(f.row(s) + v));
  }
}

LINDMFT_CLONES void add_patterned_line(double* sums, ConstView f, int s, ConstView patterns, int which, double weight) {
  const double* pattern = patterns.row(which);
  for (int v = 0; v < f.cols; v += kLanes)
    store(sums + v, lanes(sums + v) + weight * (lanes(pattern + v % patterns.cols) * lanes(f.row(s) + v)));
}

LINDMFT_CLONES void add_moments(View first, View second, ConstView f, const double* w1, const double* w2, int chunk) {
  for (int s = 0; s < f.rows; ++s) {
    for (int i = 0; i < first.rows; ++i) {
      Lanes a = {};
      Lanes b = {};
      for (int k = 0; k < chunk; k += kLanes) {
        const Lanes x = lanes(f.row(s) + i * chunk + k);
        a += lanes(w1 + k) * x;
        b += lanes(w2 + k) * x;
      }
      first(i, s) += total(a);
      second(i, s) += total(b);
    }
  }
}

LINDMFT_CLONES void add_congruences(View first, View second, ConstView y, ConstView target, const double* at,
                                    const double* w1, const double* w2, int chunk) {
  for (int s = 0; s < y.rows; ++s) {
    for (int i = 0; i < first.rows; ++i) {
      Lanes a = {};
      Lanes b = {};
      for (int k = 0; k < chunk; k += kLanes) {
        const Lanes x = lanes(y.row(s) + i * chunk + k) + lanes(at + i * chunk + k) * lanes(target.row(s) + k);
        a += lanes(w1 + k) * x;
        b += lanes(w2 + k) * x;
      }
      first(i, s) += total(a);
      second(i, s) += total(b);
    }
  }
}

LINDMFT_CLONES void join(View a, ConstView b, ConstView f, const double* lambda, double* by_a, double* by_b) {
  for (int v = 0; v < a.cols; v += kLanes) {
    Lanes sum_a = {};
    Lanes sum_b = {};
    for (int s = 0; s < a.rows; ++s) {
      const Lanes x = lanes(a.row(s) + v);
      const Lanes y = lanes(lambda + v) * lanes(b.row(s) + v);
      sum_a += x * lanes(f.row(s) + v);
      sum_b += y * lanes(f.row(s) + v);
      store(a.row(s) + v, x + y);
    }
    store(by_a + v, lanes(by_a + v) + sum_a);
    store(by_b + v, lanes(by_b + v) + sum_b);
  }
}

LINDMFT_CLONES void add_dots(ConstView a, ConstView f, double* by_a) {
  for (int v = 0; v < a.cols; v += kLanes) {
    Lanes sum = {};
    for (int s = 0; s < a.rows; ++s) sum += lanes(a.row(s) + v) * lanes(f.row(s) + v);
    store(by_a + v, lanes(by_a + v) + sum);
  }
}

LINDMFT_CLONES double weighted(const double* x, const double* w, int n) {
  Lanes sum = {};
  for (int k = 0; k < n; k += kLanes) sum += lanes(x + k) * lanes(w + k);
  return total(sum);
}

LINDMFT_CLONES void add(double* to, const double* from, std::ptrdiff_t n) {
  for (std::ptrdiff_t s = 0; s < n; ++s) to[s] += from[s];
}

}  // namespace lindmft::theory::mode_lanes
