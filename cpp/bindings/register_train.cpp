#include <utility>
#include <vector>

#include "lindmft/train.hpp"
#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

using Problems = std::vector<Problem>;

/// Train without the GIL, reporting to a Python callback.
template <class Input, class Train>
auto trained(Train train, const Input& input, int steps, const TrainOptions& given, const py::object& progress) {
  TrainOptions options = given;
  options.progress = to_progress(progress);
  const py::gil_scoped_release release;
  return train(input, steps, options);
}

py::dict train_to_dict(const Problem& problem, int steps, const TrainOptions& options, const py::object& progress) {
  return to_dict(trained(&train, problem, steps, options, progress));
}

py::list train_many_to_list(const Problems& problems, int steps, const TrainOptions& options,
                            const py::object& progress) {
  py::list out;
  for (Ensemble& ensemble : trained(&train_many, problems, steps, options, progress))
    out.append(to_dict(std::move(ensemble)));
  return out;
}

py::dict replicas_to_dict(const Problem& problem, int steps, const TrainOptions& options, const py::object& progress) {
  return to_dict(trained(&train_replicas, problem, steps, options, progress));
}

}  // namespace

void register_train(py::module_& module) {
  const auto def_train = [&](const char* name, auto call, const char* problems, const char* doc) {
    module.def(name, call, py::arg(problems), "steps"_a, "options"_a, py::kw_only(), "progress"_a = py::none(), doc);
  };
  def_train("train", &train_to_dict, "problem", "Train finite-size networks; see lindmft.train.");
  def_train("train_many", &train_many_to_list, "problems",
            "Train the networks of many problems; see lindmft.train_many.");
  def_train("train_replicas", &replicas_to_dict, "problem",
            "Train crossed initializations and data sets; see lindmft.training.train_replicas.");

  const auto def = [&](const char* name, auto call, const char* problems, const char* doc) {
    module.def(name, call, py::arg(problems), "steps"_a, "options"_a, doc);
  };
  const auto check = "Refuse bad input without training.";
  def(
      "check_train", [](const Problem& problem, int steps, const TrainOptions& o) { check_train(problem, steps, o); },
      "problem", check);
  def(
      "check_train",
      [](const Problems& problems, int steps, const TrainOptions& o) { check_train(problems, steps, o); }, "problems",
      check);
  def("check_replicas", &check_replicas, "problem", check);
  def("estimate_train_memory", &estimate_train_memory, "problem", "Bytes that train takes at its peak.");
  def(
      "estimate_train_many_memory",
      [](const Problems& problems, int steps, const TrainOptions& o) {
        return estimate_train_many_memory(problems, steps, o);
      },
      "problems", "Bytes that train_many takes at its peak.");
  def("estimate_replicas_memory", &estimate_replicas_memory, "problem", "Bytes that train_replicas takes at its peak.");
}

}  // namespace lindmft::bindings
