#include "lindmft/errors.hpp"

#include <array>
#include <string>
#include <utility>

namespace lindmft {
namespace {

constexpr std::array kErrors{
    ErrorKind{"invalid_argument", "LINDMFT_INVALID_ARGUMENT", "lindmft::BadInput", "lindmft.BadInput",
              "bad input: the message names the field, the value and what is allowed"},
    ErrorKind{"memory_limit", "LINDMFT_MEMORY_LIMIT", "lindmft::MemoryLimit", "MemoryError",
              "refused before allocating: the message quotes the bytes needed and allowed"},
    ErrorKind{"not_converged", "LINDMFT_NOT_CONVERGED", "lindmft::NotConverged", "lindmft.NotConverged",
              "a panel did not converge: the message says where, what was reached and what to change"},
    ErrorKind{"interrupted", "LINDMFT_INTERRUPTED", "lindmft::Interrupted", "KeyboardInterrupt",
              "the progress callback, or Ctrl-C, asked to stop"},
};

std::string with_index(const std::string& reason, std::optional<std::size_t> index) {
  return index ? "problems[" + std::to_string(*index) + "]: " + reason : reason;
}

}  // namespace

BadInput::BadInput(std::string field, std::string allowed, std::string got, std::string reason,
                   std::optional<std::size_t> index)
    : std::invalid_argument(with_index(reason, index)),
      field_(std::move(field)),
      allowed_(std::move(allowed)),
      got_(std::move(got)),
      reason_(std::move(reason)),
      index_(index) {}

BadInput::BadInput(std::string field, std::string allowed, std::string got)
    : BadInput(field, allowed, got, field + " must be " + allowed + ", got " + got, std::nullopt) {}

BadInput BadInput::conflict(std::string first, const std::string& second, const std::string& why,
                            const std::string& remedy) {
  const std::string reason = first + " cannot be combined with " + second + ": " + why + ". " + remedy + ".";
  return {std::move(first), "", "", reason, std::nullopt};
}

BadInput BadInput::missing(std::string field, const std::string& why) {
  const std::string reason = field + " is missing: " + why;
  return {std::move(field), "", "", reason, std::nullopt};
}

BadInput BadInput::unknown_option(std::string option, const std::string& call) {
  const std::string reason = option + " is not an option of " + call;
  return {std::move(option), "", "", reason, std::nullopt};
}

BadInput BadInput::at(std::size_t index) const { return {field_, allowed_, got_, reason_, index}; }

std::span<const ErrorKind> error_table() noexcept { return kErrors; }

}  // namespace lindmft
