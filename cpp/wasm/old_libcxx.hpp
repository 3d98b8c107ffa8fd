// Functions of the C++20 library that the core uses and that libc++ 13 lacks: Debian's Emscripten 3.1.6 has this
// version. The build includes this file before every source. With libc++ 16 or later it defines nothing.
#pragma once
#include <version>

#ifdef _LIBCPP_VERSION
#if _LIBCPP_VERSION >= 15000 && _LIBCPP_VERSION < 16000
#error "libc++ 15 has only half of the ranges algorithms: use Emscripten 3.1.6, or one with libc++ 16 or later"
#endif

#if _LIBCPP_VERSION < 15000
#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>

namespace std {

#if _LIBCPP_VERSION < 14000
template <class To, class From>
  requires(sizeof(To) == sizeof(From) && is_trivially_copyable_v<To> && is_trivially_copyable_v<From>)
constexpr To bit_cast(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}
#endif

template <class T>
  requires is_unbounded_array_v<T>
unique_ptr<T> make_unique_for_overwrite(size_t count) {
  return unique_ptr<T>(new remove_extent_t<T>[count]);
}

namespace ranges {

template <class Range, class Test>
auto find_if(Range&& range, Test test) {
  return std::find_if(std::begin(range), std::end(range), test);
}
template <class Range, class T, class Projection = identity>
auto find(Range&& range, const T& value, Projection of = {}) {
  return find_if(range, [&](const auto& x) { return std::invoke(of, x) == value; });
}
template <class Range, class Test>
bool any_of(Range&& range, Test test) {
  return std::any_of(std::begin(range), std::end(range), test);
}
template <class Range, class Test>
bool all_of(Range&& range, Test test) {
  return std::all_of(std::begin(range), std::end(range), test);
}
template <class Range, class Function>
void for_each(Range&& range, Function f) {
  std::for_each(std::begin(range), std::end(range), f);
}
template <class Range>
auto max_element(Range&& range) {
  return std::max_element(std::begin(range), std::end(range));
}
template <class Range, class T>
auto lower_bound(Range&& range, const T& value) {
  return std::lower_bound(std::begin(range), std::end(range), value);
}

template <class Out>
struct CopyResult {
  Out out;
};
template <class Range, class Out>
CopyResult<Out> copy(Range&& range, Out out) {
  return {std::copy(std::begin(range), std::end(range), out)};
}
template <class Range, class Out, class Function>
void transform(Range&& range, Out out, Function f) {
  std::transform(std::begin(range), std::end(range), out, f);
}
template <class Range, class T>
void fill(Range&& range, const T& value) {
  std::fill(std::begin(range), std::end(range), value);
}

template <class Range, class Order = std::less<>, class Projection = identity>
void sort(Range&& range, Order before = {}, Projection of = {}) {
  std::sort(std::begin(range), std::end(range),
            [&](const auto& x, const auto& y) { return before(std::invoke(of, x), std::invoke(of, y)); });
}
template <class Iterator>
struct Removed {
  Iterator first, last;
  Iterator begin() const { return first; }
  Iterator end() const { return last; }
};
/// The entries that are left over, as std::ranges::unique() returns them.
template <class Range>
auto unique(Range&& range) {
  using Iterator = decltype(std::begin(range));
  return Removed<Iterator>{std::unique(std::begin(range), std::end(range)), std::end(range)};
}

}  // namespace ranges
}  // namespace std
#endif
#endif
