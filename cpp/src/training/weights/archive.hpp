// Writes and reads, as bytes, the numbers of a run that training changes. The same calls write and read.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/refusals.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// A sequence of values that is either written or read.
class Archive {
 public:
  /// Appends to `out`, which outlives the archive.
  explicit Archive(std::string& out) : out_(&out) {}
  /// Reads from `in`, whose bytes outlive the archive.
  explicit Archive(std::string_view in) : in_(in) {}

  [[nodiscard]] bool reads() const { return out_ == nullptr; }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

  template <class T>
  void values(std::span<T> x) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (x.empty()) return;
    const std::size_t size = x.size_bytes();
    if (!reads()) {
      out_->append(reinterpret_cast<const char*>(x.data()), size);
      return;
    }
    require(in_.size() >= size);
    std::memcpy(x.data(), in_.data(), size);
    in_.remove_prefix(size);
  }
  template <class T>
  void value(T& x) {
    values(std::span<T>(&x, 1));
  }
  /// Writes or reads the first `count` rows.
  template <class T>
  void rows(PaddedRows<T>& x, int count) {
    for (int i = 0; i < count; ++i) values(x.span(i));
  }
  template <class T>
  void rows(PaddedRows<T>& x) {
    rows(x, x.rows());
  }
  /// Writes a number; on reading, refuses bytes that have another number there.
  void same(std::int64_t x) {
    std::int64_t found = x;
    value(found);
    require(found == x);
  }
  /// Writes or reads a count, and refuses one above `most`.
  [[nodiscard]] int count(int x, int most) {
    value(x);
    require(x >= 0 && x <= most);
    return x;
  }

  static void require(bool good) {
    if (!good) support::refuse("start", "the state of the same networks", "another one");
  }

 private:
  std::string* out_ = nullptr;
  std::string_view in_;
};

}  // namespace lindmft::training
