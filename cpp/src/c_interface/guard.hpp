// No exception leaves the C interface: it becomes a status and a message.
#pragma once

#include <string>

#include "lindmft/errors.hpp"

namespace lindmft::c_interface {

/// Returns the status of the exception in flight, and keeps its message for lindmft_last_error().
int keep_error() noexcept;

/// Calls body() and returns its status.
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
  if (pointer == nullptr) throw BadInput::missing(name, "it is a null pointer");
  return *pointer;
}

}  // namespace lindmft::c_interface
