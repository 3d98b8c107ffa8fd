// Products of one array with one or many vectors, the rows of a block. One vector takes a fused pass; many vectors take
// a GEMM that reads the array once for all of them. Results do not depend on the number of threads, to the last bit.
#pragma once

#include "training/weights/padded.hpp"

namespace lindmft::training {

/// out_m = beta out_m + w^T g_m, with beta 0 or 1
template <class T>
void backward_products(Rows<const T> w, Rows<const T> g, T beta, Rows<T> out, int threads);

/// out_m = w h_m
template <class T>
void forward_products(Rows<const T> w, Rows<const T> h, Rows<T> out, int threads);

/// w = keep w + sum_p g_p h_p^T, for the rows g_p and h_p of two blocks
template <class T>
void add_products(Rows<const T> g, Rows<const T> h, T keep, Rows<T> w, int threads);

}  // namespace lindmft::training
