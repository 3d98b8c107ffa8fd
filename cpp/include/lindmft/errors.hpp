// Every way a call can fail. One table for the types of C++, the status codes of C and the exceptions of Python.
#pragma once

#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "lindmft/export.h"

namespace lindmft {

/// An argument that a call cannot take: "FIELD must be ALLOWED, got GOT". The parts are values, so that no program has
/// to read the message.
class LINDMFT_EXPORT BadInput : public std::invalid_argument {
 public:
  BadInput(std::string field, std::string allowed, std::string got);
  /// "FIRST cannot be combined with SECOND: WHY. REMEDY." The field is the first one; allowed and got are empty.
  [[nodiscard]] static BadInput conflict(std::string first, const std::string& second, const std::string& why,
                                         const std::string& remedy);
  /// "FIELD is missing: WHY"
  [[nodiscard]] static BadInput missing(std::string field, const std::string& why);
  /// "OPTION is not an option of CALL"
  [[nodiscard]] static BadInput unknown_option(std::string option, const std::string& call);
  /// The same refusal of one problem of a list; "problems[INDEX]: " precedes its message.
  [[nodiscard]] BadInput at(std::size_t index) const;

  [[nodiscard]] const std::string& field() const noexcept { return field_; }
  [[nodiscard]] const std::string& allowed() const noexcept { return allowed_; }
  [[nodiscard]] const std::string& got() const noexcept { return got_; }
  [[nodiscard]] std::optional<std::size_t> index() const noexcept { return index_; }
  /// The message without the index.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  BadInput(std::string field, std::string allowed, std::string got, std::string reason,
           std::optional<std::size_t> index);

  std::string field_;
  std::string allowed_;
  std::string got_;
  std::string reason_;
  std::optional<std::size_t> index_;
};

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
