#include "training/kernels.hpp"

#include <algorithm>

#include "support/simd.hpp"

namespace lindmft::training {
namespace {

using Index = std::ptrdiff_t;

// A cache line of doubles, which GCC and Clang map to the vector registers there are; sums have eight lanes everywhere.
using Lanes [[gnu::vector_size(kLanes * sizeof(double)), gnu::may_alias]] = double;

[[gnu::always_inline]] inline const Lanes& lanes(const double* p) { return *reinterpret_cast<const Lanes*>(p); }
[[gnu::always_inline]] inline Lanes& lanes(double* p) { return *reinterpret_cast<Lanes*>(p); }

[[gnu::always_inline]] inline double total(const Lanes& x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// What happens to a row of weights while its product with h is taken: nothing, or a step of SGD without or with
// momentum. A call treats the eight columns from `at`, given h there; the row's gradient is a number times h.

struct Untouched {
  [[gnu::always_inline]] void operator()(Index /*at*/, const Lanes& /*h*/) const {}
};

struct PlainStep {
  double* weight;
  double keep;
  double gain;  // times the row's number
  [[gnu::always_inline]] void operator()(Index at, const Lanes& h) const {
    Lanes& w = lanes(weight + at);
    w = keep * w + gain * h;
  }
};

struct MomentumStep {
  double* weight;
  double* buffer;
  LinearStep step;  // gain and feed times the row's number
  [[gnu::always_inline]] void operator()(Index at, const Lanes& h) const {
    Lanes& w = lanes(weight + at);
    Lanes& b = lanes(buffer + at);
    const Lanes old = w;
    w = step.keep * old + step.push * b + step.gain * h;
    b = step.sink * old + step.fade * b + step.feed * h;
  }
};

/// out_i = scale w_i . h; row i is treated by rule(i) on the way.
template <class Rule>
[[gnu::always_inline]] inline void product_by_rows(const PaddedMatrix& w, const PaddedVector& h, double scale,
                                                   PaddedVector& out, Rule rule) {
  const Index stride = w.stride();
  const double* x = h.data();
  for (int i = 0; i < w.rows(); ++i) {
    const double* row = w.row(i);
    const auto treat = rule(i);
    Lanes sum{};
    for (Index k = 0; k < stride; k += kLanes) {
      sum += lanes(row + k) * lanes(x + k);
      treat(k, lanes(x + k));
    }
    out[i] = scale * total(sum);
  }
}

}  // namespace

LINDMFT_CLONES double dot(const PaddedVector& x, const PaddedVector& y) {
  Lanes sum{};
  for (Index k = 0; k < x.size(); k += kLanes) sum += lanes(x.data() + k) * lanes(y.data() + k);
  return total(sum);
}

LINDMFT_CLONES void backward_product(const PaddedMatrix& w, const PaddedVector& g, double scale, PaddedVector& out) {
  const Index stride = w.stride();
  double* sum = out.data();
  std::fill(sum, sum + stride, 0.0);
  for (Index i = 0; i < w.rows(); i += kRowGroup) {
    const double* row = w.row(i);
    const double* factor = g.data() + i;
    const double g0 = scale * factor[0], g1 = scale * factor[1], g2 = scale * factor[2], g3 = scale * factor[3];
    for (Index k = 0; k < stride; k += kLanes) {
      lanes(sum + k) += (g0 * lanes(row + k) + g1 * lanes(row + stride + k)) +
                        (g2 * lanes(row + 2 * stride + k) + g3 * lanes(row + 3 * stride + k));
    }
  }
}

LINDMFT_CLONES void forward_product(const PaddedMatrix& w, const PaddedVector& h, double scale, PaddedVector& out) {
  product_by_rows(w, h, scale, out, [](int) __attribute__((always_inline)) { return Untouched{}; });
}

LINDMFT_CLONES void forward_step(PaddedMatrix& w, const PaddedVector& h, double scale, PaddedVector& out,
                                 const PaddedVector& g, double rank_one, const LinearStep& step) {
  product_by_rows(w, h, scale, out, [&](int i) __attribute__((always_inline)) {
    return PlainStep{w.row(i), step.keep, step.gain * rank_one * g[i]};
  });
}

LINDMFT_CLONES void forward_step(PaddedMatrix& w, PaddedMatrix& buffer, const PaddedVector& h, double scale,
                                 PaddedVector& out, const PaddedVector& g, double rank_one, const LinearStep& step) {
  product_by_rows(w, h, scale, out, [&](int i) __attribute__((always_inline)) {
    LinearStep row = step;
    row.gain *= rank_one * g[i];
    row.feed *= rank_one * g[i];
    return MomentumStep{w.row(i), buffer.row(i), row};
  });
}

LINDMFT_CLONES void add_outer(PaddedMatrix& w, const PaddedVector& g, const PaddedVector& h, double factor) {
  const Index stride = w.stride();
  for (int i = 0; i < w.rows(); ++i) {
    double* row = w.row(i);
    const double share = factor * g[i];
    for (Index k = 0; k < stride; k += kLanes) lanes(row + k) += share * lanes(h.data() + k);
  }
}

void vector_step(PaddedVector& w, PaddedVector& buffer, const PaddedVector& h, double scale, const LinearStep& step) {
  for (int i = 0; i < w.size(); ++i) {
    const double gradient = scale * h[i];
    const double old = w[i];
    w[i] = step.keep * old + step.push * buffer[i] + step.gain * gradient;
    buffer[i] = step.sink * old + step.fade * buffer[i] + step.feed * gradient;
  }
}

LINDMFT_CLONES double accumulate_gradient(const PaddedMatrix& z, int rows, const PaddedVector& v,
                                          const PaddedVector& noise, const PaddedVector& kept, PaddedVector& u) {
  const Index stride = z.stride();
  const double* x = v.data();
  double* sum = u.data();
  double loss = 0.0;
  for (Index i = 0; i < rows; i += kRowGroup) {
    const double *z0 = z.row(i), *z1 = z0 + stride, *z2 = z1 + stride, *z3 = z2 + stride;
    Lanes s0{}, s1{}, s2{}, s3{};
    for (Index k = 0; k < stride; k += kLanes) {
      s0 += lanes(z0 + k) * lanes(x + k);
      s1 += lanes(z1 + k) * lanes(x + k);
      s2 += lanes(z2 + k) * lanes(x + k);
      s3 += lanes(z3 + k) * lanes(x + k);
    }
    const double* e = noise.data() + i;
    const double* factor = kept.data() + i;
    const double d0 = e[0] + total(s0), d1 = e[1] + total(s1), d2 = e[2] + total(s2), d3 = e[3] + total(s3);
    loss += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    const double c0 = factor[0] * d0, c1 = factor[1] * d1, c2 = factor[2] * d2, c3 = factor[3] * d3;
    for (Index k = 0; k < stride; k += kLanes) {
      lanes(sum + k) += (c0 * lanes(z0 + k) + c1 * lanes(z1 + k)) + (c2 * lanes(z2 + k) + c3 * lanes(z3 + k));
    }
  }
  return loss;
}

}  // namespace lindmft::training
