// The BLAS calls that are used, on row-major views. BLAS runs on one thread; parallel loops use OpenMP.
#pragma once

#include <cstddef>
#include <string>

#include "linalg/view.hpp"

namespace lindmft::linalg {

/// Whether a factor of a product is transposed.
enum class Transpose { no, yes };

/// out = scale * x op(a) + beta * out
void gemm(View out, ConstView x, ConstView a, Transpose op, double scale, double beta);

/// A factor of a product, in double or single precision.
template <class T>
struct Operand {
  const T* data;
  std::ptrdiff_t ld;
  Transpose op = Transpose::no;
};

/// out = scale * op(x) op(a) + beta * out, rows x inner times inner x cols; T is double or float.
template <class T>
void gemm(T* out, std::ptrdiff_t ld, int rows, int cols, int inner, Operand<T> x, Operand<T> a, T scale, T beta);

/// y = scale * op(a) x + beta * y
void gemv(double* y, ConstView a, Transpose op, const double* x, double scale, double beta);

/// The description that the BLAS library gives of itself, with the processor type whose routines it chose.
std::string blas_description();

}  // namespace lindmft::linalg
