// Every way a call can fail. One table for the types of C++, the status codes of C and the exceptions of Python.
#pragma once

#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "lindmft/export.h"

namespace lindmft {

// Bad input is std::invalid_argument: the message names the field, the value and what is allowed.

/// The call would need more memory than it may take; the message quotes both in bytes. Nothing was allocated.
class LINDMFT_EXPORT MemoryLimit : public std::bad_alloc {
 public:
  explicit MemoryLimit(std::string message) : message_(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// The sweeps of a panel did not converge; the message says where, what was reached and what to change.
class LINDMFT_EXPORT NotConverged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The progress callback asked to stop.
class LINDMFT_EXPORT Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ErrorKind {
  const char* name;
  const char* status;  ///< of the C interface
  const char* cpp_type;
  const char* python_type;
  const char* meaning;
};

/// Throws nothing.
[[nodiscard]] LINDMFT_EXPORT std::span<const ErrorKind> error_table() noexcept;

}  // namespace lindmft
