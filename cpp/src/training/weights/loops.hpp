// Passes over large arrays, with one vector each. A step in place reads every weight twice and writes it once, and
// reads every sample once: one pass computes the product of a row and updates the row, and one pass computes a sample's
// prediction and its term of the gradient. These fused passes take 0.5 to 0.8 of the time of BLAS (dgemv and dger, or
// two dgemv), with data in any cache or in memory.
//
// Sums run in a fixed order, a cache line of lanes at a time. Vectors are as long as the padded width of the rows
// (padded.hpp), with zeros in the padding. T is double or float.
#pragma once

#include <cstddef>

#include "support/platform.hpp"
#include "training/weights/padded.hpp"
#include "training/weights/sgd.hpp"

namespace lindmft::training {

/// sum_i x_i y_i over a padded width, summed in double.
template <class T>
double dot(const T* x, const T* y, std::ptrdiff_t width);

/// The same for two padded vectors.
template <class T>
double dot(const Padded<T>& x, const Padded<T>& y) {
  return dot(x.data(), y.data(), x.width());
}

/// sum_i |x_i y_i|
template <class T>
double dot_of_sizes(const T* x, const T* y, std::ptrdiff_t width);

/// sum_i (x_i - y_i)^2, in double
template <class T>
double squared_distance(const T* x, const T* y, std::ptrdiff_t width);

/// out = beta out + scale w^T g, with beta 0 or 1
template <class T>
void backward_product(Rows<const T> w, const T* g, T scale, T beta, T* out);

/// out_i = scale w_i . h
template <class T>
void forward_product(Rows<const T> w, const T* h, T scale, T* out);

/// out = scale w h, and then one step of w without momentum along the gradient G = rank_one g h^T
template <class T>
void forward_step(Rows<T> w, const T* h, T scale, T* out, const T* g, double rank_one, const LinearStep& step);

/// The same with the momentum buffer of w
template <class T>
void forward_step(Rows<T> w, Rows<T> buffer, const T* h, T scale, T* out, const T* g, double rank_one,
                  const LinearStep& step);

/// w += factor g h^T.
template <class T>
void add_outer(Rows<T> w, const T* g, const T* h, T factor);

/// x = a x + b y over a padded width
template <class T>
void scale_and_add(T* x, T a, const T* y, T b, std::ptrdiff_t width);

/// One step of a vector of weights and its momentum buffer along G = scale h.
template <class T>
void vector_step(T* w, T* buffer, const T* h, double scale, const LinearStep& step, std::ptrdiff_t width);

/// Adds sum_r kept_r Delta_r z_r to u for samples z_r with residuals Delta_r = noise_r + z_r . v, and returns sum_r
/// Delta_r^2.
template <class T>
double accumulate_gradient(Rows<const T> z, const T* v, const T* noise, const T* kept, T* u);

}  // namespace lindmft::training
