// Views: rectangles in the row-major storage of another object.
#pragma once

#include <cstddef>

#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// Row-major rectangle inside storage that another object owns.
struct View {
  double* data;
  int rows;
  int cols;
  std::ptrdiff_t ld;
  [[nodiscard]] double* row(int i) const { return data + i * ld; }
  double& operator()(int i, int j) const { return data[i * ld + j]; }
  [[nodiscard]] View block(int r, int c, int nr, int nc) const { return {data + r * ld + c, nr, nc, ld}; }
};

/// The same for storage that is only read.
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

}  // namespace lindmft::linalg
