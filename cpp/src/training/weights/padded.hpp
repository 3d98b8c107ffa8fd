// Storage for the loops of loops.hpp: rows start on cache lines and are padded with zeros, so that the loops need no
// remainders. T is the precision, double or float.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace lindmft::training {

/// Bytes of a cache line.
inline constexpr std::ptrdiff_t kCacheLine = 64;

/// Number of values in a cache line, and in the widest vector register.
template <class T>
inline constexpr std::ptrdiff_t kLanes = kCacheLine / static_cast<std::ptrdiff_t>(sizeof(T));

/// The smallest multiple of `unit` that is at least n.
constexpr std::ptrdiff_t round_up(std::ptrdiff_t n, std::ptrdiff_t unit) { return (n + unit - 1) / unit * unit; }

/// An allocator of zeros on cache lines.
template <class T>
struct CacheAligned {
  using value_type = T;
  CacheAligned() = default;
  template <class U>
  explicit CacheAligned(const CacheAligned<U>& /*other*/) {}

  /// Allocates zeros, in memory pages that are touched only when they are used. Gigabytes take no time to allocate, and
  /// each page is close to the thread that uses it first.
  T* allocate(std::size_t n) {
    constexpr auto kLine = static_cast<std::size_t>(kCacheLine);
    void* whole = std::calloc(n * sizeof(T) + kLine, 1);
    if (whole == nullptr) throw std::bad_alloc();
    const std::size_t behind = kLine - reinterpret_cast<std::uintptr_t>(whole) % kLine;  // at least 16
    T* aligned = reinterpret_cast<T*>(static_cast<char*>(whole) + behind);
    reinterpret_cast<void**>(aligned)[-1] = whole;
    return aligned;
  }
  void deallocate(T* p, std::size_t /*n*/) { std::free(reinterpret_cast<void**>(p)[-1]); }
  /// Does nothing, since the memory contains zeros.
  template <class U>
  void construct(U* /*place*/) {}
  template <class U, class... Values>
  void construct(U* place, Values&&... values) {
    ::new (static_cast<void*>(place)) U(std::forward<Values>(values)...);
  }
  bool operator==(const CacheAligned& /*other*/) const { return true; }
};

/// A rectangle in the padded storage of another object. `cols` may end within a line, whose other entries are zero.
template <class T>
struct Rows {
  T* data;
  int rows;
  int cols;
  std::ptrdiff_t stride;

  /// Number of entries that the loops process: whole lines.
  [[nodiscard]] std::ptrdiff_t width() const { return round_up(cols, kLanes<std::remove_const_t<T>>); }
  [[nodiscard]] T* row(std::ptrdiff_t i) const { return data + i * stride; }
  [[nodiscard]] std::span<T> span(std::ptrdiff_t i) const { return {row(i), static_cast<std::size_t>(cols)}; }
  [[nodiscard]] Rows middle(int first, int count) const { return {row(first), count, cols, stride}; }
  /// `first` must be a whole number of lines.
  [[nodiscard]] Rows columns(int first, int count) const { return {data + first, rows, count, stride}; }
  operator Rows<const T>() const { return {data, rows, cols, stride}; }  // NOLINT(google-explicit-constructor)
};

/// A vector whose padding remains zero as long as callers write only to its span.
template <class T>
class Padded {
 public:
  Padded() = default;
  explicit Padded(int size, T value = T{}) : size_(size), values_(static_cast<std::size_t>(round_up(size, kLanes<T>))) {
    for (T& x : span()) x = value;
  }

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] std::ptrdiff_t width() const { return static_cast<std::ptrdiff_t>(values_.size()); }
  [[nodiscard]] T* data() { return values_.data(); }
  [[nodiscard]] const T* data() const { return values_.data(); }
  [[nodiscard]] std::span<T> span() { return {values_.data(), static_cast<std::size_t>(size_)}; }
  [[nodiscard]] std::span<const T> span() const { return {values_.data(), static_cast<std::size_t>(size_)}; }
  T& operator[](int i) { return values_[static_cast<std::size_t>(i)]; }
  T operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }

 private:
  int size_ = 0;
  std::vector<T, CacheAligned<T>> values_;
};

/// Distance from one row to the next: whole lines, and not a multiple of a page. The loops read several rows together,
/// which would otherwise be mapped to the same few lines of the first-level cache.
template <class T>
constexpr std::ptrdiff_t stride_of(std::ptrdiff_t cols) {
  constexpr std::ptrdiff_t kPage = 4096 / static_cast<std::ptrdiff_t>(sizeof(T));
  const std::ptrdiff_t width = round_up(cols, kLanes<T>);
  return width % kPage == 0 && width > 0 ? width + kLanes<T> : width;
}

/// A row-major matrix with padded rows.
template <class T>
class PaddedRows {
 public:
  PaddedRows() = default;
  PaddedRows(int rows, int cols)
      : rows_(rows),
        cols_(cols),
        stride_(stride_of<T>(cols)),
        values_(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride_)) {}

  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] int rows() const { return rows_; }
  [[nodiscard]] int cols() const { return cols_; }
  [[nodiscard]] T* row(std::ptrdiff_t i) { return values_.data() + i * stride_; }
  [[nodiscard]] const T* row(std::ptrdiff_t i) const { return values_.data() + i * stride_; }
  [[nodiscard]] std::span<T> span(std::ptrdiff_t i) { return {row(i), static_cast<std::size_t>(cols_)}; }
  [[nodiscard]] std::span<const T> span(std::ptrdiff_t i) const { return {row(i), static_cast<std::size_t>(cols_)}; }
  [[nodiscard]] Rows<T> view() { return {values_.data(), rows_, cols_, stride_}; }
  [[nodiscard]] Rows<const T> view() const { return {values_.data(), rows_, cols_, stride_}; }

 private:
  int rows_ = 0;
  int cols_ = 0;
  std::ptrdiff_t stride_ = 0;
  std::vector<T, CacheAligned<T>> values_;
};

using PaddedVector = Padded<double>;
using PaddedMatrix = PaddedRows<double>;

/// Bytes of padded rows, for numbers of `scalar` bytes.
constexpr double padded_bytes(double rows, double cols, double scalar) {
  return rows * (scalar * cols + 2.0 * kCacheLine);
}

}  // namespace lindmft::training
