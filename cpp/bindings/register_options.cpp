// SolveOptions and TrainOptions as classes with keyword arguments; names, defaults and ranges are those of their
// tables.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

template <class Value>
py::object to_python(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    for (const auto& [word, one] : words(Value())) {
      if (one == value) return py::str(word);
    }
    return py::none();
  } else {
    return py::cast(value);
  }
}

/// The states of networks are bytes, not text.
py::object to_python(const std::vector<std::string>& values) {
  py::list out;
  for (const std::string& value : values) out.append(py::bytes(value));
  return out;
}

template <class Value>
void from_python(const Option& option, const py::handle& given, Value& value) {
  try {
    if constexpr (std::is_enum_v<Value>) {
      const auto name = py::cast<std::string>(given);
      for (const auto& [word, one] : words(Value())) {
        if (name == word) {
          value = one;
          return;
        }
      }
      throw py::cast_error();
    } else {
      value = py::cast<Value>(given);
    }
  } catch (const py::cast_error&) {
    throw py::type_error(std::string(option.name) + " has a value of the wrong type");
  }
}

/// How a member is converted, for Python's checks of what users give.
constexpr const char* kind(const bool* /*member*/) { return "flag"; }
constexpr const char* kind(const int* /*member*/) { return "whole"; }
constexpr const char* kind(const double* /*member*/) { return "number"; }
constexpr const char* kind(const std::vector<std::string>* /*member*/) { return "names"; }
constexpr const char* kind(const std::vector<double>* /*member*/) { return "times"; }
template <class Value>
constexpr const char* kind(const Value* /*member*/) {
  return std::is_enum_v<Value> ? "choice" : "numbers";
}

template <class Value>
py::list choices(const Value& /*value*/) {
  py::list out;
  if constexpr (std::is_enum_v<Value>) {
    for (const auto& [word, value] : words(Value())) out.append(word);
  }
  return out;
}

py::list call_names(unsigned calls) {
  constexpr std::array<std::pair<Calls, const char*>, 7> kNames{{{kSolve, "solve"},
                                                                 {kFlow, "flow"},
                                                                 {kSolveMany, "solve_many"},
                                                                 {kFlowMany, "flow_many"},
                                                                 {kTrain, "train"},
                                                                 {kTrainMany, "train_many"},
                                                                 {kTrainReplicas, "train_replicas"}}};
  py::list out;
  for (const auto& [call, name] : kNames) {
    if ((calls & call) != 0) out.append(name);
  }
  return out;
}

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;

Matrix to_matrix(const py::handle& given) {
  const auto array = py::cast<Numbers>(given);
  if (array.ndim() != 2) throw py::type_error("samples must be matrices");
  Matrix out(static_cast<int>(array.shape(0)), static_cast<int>(array.shape(1)));
  std::copy_n(array.data(), array.size(), out.data());
  return out;
}

/// Options that are not in the table; returns their number.
std::size_t read_others(const py::kwargs& /*given*/, SolveOptions& /*options*/) { return 0; }

/// Samples are four arrays: inputs and labels, and those held out.
std::size_t read_others(const py::kwargs& given, TrainOptions& options) {
  if (!given.contains("samples")) return 0;
  const auto samples = py::cast<py::sequence>(given["samples"]);
  if (py::len(samples) != 4) throw py::type_error("samples must be four matrices");
  options.samples = std::make_shared<const GivenSamples>(
      GivenSamples{to_matrix(samples[0]), to_matrix(samples[1]), to_matrix(samples[2]), to_matrix(samples[3])});
  return 1;
}

template <class Options>
Options made_of(const py::kwargs& given) {
  Options out;
  std::size_t used = read_others(given, out);
  Options::for_each([&](const Option& option, auto member) {
    if (!given.contains(option.name)) return;
    from_python(option, given[option.name], out.*member);
    ++used;
  });
  if (used < given.size()) throw py::type_error("an option is not in the table");
  return out;
}

template <class Options>
void register_class(py::module_& module, const char* name, const char* doc) {
  py::class_<Options> made(module, name, doc);
  made.def(py::init([](const py::kwargs& given) { return made_of<Options>(given); }));
  py::list table;
  Options::for_each([&](const Option& option, auto member) {
    made.def_property_readonly(option.name, [member](const Options& options) { return to_python(options.*member); });
    const Options defaults;
    const auto& value = defaults.*member;
    table.append(py::dict("name"_a = option.name, "kind"_a = kind(&value), "default"_a = to_python(value),
                          "choices"_a = choices(value), "allowed"_a = option.allowed, "least"_a = option.least,
                          "most"_a = option.most, "zero"_a = option.zero, "calls"_a = call_names(option.calls),
                          "meaning"_a = option.meaning));
  });
  made.attr("table") = table;
}

}  // namespace

void register_options(py::module_& module) {
  register_class<SolveOptions>(module, "SolveOptions", "Options of solve, flow, solve_many and flow_many.");
  register_class<TrainOptions>(module, "TrainOptions", "Options of train, train_many and train_replicas.");
}

}  // namespace lindmft::bindings
