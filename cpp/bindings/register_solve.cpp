#include <exception>
#include <optional>
#include <vector>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"
#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

using Problems = std::vector<Problem>;
using Earlier = std::optional<py::dict>;

SolveOptions with_progress(SolveOptions options, const py::object& progress) {
  options.progress = to_progress(progress);
  return options;
}

template <class Compute>
auto without_gil(Compute compute) {
  const py::gil_scoped_release release;
  return compute();
}

/// solve or flow, from the start or from where an earlier solution ends.
template <class End, class Solve>
auto one_problem(Solve solve) {
  return [solve](const Problem& problem, End end, const SolveOptions& given, const Earlier& continue_from,
                 const py::object& progress) {
    SolveOptions options = with_progress(given, progress);
    const Solution earlier = continue_from ? from_dict(*continue_from) : Solution{};
    if (continue_from) options.continue_from = &earlier;
    return to_dict(without_gil([&] { return solve(problem, end, options); }));
  };
}

/// The Python exception that a call would have raised.
py::object to_exception(const std::exception_ptr& error) {
  const auto make = [](const py::handle& type, const char* message) { return py::object(type(message)); };
  try {
    std::rethrow_exception(error);
  } catch (const BadInput& e) {
    return bad_input(e);
  } catch (const NotConverged& e) {
    return make(py::module_::import("lindmft._core").attr("NotConverged"), e.what());
  } catch (const std::bad_alloc& e) {
    return make(PyExc_MemoryError, e.what());
  } catch (const std::invalid_argument& e) {
    return make(PyExc_ValueError, e.what());
  } catch (const std::exception& e) {
    return make(PyExc_RuntimeError, e.what());
  }
}

/// solve_many or flow_many: results in the problems' order. Errors are raised, or take the place of results.
template <class End, class Solve, class Try>
auto many_problems(Solve solve, Try attempt) {
  return [solve, attempt](const Problems& problems, End end, const SolveOptions& given, bool return_errors,
                          const py::object& progress) {
    const SolveOptions options = with_progress(given, progress);
    py::list out;
    if (!return_errors) {
      for (Solution& solution : without_gil([&] { return solve(problems, end, options); }))
        out.append(to_dict(std::move(solution)));
      return out;
    }
    for (Attempt& attempted : without_gil([&] { return attempt(problems, end, options); }))
      out.append(attempted.error ? to_exception(attempted.error) : to_dict(std::move(attempted.solution)));
    return out;
  };
}

}  // namespace

void register_solve(py::module_& module) {
  const auto def_one = [&](const char* name, auto call, const char* end, const char* doc) {
    module.def(name, call, "problem"_a, py::arg(end), "options"_a, py::kw_only(), "continue_from"_a = py::none(),
               "progress"_a = py::none(), doc);
  };
  def_one("solve", one_problem<int>(&solve), "steps", "Discrete steps of the theory; see lindmft.solve.");
  def_one("flow", one_problem<double>(&flow), "time", "Gradient flow of the theory; see lindmft.flow.");

  const auto def_many = [&](const char* name, auto call, const char* end, const char* doc) {
    module.def(name, call, "problems"_a, py::arg(end), "options"_a, py::kw_only(), "return_errors"_a = false,
               "progress"_a = py::none(), doc);
  };
  def_many("solve_many", many_problems<int>(&solve_many, &try_solve_many), "steps",
           "solve for each of many problems; see lindmft.solve_many.");
  def_many("flow_many", many_problems<double>(&flow_many, &try_flow_many), "time",
           "flow for each of many problems; see lindmft.flow_many.");

  const auto def_check = [&](const char* name, auto check, const char* problems, const char* end) {
    module.def(name, check, py::arg(problems), py::arg(end), "options"_a, "Refuse bad input without computing.");
  };
  def_check(
      "check_solve", [](const Problem& problem, int steps, const SolveOptions& o) { check_solve(problem, steps, o); },
      "problem", "steps");
  def_check(
      "check_flow", [](const Problem& problem, double time, const SolveOptions& o) { check_flow(problem, time, o); },
      "problem", "time");
  def_check(
      "check_solve",
      [](const Problems& problems, int steps, const SolveOptions& o) { check_solve(problems, steps, o); }, "problems",
      "steps");
  def_check(
      "check_flow", [](const Problems& problems, double time, const SolveOptions& o) { check_flow(problems, time, o); },
      "problems", "time");
  module.def("estimate_solve_memory", &estimate_solve_memory, "problem"_a, "steps"_a, "options"_a,
             "Bytes that solve takes at its peak.");
}

}  // namespace lindmft::bindings
