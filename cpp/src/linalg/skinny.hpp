// Products of a few rows with a large matrix, which is streamed once where it lies: dgemm would pack all of it first,
// and so few rows do not repay that.
#pragma once

#include "linalg/blas.hpp"

namespace lindmft::linalg {

/// out = scale * x a + beta * out   (x: p x k, a: k x n, out: p x n); beta = 0 does not read out
///
/// Where streams_skinny_products(), an entry's value depends, to the last bit, on its row of x, its column of a and
/// what was there: not on p, n or strides. Elsewhere this is gemm.
void skinny_product(View out, ConstView x, ConstView a, double scale, double beta);

/// out = scale * x a^T + beta * out   (x: p x k, a: n x k, out: p x n); as above
void skinny_product_transposed(View out, ConstView x, ConstView a, double scale, double beta);

/// Whether the kernels are in use: they need the registers of AVX-512 to be faster than gemm.
bool streams_skinny_products();

}  // namespace lindmft::linalg
