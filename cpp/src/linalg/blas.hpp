// The few BLAS calls used, on row-major views. One BLAS thread: all parallelism is ours (OpenMP).
#pragma once

#include <cstddef>
#include <string>

#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// Row-major rectangle inside somebody's storage.
struct View {
  double* data;
  int rows;
  int cols;
  std::ptrdiff_t ld;
  [[nodiscard]] double* row(int i) const { return data + i * ld; }
  double& operator()(int i, int j) const { return data[i * ld + j]; }
  [[nodiscard]] View block(int r, int c, int nr, int nc) const { return {data + r * ld + c, nr, nc, ld}; }
};

struct ConstView {
  const double* data;
  int rows;
  int cols;
  std::ptrdiff_t ld;
  ConstView(const double* d, int r, int c, std::ptrdiff_t l) : data(d), rows(r), cols(c), ld(l) {}
  ConstView(View v) : data(v.data), rows(v.rows), cols(v.cols), ld(v.ld) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] const double* row(int i) const { return data + i * ld; }
  double operator()(int i, int j) const { return data[i * ld + j]; }
  [[nodiscard]] ConstView block(int r, int c, int nr, int nc) const { return {data + r * ld + c, nr, nc, ld}; }
};

/// The leading rows x cols block of a matrix.
inline View leading(Matrix& m, int rows, int cols) { return {m.data(), rows, cols, m.cols()}; }
inline ConstView leading(const Matrix& m, int rows, int cols) { return {m.data(), rows, cols, m.cols()}; }

enum class Transpose { no, yes };

/// out = scale * x op(a) + beta * out
void gemm(View out, ConstView x, ConstView a, Transpose op, double scale, double beta);

/// A factor of a product in either precision
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

/// The library's own description, and the kernels it chose.
std::string blas_description();

}  // namespace lindmft::linalg
