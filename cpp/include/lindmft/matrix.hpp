// A row-major matrix of doubles that owns its memory; new matrices are zero.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "lindmft/export.h"

namespace lindmft {

class LINDMFT_EXPORT Matrix {
 public:
  Matrix() = default;
  /// A matrix of zeros. The system assigns memory to a page only when it is first written to. Throws std::bad_alloc.
  Matrix(int rows, int cols);
  Matrix(Matrix&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)), cols_(std::exchange(other.cols_, 0)), values_(std::move(other.values_)) {}
  Matrix& operator=(Matrix&& other) noexcept {
    rows_ = std::exchange(other.rows_, 0);
    cols_ = std::exchange(other.cols_, 0);
    values_ = std::move(other.values_);
    return *this;
  }

  [[nodiscard]] int rows() const { return rows_; }
  [[nodiscard]] int cols() const { return cols_; }
  [[nodiscard]] bool empty() const { return rows_ == 0 || cols_ == 0; }
  [[nodiscard]] double* data() { return values_.get(); }
  [[nodiscard]] const double* data() const { return values_.get(); }
  [[nodiscard]] double* row(int i) { return data() + static_cast<std::ptrdiff_t>(i) * cols_; }
  [[nodiscard]] const double* row(int i) const { return data() + static_cast<std::ptrdiff_t>(i) * cols_; }
  double& operator()(int i, int j) { return row(i)[j]; }
  double operator()(int i, int j) const { return row(i)[j]; }
  [[nodiscard]] std::size_t bytes() const {
    return sizeof(double) * static_cast<std::size_t>(rows_) * static_cast<std::size_t>(cols_);
  }
  /// Passes the storage to the caller, who frees it with std::free. The matrix is empty afterwards.
  double* release();

 private:
  struct Free {
    void operator()(double* p) const noexcept;
  };
  int rows_ = 0;
  int cols_ = 0;
  std::unique_ptr<double[], Free> values_;
};

}  // namespace lindmft
