// Products of a few rows with a large matrix, which is read once from where it is stored. dgemm would first copy (pack)
// the whole matrix, which takes too long for a few rows.
#pragma once

#include "linalg/blas.hpp"

namespace lindmft::linalg {

/// out = scale * x a + beta * out   (x: p x k, a: k x n, out: p x n); beta = 0 does not read out
///
/// If streams_skinny_products(), an entry depends, to the last bit, only on its row of x, its column of a and its old
/// value, not on p, n or strides. Otherwise this calls gemm.
void skinny_product(View out, ConstView x, ConstView a, double scale, double beta);

/// out = scale * x a^T + beta * out   (x: p x k, a: n x k, out: p x n); see skinny_product
void skinny_product_transposed(View out, ConstView x, ConstView a, double scale, double beta);

/// Whether the loops of skinny.cpp are used. They are faster than gemm only with the registers of AVX-512.
bool streams_skinny_products();

}  // namespace lindmft::linalg
