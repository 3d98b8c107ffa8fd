#include "training/weights/loops.hpp"

#include <algorithm>

namespace lindmft::training {
namespace {

using Index = std::ptrdiff_t;

// A cache line of numbers, which GCC and Clang map to vector registers. On every processor sums have as many lanes as a
// line has numbers.
template <class T>
struct LineOf {
  using Type [[gnu::vector_size(kCacheLine), gnu::may_alias]] = T;
};
template <class T>
using Line = typename LineOf<T>::Type;

template <class T>
[[gnu::always_inline]] inline const Line<T>& line(const T* p) {
  return *reinterpret_cast<const Line<T>*>(p);
}
template <class T>
[[gnu::always_inline]] inline Line<T>& line(T* p) {
  return *reinterpret_cast<Line<T>*>(p);
}

[[gnu::always_inline]] inline double total(const Line<double>& x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

[[gnu::always_inline]] inline float total(const Line<float>& x) {
  float half[8];
  for (int i = 0; i < 8; ++i) half[i] = x[i] + x[i + 8];
  return ((half[0] + half[4]) + (half[2] + half[6])) + ((half[1] + half[5]) + (half[3] + half[7]));
}

/// out = x y for eight numbers, in double (by reference: vectors as values have no ABI without AVX-512)
[[gnu::always_inline]] inline void multiply(const double* x, const double* y, Line<double>& out) {
  out = line(x) * line(y);
}
[[gnu::always_inline]] inline void multiply(const float* x, const float* y, Line<double>& out) {
  using Half [[gnu::vector_size(kCacheLine / 2), gnu::may_alias]] = float;
  out = __builtin_convertvector(*reinterpret_cast<const Half*>(x), Line<double>) *
        __builtin_convertvector(*reinterpret_cast<const Half*>(y), Line<double>);
}

/// out = x - y for eight numbers, in double
[[gnu::always_inline]] inline void subtract(const double* x, const double* y, Line<double>& out) {
  out = line(x) - line(y);
}
[[gnu::always_inline]] inline void subtract(const float* x, const float* y, Line<double>& out) {
  using Half [[gnu::vector_size(kCacheLine / 2), gnu::may_alias]] = float;
  out = __builtin_convertvector(*reinterpret_cast<const Half*>(x), Line<double>) -
        __builtin_convertvector(*reinterpret_cast<const Half*>(y), Line<double>);
}

// Rules for a row of weights while its product with h is computed: no change, or a step of SGD without or with
// momentum. A call treats the line of columns from `at` on, given h there; the row's gradient is a number times h.

template <class T>
struct Untouched {
  [[gnu::always_inline]] void operator()(Index /*at*/, const Line<T>& /*h*/) const {}
};

template <class T>
struct PlainStep {
  T* weight;
  T keep;
  T gain;  // gain times the row's number
  [[gnu::always_inline]] void operator()(Index at, const Line<T>& h) const {
    Line<T>& w = line(weight + at);
    w = keep * w + gain * h;
  }
};

template <class T>
struct MomentumStep {
  T* weight;
  T* buffer;
  T keep, push, gain;  // gain and feed are multiplied by the row's number
  T sink, fade, feed;
  [[gnu::always_inline]] void operator()(Index at, const Line<T>& h) const {
    Line<T>& w = line(weight + at);
    Line<T>& b = line(buffer + at);
    const Line<T> old = w;
    w = keep * old + push * b + gain * h;
    b = sink * old + fade * b + feed * h;
  }
};

/// out_i = scale w_i . h; the same pass applies rule(i) to row i.
template <class T, class Rule>
[[gnu::always_inline]] inline void product_by_rows(Rows<const T> w, const T* h, T scale, T* out, Rule rule) {
  const Index width = w.width();
  for (int i = 0; i < w.rows; ++i) {
    const T* row = w.row(i);
    const auto treat = rule(i);
    Line<T> sum{};
    for (Index k = 0; k < width; k += kLanes<T>) {
      sum += line(row + k) * line(h + k);
      treat(k, line(h + k));
    }
    out[i] = scale * total(sum);
  }
}

/// sum += sum_r factor_r z_r over `kRows` rows
template <int kRows, class T>
[[gnu::always_inline]] inline void add_rows(const T* z, Index stride, Index width, const T* factor, T* sum) {
  for (Index k = 0; k < width; k += kLanes<T>) {
    if constexpr (kRows == 4) {
      line(sum + k) += (factor[0] * line(z + k) + factor[1] * line(z + stride + k)) +
                       (factor[2] * line(z + 2 * stride + k) + factor[3] * line(z + 3 * stride + k));
    } else {
      line(sum + k) += factor[0] * line(z + k);
    }
  }
}

/// Processes `kRows` samples of accumulate_gradient and returns their sum of squares.
template <int kRows, class T>
[[gnu::always_inline]] inline double add_samples(const T* z, Index stride, Index width, const T* v, const T* noise,
                                                 const T* kept, T* u) {
  Line<T> sums[kRows]{};
  for (Index k = 0; k < width; k += kLanes<T>) {
    for (int r = 0; r < kRows; ++r) sums[r] += line(z + r * stride + k) * line(v + k);
  }
  double loss = 0.0;
  T factor[kRows];
  for (int r = 0; r < kRows; ++r) {
    const T delta = noise[r] + total(sums[r]);
    loss += static_cast<double>(delta) * static_cast<double>(delta);
    factor[r] = kept[r] * delta;
  }
  add_rows<kRows>(z, stride, width, factor, u);
  return loss;
}

}  // namespace

template <class T>
LINDMFT_CLONES double dot(const T* x, const T* y, Index width) {
  Line<double> sum{};
  for (Index k = 0; k < width; k += kLanes<double>) {
    Line<double> term;
    multiply(x + k, y + k, term);
    sum += term;
  }
  return total(sum);
}

template <class T>
LINDMFT_CLONES double dot_of_sizes(const T* x, const T* y, Index width) {
  Line<double> sum{};
  for (Index k = 0; k < width; k += kLanes<double>) {
    Line<double> term;
    multiply(x + k, y + k, term);
    sum += term < 0.0 ? -term : term;
  }
  return total(sum);
}

template <class T>
LINDMFT_CLONES double squared_distance(const T* x, const T* y, Index width) {
  Line<double> sum{};
  for (Index k = 0; k < width; k += kLanes<double>) {
    Line<double> term;
    subtract(x + k, y + k, term);
    sum += term * term;
  }
  return total(sum);
}

template <class T>
LINDMFT_CLONES void backward_product(Rows<const T> w, const T* g, T scale, T beta, T* out) {
  const Index width = w.width();
  if (beta == T{}) std::fill(out, out + width, T{});
  int i = 0;
  for (; i + 4 <= w.rows; i += 4) {
    const T factor[4] = {scale * g[i], scale * g[i + 1], scale * g[i + 2], scale * g[i + 3]};
    add_rows<4>(w.row(i), w.stride, width, factor, out);
  }
  for (; i < w.rows; ++i) {
    const T factor[1] = {scale * g[i]};
    add_rows<1>(w.row(i), w.stride, width, factor, out);
  }
}

template <class T>
LINDMFT_CLONES void forward_product(Rows<const T> w, const T* h, T scale, T* out) {
  product_by_rows(w, h, scale, out, [](int) __attribute__((always_inline)) { return Untouched<T>{}; });
}

template <class T>
LINDMFT_CLONES void forward_step(Rows<T> w, const T* h, T scale, T* out, const T* g, double rank_one,
                                 const LinearStep& step) {
  const T keep = static_cast<T>(step.keep);
  const T gain = static_cast<T>(step.gain * rank_one);
  product_by_rows(static_cast<Rows<const T>>(w), h, scale, out,
                  [&](int i) __attribute__((always_inline)) { return PlainStep<T>{w.row(i), keep, gain * g[i]}; });
}

template <class T>
LINDMFT_CLONES void forward_step(Rows<T> w, Rows<T> buffer, const T* h, T scale, T* out, const T* g, double rank_one,
                                 const LinearStep& step) {
  const T keep = static_cast<T>(step.keep), push = static_cast<T>(step.push);
  const T sink = static_cast<T>(step.sink), fade = static_cast<T>(step.fade);
  const T gain = static_cast<T>(step.gain * rank_one), feed = static_cast<T>(step.feed * rank_one);
  product_by_rows(static_cast<Rows<const T>>(w), h, scale, out, [&](int i) __attribute__((always_inline)) {
    return MomentumStep<T>{w.row(i), buffer.row(i), keep, push, gain * g[i], sink, fade, feed * g[i]};
  });
}

template <class T>
LINDMFT_CLONES void add_outer(Rows<T> w, const T* g, const T* h, T factor) {
  const Index width = w.width();
  for (int i = 0; i < w.rows; ++i) {
    const T share = factor * g[i];
    add_rows<1>(h, 0, width, &share, w.row(i));
  }
}

template <class T>
LINDMFT_CLONES void scale_and_add(T* x, T a, const T* y, T b, Index width) {
  for (Index k = 0; k < width; k += kLanes<T>) line(x + k) = a * line(x + k) + b * line(y + k);
}

template <class T>
LINDMFT_CLONES void vector_step(T* w, T* buffer, const T* h, double scale, const LinearStep& step, Index width) {
  const MomentumStep<T> rule{w,
                             buffer,
                             static_cast<T>(step.keep),
                             static_cast<T>(step.push),
                             static_cast<T>(step.gain * scale),
                             static_cast<T>(step.sink),
                             static_cast<T>(step.fade),
                             static_cast<T>(step.feed * scale)};
  for (Index k = 0; k < width; k += kLanes<T>) rule(k, line(h + k));
}

template <class T>
LINDMFT_CLONES double accumulate_gradient(Rows<const T> z, const T* v, const T* noise, const T* kept, T* u) {
  const Index width = z.width();
  double loss = 0.0;
  int i = 0;
  for (; i + 4 <= z.rows; i += 4) loss += add_samples<4>(z.row(i), z.stride, width, v, noise + i, kept + i, u);
  for (; i < z.rows; ++i) loss += add_samples<1>(z.row(i), z.stride, width, v, noise + i, kept + i, u);
  return loss;
}

#define LINDMFT_INSTANTIATE(T)                                                                        \
  template double dot(const T*, const T*, Index);                                                     \
  template double dot_of_sizes(const T*, const T*, Index);                                            \
  template double squared_distance(const T*, const T*, Index);                                        \
  template void backward_product(Rows<const T>, const T*, T, T, T*);                                  \
  template void forward_product(Rows<const T>, const T*, T, T*);                                      \
  template void forward_step(Rows<T>, const T*, T, T*, const T*, double, const LinearStep&);          \
  template void forward_step(Rows<T>, Rows<T>, const T*, T, T*, const T*, double, const LinearStep&); \
  template void add_outer(Rows<T>, const T*, const T*, T);                                            \
  template void scale_and_add(T*, T, const T*, T, Index);                                             \
  template void vector_step(T*, T*, const T*, double, const LinearStep&, Index);                      \
  template double accumulate_gradient(Rows<const T>, const T*, const T*, const T*, T*);

LINDMFT_INSTANTIATE(double)
LINDMFT_INSTANTIATE(float)
#undef LINDMFT_INSTANTIATE

}  // namespace lindmft::training
