#include <pybind11/native_enum.h>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"
#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

SolveOptions make_options(std::vector<std::string> save, int depth_nodes, bool replicas, bool kernels, double rtol,
                          double atol, bool keep_state, int threads, double memory_limit, const py::object& progress) {
  return {.rtol = rtol,
          .atol = atol,
          .threads = threads,
          .memory_limit = memory_limit,
          .save = std::move(save),
          .depth_nodes = depth_nodes,
          .replicas = replicas,
          .kernels = kernels,
          .keep_state = keep_state,
          .progress = to_progress(progress)};
}

template <class Solve>
py::dict without_gil(SolveOptions options, const std::optional<py::dict>& continue_from, Solve solve) {
  Solution solution;
  const Solution earlier = continue_from ? from_dict(*continue_from) : Solution{};
  if (continue_from) options.continue_from = &earlier;
  {
    const py::gil_scoped_release release;
    solution = solve(options);
  }
  return to_dict(std::move(solution));
}

py::dict solve_to_dict(const Problem& problem, int steps, Grid grid, std::vector<std::string> save, int depth_nodes,
                       bool replicas, bool kernels, double rtol, double atol, bool keep_state,
                       const std::optional<py::dict>& continue_from, int threads, double memory_limit,
                       const py::object& progress) {
  SolveOptions options = make_options(std::move(save), depth_nodes, replicas, kernels, rtol, atol, keep_state, threads,
                                      memory_limit, progress);
  options.grid = grid;
  return without_gil(options, continue_from, [&](const SolveOptions& with) { return solve(problem, steps, with); });
}

py::dict flow_to_dict(const Problem& problem, double time, std::vector<std::string> save, int depth_nodes,
                      bool replicas, bool kernels, double rtol, double atol, bool keep_state,
                      const std::optional<py::dict>& continue_from, int threads, double memory_limit,
                      const py::object& progress) {
  const SolveOptions options = make_options(std::move(save), depth_nodes, replicas, kernels, rtol, atol, keep_state,
                                            threads, memory_limit, progress);
  return without_gil(options, continue_from, [&](const SolveOptions& with) { return flow(problem, time, with); });
}

/// The Python exception that a call would have raised.
py::object to_exception(const std::exception_ptr& error) {
  const auto make = [](const py::handle& type, const char* message) { return py::object(type(message)); };
  try {
    std::rethrow_exception(error);
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

/// Results in the problems' order; errors are raised, or stand in the place of their results.
template <class Raise, class Try>
py::list many_without_gil(const SolveOptions& options, bool return_errors, Raise solve, Try attempt) {
  std::vector<Solution> solutions;
  std::vector<Attempt> attempts;
  {
    const py::gil_scoped_release release;
    if (return_errors) {
      attempts = attempt(options);
    } else {
      solutions = solve(options);
    }
  }
  py::list out;
  for (Solution& solution : solutions) out.append(to_dict(std::move(solution)));
  for (Attempt& attempted : attempts) {
    if (attempted.error) {
      out.append(to_exception(attempted.error));
    } else {
      out.append(to_dict(std::move(attempted.solution)));
    }
  }
  return out;
}

py::list solve_many_to_list(const std::vector<Problem>& problems, int steps, Grid grid, std::vector<std::string> save,
                            int depth_nodes, bool replicas, bool kernels, double rtol, double atol, bool keep_state,
                            int threads, double memory_limit, const py::object& progress, bool return_errors) {
  SolveOptions options = make_options(std::move(save), depth_nodes, replicas, kernels, rtol, atol, keep_state, threads,
                                      memory_limit, progress);
  options.grid = grid;
  return many_without_gil(
      options, return_errors, [&](const SolveOptions& with) { return solve_many(problems, steps, with); },
      [&](const SolveOptions& with) { return try_solve_many(problems, steps, with); });
}

py::list flow_many_to_list(const std::vector<Problem>& problems, double time, std::vector<std::string> save,
                           int depth_nodes, bool replicas, bool kernels, double rtol, double atol, bool keep_state,
                           int threads, double memory_limit, const py::object& progress, bool return_errors) {
  const SolveOptions options = make_options(std::move(save), depth_nodes, replicas, kernels, rtol, atol, keep_state,
                                            threads, memory_limit, progress);
  return many_without_gil(
      options, return_errors, [&](const SolveOptions& with) { return flow_many(problems, time, with); },
      [&](const SolveOptions& with) { return try_flow_many(problems, time, with); });
}

}  // namespace

void register_solve(py::module_& module) {
  py::native_enum<Grid>(module, "Grid", "enum.Enum")
      .value("exact", Grid::exact)
      .value("adaptive", Grid::adaptive)
      .finalize();
  module.def("solve", &solve_to_dict, "problem"_a, "steps"_a, py::kw_only(), "grid"_a = Grid::exact,
             "save"_a = std::vector<std::string>{}, "depth_nodes"_a = 0, "replicas"_a = false, "kernels"_a = false,
             "rtol"_a = 1e-6, "atol"_a = 1e-10, "keep_state"_a = false, "continue_from"_a = py::none(), "threads"_a = 0,
             "memory_limit"_a = 0.0, "progress"_a = py::none(), "Discrete steps of the theory; see lindmft.solve.");
  module.def("flow", &flow_to_dict, "problem"_a, "time"_a, py::kw_only(), "save"_a = std::vector<std::string>{},
             "depth_nodes"_a = 0, "replicas"_a = false, "kernels"_a = false, "rtol"_a = 1e-6, "atol"_a = 1e-10,
             "keep_state"_a = false, "continue_from"_a = py::none(), "threads"_a = 0, "memory_limit"_a = 0.0,
             "progress"_a = py::none(), "Gradient flow of the theory; see lindmft.flow.");
  module.def("solve_many", &solve_many_to_list, "problems"_a, "steps"_a, py::kw_only(), "grid"_a = Grid::exact,
             "save"_a = std::vector<std::string>{}, "depth_nodes"_a = 0, "replicas"_a = false, "kernels"_a = false,
             "rtol"_a = 1e-6, "atol"_a = 1e-10, "keep_state"_a = false, "threads"_a = 0, "memory_limit"_a = 0.0,
             "progress"_a = py::none(), "return_errors"_a = false,
             "solve for each of many problems; see lindmft.solve_many.");
  module.def("flow_many", &flow_many_to_list, "problems"_a, "time"_a, py::kw_only(),
             "save"_a = std::vector<std::string>{}, "depth_nodes"_a = 0, "replicas"_a = false, "kernels"_a = false,
             "rtol"_a = 1e-6, "atol"_a = 1e-10, "keep_state"_a = false, "threads"_a = 0, "memory_limit"_a = 0.0,
             "progress"_a = py::none(), "return_errors"_a = false,
             "flow for each of many problems; see lindmft.flow_many.");
  module.def(
      "estimate_solve_memory",
      [](const Problem& problem, int steps, std::vector<std::string> save, int depth_nodes, bool replicas, bool kernels,
         bool keep_state) {
        SolveOptions options;
        options.save = std::move(save);
        options.depth_nodes = depth_nodes;
        options.replicas = replicas;
        options.kernels = kernels;
        options.keep_state = keep_state;
        return estimate_solve_memory(problem, steps, options);
      },
      "problem"_a, "steps"_a, py::kw_only(), "save"_a = std::vector<std::string>{}, "depth_nodes"_a = 0,
      "replicas"_a = false, "kernels"_a = false, "keep_state"_a = false, "Bytes that solve takes at its peak.");
}

}  // namespace lindmft::bindings
