// The calls of cblas.h with vectors of 16 bytes, the registers of WebAssembly.
#include "cblas.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace {

constexpr int kLanesBytes = 16;
constexpr int kVectors = 2;    // vectors in a row of a panel, which is the unit of columns
constexpr int kFewRows = 8;    // up to this number of rows it does not pay to copy b
constexpr int kCopied = 256;   // terms and ...
constexpr int kColumns = 64;   // ... columns of b that are copied at a time
constexpr int kStreamed = 64;  // terms at a time where b is read from its place, so that a block stays in the cache

template <class T>
using Vector [[gnu::vector_size(kLanesBytes)]] = T;
template <class T>
constexpr int kLanes = kLanesBytes / static_cast<int>(sizeof(T));
template <class T>
constexpr int kWidth = kVectors * kLanes<T>;

template <class T>
Vector<T> load(const T* from) {
  Vector<T> out;
  __builtin_memcpy(&out, from, sizeof out);
  return out;
}

/// op(x): entry (i, j) is at data[i * row + j * col].
template <class T>
struct Operand {
  const T* data;
  std::ptrdiff_t row, col;

  Operand(const T* x, int ld, CBLAS_TRANSPOSE op)
      : data(x), row(op == CblasNoTrans ? ld : 1), col(op == CblasNoTrans ? 1 : ld) {}
  const T* at(std::ptrdiff_t i, std::ptrdiff_t j) const { return data + i * row + j * col; }
};

/// c += alpha * a b for `rows` rows and one panel of columns, of which the first `cols` are written. Row k of the panel
/// is at b + k * step.
template <int rows, class T>
void panel(const T* a, const Operand<T>& of, const T* b, std::ptrdiff_t step, int terms, T alpha, T* c, int ldc,
           int cols) {
  Vector<T> sums[rows][kVectors] = {};
  for (int k = 0; k < terms; ++k, a += of.col, b += step) {
    for (int v = 0; v < kVectors; ++v) {
      const Vector<T> right = load(b + v * kLanes<T>);
      for (int i = 0; i < rows; ++i) sums[i][v] += a[i * of.row] * right;
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < cols; ++j)
      c[static_cast<std::ptrdiff_t>(i) * ldc + j] += alpha * sums[i][j / kLanes<T>][j % kLanes<T>];
}

template <class T>
void panel_of_rows(int rows, Operand<T> a, const T* b, std::ptrdiff_t step, int terms, T alpha, T* c, int ldc,
                   int cols) {
  for (; rows >= 4; rows -= 4, a.data += 4 * a.row, c += 4 * static_cast<std::ptrdiff_t>(ldc))
    panel<4>(a.data, a, b, step, terms, alpha, c, ldc, cols);
  if (rows == 3) panel<3>(a.data, a, b, step, terms, alpha, c, ldc, cols);
  if (rows == 2) panel<2>(a.data, a, b, step, terms, alpha, c, ldc, cols);
  if (rows == 1) panel<1>(a.data, a, b, step, terms, alpha, c, ldc, cols);
}

/// Copies terms x cols entries of b, panel after panel. What the last panel has too much stays as it was: sums over it
/// are not used.
template <class T>
void copy_panels(T* to, Operand<T> b, int terms, int cols) {
  for (int j = 0; j < cols; j += kWidth<T>) {
    const int width = std::min(kWidth<T>, cols - j);
    for (int k = 0; k < terms; ++k, to += kWidth<T>) {
      const T* from = b.at(k, j);
      for (int q = 0; q < width; ++q) to[q] = from[q * b.col];
    }
  }
}

template <class T>
void with_copies(int m, int n, int k, T alpha, const Operand<T>& a, const Operand<T>& b, T* c, int ldc) {
  static T copies[kCopied * kColumns];
  for (int j = 0; j < n; j += kColumns) {
    const int cols = std::min(kColumns, n - j);
    for (int from = 0; from < k; from += kCopied) {
      const int terms = std::min(kCopied, k - from);
      Operand<T> block = b;
      block.data = b.at(from, j);
      copy_panels(copies, block, terms, cols);
      Operand<T> left = a;
      left.data = a.at(0, from);
      for (int q = 0; q < cols; q += kWidth<T>)
        panel_of_rows(m, left, copies + static_cast<std::ptrdiff_t>(q) * terms, kWidth<T>, terms, alpha, c + j + q, ldc,
                      std::min(kWidth<T>, cols - q));
    }
  }
}

/// Few rows, and b has its rows in one piece: whole panels are read from their place.
template <class T>
void streamed(int m, int n, int k, T alpha, const Operand<T>& a, const Operand<T>& b, T* c, int ldc) {
  const int whole = n - n % kWidth<T>;
  for (int from = 0; from < k; from += kStreamed) {
    const int terms = std::min(kStreamed, k - from);
    Operand<T> left = a;
    left.data = a.at(0, from);
    for (int j = 0; j < whole; j += kWidth<T>)
      panel_of_rows(m, left, b.at(from, j), b.row, terms, alpha, c + j, ldc, kWidth<T>);
  }
  Operand<T> rest = b;
  rest.data = b.at(0, whole);
  with_copies(m, n - whole, k, alpha, a, rest, c + whole, ldc);
}

/// c += alpha * (row of a) . (row of b) for rows x cols pairs of rows that have their terms in one piece.
template <int rows, int cols, class T>
void dots(const T* a, std::ptrdiff_t a_row, const T* b, std::ptrdiff_t b_row, int terms, T alpha, T* c, int ldc) {
  Vector<T> sums[rows][cols] = {};
  int k = 0;
  for (; k + kLanes<T> <= terms; k += kLanes<T>) {
    for (int j = 0; j < cols; ++j) {
      const Vector<T> right = load(b + j * b_row + k);
      for (int i = 0; i < rows; ++i) sums[i][j] += load(a + i * a_row + k) * right;
    }
  }
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) {
      T sum = T(0);
      for (int lane = 0; lane < kLanes<T>; ++lane) sum += sums[i][j][lane];
      for (int rest = k; rest < terms; ++rest) sum += a[i * a_row + rest] * b[j * b_row + rest];
      c[static_cast<std::ptrdiff_t>(i) * ldc + j] += alpha * sum;
    }
  }
}

