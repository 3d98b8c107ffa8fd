// Options are set by name; the names, and what each option takes, are those of SolveOptions and TrainOptions.
#include "c_interface/options.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "c_interface/fields.hpp"
#include "c_interface/guard.hpp"
#include "c_interface/handles.hpp"

namespace lindmft::c_interface {
namespace {

/// Calls visit(option, member of the handle) for every option that can be set by name. Some are both of solving and of
/// training.
template <class Visit>
void for_each_option(lindmft_options& handle, Visit visit) {
  const auto of = [&](auto& options) {
    std::decay_t<decltype(options)>::for_each([&](const Option& option, auto member) {
      if ((option.calls & kInC) != 0) visit(option, options.*member);
    });
  };
  of(handle.solve);
  of(handle.train);
}

/// The allowed values of an option, in words.
std::string allowed(const Option& /*option*/, bool /*value*/) { return "0 or 1"; }
std::string allowed(const Option& /*option*/, const std::vector<std::string>& /*value*/) {
  return "words with commas between them";
}
std::string allowed(const Option& /*option*/, const std::vector<double>& /*value*/) {
  return "numbers with commas between them";
}
template <class Value>
std::string allowed(const Option& option, const Value& /*value*/) {
  if constexpr (std::is_enum_v<Value>) {
    std::string out;
    for (const auto& [word, value] : words(Value())) out += std::string(out.empty() ? "one of '" : ", '") + word + "'";
    return out;
  }
  return std::string(option.allowed) + (*option.zero == '\0' ? "" : std::string(", or 0 for ") + option.zero);
}

bool put(const Option& /*option*/, bool& value, double given) {
  value = given == 1.0;
  return given == 0.0 || given == 1.0;
}
bool put(const Option& option, double& value, double given) {
  value = given;
  return option.allows(given);
}
bool put(const Option& option, int& value, double given) {
  if (!option.allows(given) || given != std::floor(given)) return false;
  value = static_cast<int>(given);
  return true;
}
bool put(const Option& option, std::vector<std::uint32_t>& value, double given) {
  if (!option.allows(given) || given != std::floor(given)) return false;
  value.assign(1, static_cast<std::uint32_t>(given));
  return true;
}
bool put(const Option& /*option*/, std::vector<std::string>& value, const char* given) {
  value = split(given);
  return true;
}
bool put(const Option& option, std::vector<double>& value, double given) {
  value.assign(1, given);
  return option.allows(given);
}
bool put(const Option& option, std::vector<double>& value, const char* given) {
  value.clear();
  for (const std::string& word : split(given)) {
    char* end = nullptr;
    value.push_back(std::strtod(word.c_str(), &end));
    if (word.empty() || *end != '\0' || !option.allows(value.back())) return false;
  }
  return true;
}
template <class Value>
bool put(const Option& /*option*/, Value& value, const char* given) {
  if constexpr (std::is_enum_v<Value>) {
    for (const auto& [word, one] : words(Value())) {
      if (std::string_view(word) == given) {
        value = one;
        return true;
      }
    }
  }
  return false;
}
template <class Value>
bool put(const Option& /*option*/, Value& /*value*/, double /*given*/) {
  return false;
}

std::string shown(double value) { return text(value); }
std::string shown(const char* value) { return quoted(value); }

template <class Value>
void set(lindmft_options& handle, const char* name, Value value) {
  lindmft_options changed = handle;  // nothing may change where the value is refused
  std::string known;
  bool found = false;
  for_each_option(changed, [&](const Option& option, auto& member) {
    if (known.find(std::string(", ") + option.name) == std::string::npos) known += std::string(", ") + option.name;
    if (std::string_view(option.name) != name) return;
    found = true;
    if (!put(option, member, value)) refuse(option.name, allowed(option, member), shown(value));
    changed.given.push_back(option);
  });
  if (!found) refuse("name", "one of " + known.substr(2), quoted(name));
  handle = std::move(changed);
}

template <class Value>
int set_option(lindmft_options* handle, const char* name, Value value) {
  return guarded([&] {
    lindmft_options& options = not_null(handle, "options");
    static_cast<void>(not_null(name, "name"));
    if constexpr (std::is_pointer_v<Value>) static_cast<void>(not_null(value, name));
    set(options, name, value);
  });
}

/// Refuses options that were set and that the call does not know.
void check_given(const lindmft_options& options, Calls call, const std::string& name) {
  std::map<std::string_view, unsigned> calls;  // the calls that know an option, by its name
  for (const Option& option : options.given) calls[option.name] |= option.calls;
  for (const Option& option : options.given) {
    if ((calls[option.name] & call) == 0) throw BadInput::unknown_option(option.name, name);
  }
}

Progress progress(const lindmft_options& options) {
  if (options.progress == nullptr) return {};
  return [callback = options.progress, user = options.user](int done, int total) {
    return callback(done, total, user) == 0;
  };
}

/// The members that the call knows; the others, which another call knows by the same name, keep their defaults.
template <class Options>
Options options_of(const lindmft_options* given, const Options lindmft_options::* part, Calls call,
                   const std::string& name) {
  Options out;
  if (given == nullptr) return out;
  check_given(*given, call, name);
  Options::for_each([&](const Option& option, auto member) {
    if ((option.calls & call) != 0) out.*member = (given->*part).*member;
  });
  out.progress = progress(*given);
  return out;
}

const char* call_words(unsigned calls) {
  const bool training = (calls & kTrain) != 0;
  if ((calls & kFlow) != 0) return training ? "all calls" : "lindmft_solve, lindmft_flow";
  if ((calls & kSolve) != 0) return training ? "lindmft_solve, lindmft_train" : "lindmft_solve";
  return "lindmft_train";
}

/// One line for each option: its name, meaning, what it takes, and the calls that know it.
std::string listing() {
  lindmft_options handle;
  std::vector<std::string> names;
  std::map<std::string, std::string> meanings;
  std::map<std::string, unsigned> calls;
  for_each_option(handle, [&](const Option& option, auto& member) {
    if (!calls.contains(option.name)) names.emplace_back(option.name);
    meanings.try_emplace(option.name, std::string(option.meaning) + " Takes " + allowed(option, member) + ".");
    calls[option.name] |= option.calls;
  });
  std::string out;
  for (const std::string& name : names) out += name + ": " + meanings[name] + " Of " + call_words(calls[name]) + ".\n";
  return out;
}

}  // namespace

SolveOptions solve_options(const lindmft_options* options) {
  return options_of(options, &lindmft_options::solve, kSolve, "lindmft_solve");
}

SolveOptions flow_options(const lindmft_options* options) {
  return options_of(options, &lindmft_options::solve, kFlow, "lindmft_flow");
}

TrainOptions train_options(const lindmft_options* options) {
  return options_of(options, &lindmft_options::train, kTrain, "lindmft_train");
}

}  // namespace lindmft::c_interface

using namespace lindmft::c_interface;

extern "C" {

lindmft_options* lindmft_options_new(void) {
  lindmft_options* made = nullptr;
  guarded([&] { made = new lindmft_options; });
  return made;
}

void lindmft_options_free(lindmft_options* options) { delete options; }

const char* lindmft_options_list(void) {
  const char* out = "";
  guarded([&] {
    static const std::string text = listing();
    out = text.c_str();
  });
  return out;
}

int lindmft_options_set_double(lindmft_options* options, const char* name, double value) {
  return set_option(options, name, value);
}

int lindmft_options_set_string(lindmft_options* options, const char* name, const char* value) {
  return set_option(options, name, value);
}

int lindmft_options_set_progress(lindmft_options* options, lindmft_progress progress, void* user) {
  return guarded([&] {
    lindmft_options& target = not_null(options, "options");
    target.progress = progress;
    target.user = user;
  });
}
}
