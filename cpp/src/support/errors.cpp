#include "lindmft/errors.hpp"

#include <array>

namespace lindmft {
namespace {

constexpr std::array kErrors{
    ErrorKind{"invalid_argument", "LINDMFT_INVALID_ARGUMENT", "std::invalid_argument", "ValueError",
              "bad input: the message names the field, the value and what is allowed"},
    ErrorKind{"memory_limit", "LINDMFT_MEMORY_LIMIT", "lindmft::MemoryLimit", "MemoryError",
              "refused before allocating: the message quotes the bytes needed and allowed"},
    ErrorKind{"not_converged", "LINDMFT_NOT_CONVERGED", "lindmft::NotConverged", "lindmft.NotConverged",
              "a panel did not converge: the message says where, what was reached and what to change"},
    ErrorKind{"interrupted", "LINDMFT_INTERRUPTED", "lindmft::Interrupted", "KeyboardInterrupt",
              "the progress callback, or Ctrl-C, asked to stop"},
};

}  // namespace

std::span<const ErrorKind> error_table() noexcept { return kErrors; }

}  // namespace lindmft
