// Fields of a struct that are set by name, and the values that they take.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "c_interface/guard.hpp"

namespace lindmft::c_interface {

template <class T>
using Number = double& (*)(T&);
template <class T>
using Flag = bool& (*)(T&);
template <class T>
using Numbers = std::vector<double>& (*)(T&);
/// Words with commas between them.
template <class T>
using Words = std::vector<std::string>& (*)(T&);

/// A whole number; infinity only if it is the largest.
template <class T>
struct Whole {
  void (*put)(T&, double);
  double least;
  double most;
  const char* allowed;
};

/// A number, or a list with an entry for each step.
template <class T>
struct Schedule {
  void (*put)(T&, std::span<const double>);
};

template <class T>
struct Choice {
  const char* word;
  void (*put)(T&);
};
template <class T>
using Choices = std::vector<Choice<T>>;

template <class T>
struct Field {
  const char* name;
  std::variant<Number<T>, Flag<T>, Numbers<T>, Words<T>, Whole<T>, Schedule<T>, Choices<T>> place;
};

[[noreturn]] inline void refuse(const std::string& field, const std::string& allowed, const std::string& got) {
  throw BadInput(field, allowed, got);
}

inline std::string text(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

template <class T>
const Field<T>& find(const std::vector<Field<T>>& fields, const char* what, const char* name) {
  static_cast<void>(not_null(name, what));
  std::string allowed = "one of ";
  for (const Field<T>& field : fields) {
    if (std::string_view(field.name) == name) return field;
    allowed += std::string(&field == fields.data() ? "" : ", ") + field.name;
  }
  refuse(what, allowed, quoted(name));
}

/// The values that a field takes, in words.
template <class T>
std::string allowed(const Field<T>& field) {
  if (std::holds_alternative<Number<T>>(field.place)) return "a number";
  if (std::holds_alternative<Flag<T>>(field.place)) return "0 or 1";
  if (std::holds_alternative<Numbers<T>>(field.place) || std::holds_alternative<Schedule<T>>(field.place))
    return "a number or a list of numbers";
  if (std::holds_alternative<Words<T>>(field.place)) return "words with commas between them";
  if (const auto* whole = std::get_if<Whole<T>>(&field.place)) return whole->allowed;
  std::string words;
  for (const Choice<T>& choice : std::get<Choices<T>>(field.place))
    words += std::string(words.empty() ? "'" : ", '") + choice.word + "'";
  return "one of " + words;
}

template <class T>
void set(const Field<T>& field, T& target, double value) {
  const auto is_whole = [&](const Whole<T>& whole) {
    return value >= whole.least && value <= whole.most && (std::isinf(value) || value == std::floor(value));
  };
  if (const auto* number = std::get_if<Number<T>>(&field.place); number != nullptr && !std::isnan(value)) {
    (*number)(target) = value;
  } else if (const auto* list = std::get_if<Numbers<T>>(&field.place); list != nullptr && !std::isnan(value)) {
    (*list)(target).assign(1, value);
  } else if (const auto* schedule = std::get_if<Schedule<T>>(&field.place); schedule != nullptr && !std::isnan(value)) {
    schedule->put(target, std::span(&value, 1));
  } else if (const auto* flag = std::get_if<Flag<T>>(&field.place); flag != nullptr && (value == 0.0 || value == 1.0)) {
    (*flag)(target) = value == 1.0;
  } else if (const auto* whole = std::get_if<Whole<T>>(&field.place); whole != nullptr && is_whole(*whole)) {
    whole->put(target, value);
  } else {
    refuse(field.name, allowed(field), text(value));
  }
}

template <class T>
void set(const Field<T>& field, T& target, std::span<const double> values) {
  const auto* list = std::get_if<Numbers<T>>(&field.place);
  const auto* schedule = std::get_if<Schedule<T>>(&field.place);
  if (list == nullptr && schedule == nullptr)
    refuse(field.name, allowed(field), "a list of " + std::to_string(values.size()) + " numbers");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) refuse(std::string(field.name) + "[" + std::to_string(i) + "]", "a number", "nan");
  }
  if (list != nullptr) return (*list)(target).assign(values.begin(), values.end());
  if (values.empty()) refuse(field.name, "a number or a list with at least one entry", "an empty list");
  schedule->put(target, values);
}

inline std::vector<std::string> split(std::string_view words) {
  std::vector<std::string> out;
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    std::string_view word = words.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    out.emplace_back(word);
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
  return out;
}

template <class T>
void set(const Field<T>& field, T& target, const char* value) {
  static_cast<void>(not_null(value, field.name));
  if (const auto* words = std::get_if<Words<T>>(&field.place)) {
    (*words)(target) = split(value);
    return;
  }
  if (const auto* choices = std::get_if<Choices<T>>(&field.place)) {
    for (const Choice<T>& choice : *choices) {
      if (std::string_view(choice.word) == value) return choice.put(target);
    }
  }
  refuse(field.name, allowed(field), quoted(value));
}

}  // namespace lindmft::c_interface
