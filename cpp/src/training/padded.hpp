// Storage for the kernels: rows start on cache lines and are padded with zeros, so that the kernels need no remainders.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <vector>

namespace lindmft::training {

inline constexpr std::ptrdiff_t kLanes = 8;     ///< doubles in a cache line, and in the widest vector register
inline constexpr std::ptrdiff_t kRowGroup = 4;  ///< rows that some kernels take at a time; divides kLanes

constexpr std::ptrdiff_t round_up(std::ptrdiff_t n, std::ptrdiff_t unit) { return (n + unit - 1) / unit * unit; }

template <class T>
struct CacheAligned {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{kLanes * sizeof(double)};
  CacheAligned() = default;
  template <class U>
  explicit CacheAligned(const CacheAligned<U>& /*other*/) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* p, std::size_t /*n*/) { ::operator delete(p, kAlignment); }
  bool operator==(const CacheAligned& /*other*/) const { return true; }
};

/// A vector whose padding stays zero as long as writers keep to its span.
class PaddedVector {
 public:
  PaddedVector() = default;
  explicit PaddedVector(int size, double value = 0.0)
      : size_(size), values_(static_cast<std::size_t>(round_up(size, kLanes))) {
    for (double& x : span()) x = value;
  }

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] double* data() { return values_.data(); }
  [[nodiscard]] const double* data() const { return values_.data(); }
  [[nodiscard]] std::span<double> span() { return {values_.data(), static_cast<std::size_t>(size_)}; }
  [[nodiscard]] std::span<const double> span() const { return {values_.data(), static_cast<std::size_t>(size_)}; }
  double& operator[](int i) { return values_[static_cast<std::size_t>(i)]; }
  double operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }

 private:
  int size_ = 0;
  std::vector<double, CacheAligned<double>> values_;
};

/// A row-major matrix; its rows are padded as above, and zero rows fill the last group.
class PaddedMatrix {
 public:
  PaddedMatrix() = default;
  PaddedMatrix(int rows, int cols)
      : rows_(rows),
        cols_(cols),
        stride_(round_up(cols, kLanes)),
        values_(static_cast<std::size_t>(round_up(rows, kRowGroup) * stride_)) {}

  [[nodiscard]] int rows() const { return rows_; }
  [[nodiscard]] int cols() const { return cols_; }
  [[nodiscard]] std::ptrdiff_t stride() const { return stride_; }
  [[nodiscard]] double* row(std::ptrdiff_t i) { return values_.data() + i * stride_; }
  [[nodiscard]] const double* row(std::ptrdiff_t i) const { return values_.data() + i * stride_; }
  [[nodiscard]] std::span<double> row_span(std::ptrdiff_t i) { return {row(i), static_cast<std::size_t>(cols_)}; }

 private:
  int rows_ = 0;
  int cols_ = 0;
  std::ptrdiff_t stride_ = 0;
  std::vector<double, CacheAligned<double>> values_;
};

/// What they take, in bytes.
constexpr double padded_bytes(double size) { return sizeof(double) * (size + kLanes); }
constexpr double padded_bytes(double rows, double cols) {
  return sizeof(double) * (rows + kRowGroup) * (cols + kLanes);
}

}  // namespace lindmft::training
