#include "lindmft/errors.hpp"

#include <array>

namespace lindmft {
namespace {

constexpr std::array kErrors{
    ErrorKind{"invalid_argument", "std::invalid_argument", "ValueError",
              "bad input: the message names the field, the value and what is allowed"},
    ErrorKind{"memory_limit", "lindmft::MemoryLimit", "MemoryError",
              "refused before allocating: the message quotes the bytes needed and allowed"},
    ErrorKind{"not_converged", "lindmft::NotConverged", "lindmft.NotConverged",
              "a panel did not converge: the message says where, what was reached and what to change"},
    ErrorKind{"interrupted", "lindmft::Interrupted", "KeyboardInterrupt",
              "the progress callback, or Ctrl-C, asked to stop"},
};

}  // namespace

std::span<const ErrorKind> error_table() { return kErrors; }

}  // namespace lindmft