template <int rows, class T>
void dots_of_columns(int n, int k, T alpha, const T* a, std::ptrdiff_t a_row, const Operand<T>& b, T* c, int ldc) {
  int j = 0;
  for (; j + 4 <= n; j += 4) dots<rows, 4>(a, a_row, b.at(0, j), b.col, k, alpha, c + j, ldc);
  for (; j < n; ++j) dots<rows, 1>(a, a_row, b.at(0, j), b.col, k, alpha, c + j, ldc);
}

/// Few rows, and a and the transpose of b have their rows in one piece.
template <class T>
void dotted(int m, int n, int k, T alpha, const Operand<T>& a, const Operand<T>& b, T* c, int ldc) {
  int i = 0;
  for (; i + 2 <= m; i += 2)
    dots_of_columns<2>(n, k, alpha, a.at(i, 0), a.row, b, c + static_cast<std::ptrdiff_t>(i) * ldc, ldc);
  if (i < m) dots_of_columns<1>(n, k, alpha, a.at(i, 0), a.row, b, c + static_cast<std::ptrdiff_t>(i) * ldc, ldc);
}

template <class T>
void multiply(T* c, int ldc, int m, int n, T beta) {
  for (int i = 0; i < m; ++i) {
    T* row = c + static_cast<std::ptrdiff_t>(i) * ldc;
    if (beta == T(0)) std::fill_n(row, n, T(0));  // c may hold anything, NaN too
    if (beta != T(0) && beta != T(1)) std::for_each(row, row + n, [&](T& x) { x *= beta; });
  }
}

void require(bool met, const char* what) {
  if (!met) throw std::logic_error(what);
}

template <class T>
void gemm(CBLAS_ORDER order, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, T alpha, const T* a,
          int lda, const T* b, int ldb, T beta, T* c, int ldc) {
  const auto plain = [](CBLAS_TRANSPOSE op) { return op == CblasNoTrans || op == CblasTrans; };
  require(order == CblasRowMajor && plain(op_a) && plain(op_b), "cblas: only row-major matrices, and no conjugates");
  require(m >= 0 && n >= 0 && k >= 0, "cblas: a negative size");
  require(lda >= (op_a == CblasNoTrans ? k : m) && ldb >= (op_b == CblasNoTrans ? n : k) && ldc >= n,
          "cblas: rows overlap");
  multiply(c, ldc, m, n, beta);
  if (alpha == T(0)) return;
  const Operand<T> left(a, lda, op_a), right(b, ldb, op_b);
  if (m <= kFewRows && op_b == CblasNoTrans) return streamed(m, n, k, alpha, left, right, c, ldc);
  if (m <= kFewRows && op_a == CblasNoTrans) return dotted(m, n, k, alpha, left, right, c, ldc);
  with_copies(m, n, k, alpha, left, right, c, ldc);
}

}  // namespace

void cblas_dgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, double alpha,
                 const double* a, int lda, const double* b, int ldb, double beta, double* c, int ldc) {
  gemm(order, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, float alpha,
                 const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  gemm(order, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// The product of one row x with op(a) transposed.
void cblas_dgemv(CBLAS_ORDER order, CBLAS_TRANSPOSE op, int m, int n, double alpha, const double* a, int lda,
                 const double* x, int incx, double beta, double* y, int incy) {
  require(incx == 1 && incy == 1, "cblas: only vectors in one piece");
  require(op == CblasNoTrans || op == CblasTrans, "cblas: no conjugates");
  const int terms = op == CblasNoTrans ? n : m, sums = op == CblasNoTrans ? m : n;
  gemm(order, CblasNoTrans, op == CblasNoTrans ? CblasTrans : CblasNoTrans, 1, sums, terms, alpha, x,
       std::max(1, terms), a, lda, beta, y, std::max(1, sums));
}
