// Bad input is refused in one shape, BadInput; options are checked by their table, lindmft/options.hpp.
#pragma once

#include <sstream>
#include <string>
#include <type_traits>

#include "lindmft/errors.hpp"
#include "lindmft/options.hpp"

namespace lindmft::support {

/// A value as messages show it.
template <class Value>
std::string text(const Value& value) {
  if constexpr (std::is_convertible_v<Value, std::string>) {
    return value;
  } else {
    std::ostringstream out;
    out << value;
    return out.str();
  }
}

/// Throws BadInput: "FIELD must be ALLOWED, got GOT".
template <class Value>
[[noreturn]] void refuse(const std::string& field, const std::string& allowed, const Value& got) {
  throw BadInput(field, allowed, text(got));
}

template <class Value>
void require(bool good, const std::string& field, const std::string& allowed, const Value& got) {
  if (!good) refuse(field, allowed, got);
}

/// The allowed values of an option, in words.
inline std::string allowed(const Option& option) {
  return std::string(option.allowed) + (*option.zero == '\0' ? "" : std::string(", or 0 for ") + option.zero);
}

template <class Number>
void require_allowed(const Option& option, Number value) {
  require(option.allows(static_cast<double>(value)), option.name, allowed(option), value);
}

/// Refuses numbers out of range, and options that the call does not know unless they have their default.
template <class Options>
void check_options(const Options& options, Calls call, const std::string& name) {
  const Options defaults;
  Options::for_each([&](const Option& option, auto member) {
    const auto& value = options.*member;
    if ((option.calls & call) == 0 && value != defaults.*member) throw BadInput::unknown_option(option.name, name);
    if constexpr (std::is_same_v<decltype(options.*member), const int&> ||
                  std::is_same_v<decltype(options.*member), const double&>)
      require_allowed(option, value);
  });
}

}  // namespace lindmft::support
