// The border that no exception crosses.
#pragma once

#include <stdexcept>
#include <string>

namespace lindmft::c_interface {

/// The status of the exception in flight, whose message it keeps for lindmft_last_error().
int keep_error() noexcept;

/// body(), and the status that says how it went.
template <class Body>
int guarded(Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (...) {
    return keep_error();
  }
}

/// A string as messages show it: in quotes, what cannot be printed as '?', long ones cut.
[[nodiscard]] std::string quoted(const char* text);

template <class T>
T& not_null(T* pointer, const char* name) {
  if (pointer == nullptr) throw std::invalid_argument(std::string(name) + " must be given, got null");
  return *pointer;
}

}  // namespace lindmft::c_interface
