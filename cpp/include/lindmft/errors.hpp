// Every way a call can fail. One table feeds the C++ types, the Python exceptions and the documentation.
#pragma once

#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace lindmft {

// Bad input is std::invalid_argument: the message names the field, the value and what is allowed.

/// The call would need more memory than it may take; the message quotes both in bytes. Nothing was allocated.
class MemoryLimit : public std::bad_alloc {
 public:
  explicit MemoryLimit(std::string message) : message_(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// The sweeps of a panel did not converge; the message says where, what was reached and what to change.
class NotConverged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The progress callback asked to stop.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ErrorKind {
  const char* name;
  const char* cpp_type;
  const char* python_type;
  const char* meaning;
};

[[nodiscard]] std::span<const ErrorKind> error_table();

}  // namespace lindmft
