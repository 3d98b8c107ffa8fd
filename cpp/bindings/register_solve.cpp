#include <pybind11/native_enum.h>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

py::dict to_dict(const SolveStats& stats) {
  py::dict out;
  out["nodes"] = stats.nodes;
  out["panels"] = stats.panels;
  out["rejected_panels"] = stats.rejected_panels;
  out["sweeps"] = stats.sweeps;
  out["row_sweeps"] = stats.row_sweeps;
  out["flops"] = stats.flops;
  out["seconds"] = stats.seconds;
  out["threads"] = stats.threads;
  out["chain_residual"] = stats.chain_residual;
  out["depth_error"] = stats.depth_error;
  out["error_estimate"] = stats.error_estimate;
  return out;
}

py::dict to_dict(TwoTimeFunctions&& functions) {
  py::dict out;
  const auto put_list = [&](const char* name, std::vector<Matrix>&& matrices) {
    if (!matrices.empty()) out[name] = to_list(std::move(matrices));
  };
  const auto put = [&](const char* name, Matrix&& matrix) {
    if (!matrix.empty()) out[name] = to_numpy(std::move(matrix));
  };
  put_list("C_h", std::move(functions.C_h));
  put_list("C_g", std::move(functions.C_g));
  put_list("R_hr", std::move(functions.R_hr));
  put_list("R_gu", std::move(functions.R_gu));
  put("C_v", std::move(functions.C_v));
  put("C_delta", std::move(functions.C_delta));
  put("R_delta", std::move(functions.R_delta));
  return out;
}

/// Series that were asked for, or None.
py::object to_object(const Replicas& replicas) {
  if (replicas.independent.empty()) return py::none();
  py::dict out;
  out["shared_init"] = to_numpy(replicas.shared_init);
  out["shared_data"] = to_numpy(replicas.shared_data);
  out["independent"] = to_numpy(replicas.independent);
  return out;
}

py::object to_object(const Kernels& kernels) {
  if (kernels.scale.empty()) return py::none();
  py::dict out;
  out["scale"] = to_numpy(kernels.scale);
  out["target"] = to_numpy(kernels.target);
  out["gradient"] = to_numpy(kernels.gradient);
  return out;
}

py::dict to_dict(Solution&& solution) {
  py::dict out;
  out["replicas"] = to_object(solution.replicas);
  out["kernels"] = to_object(solution.kernels);
  out["test_loss_by_output"] = to_numpy(solution.test_loss_by_output);
  out["train_loss_by_output"] = to_numpy(solution.train_loss_by_output);
  py::list channels;
  for (Solution& channel : solution.channels) channels.append(to_dict(std::move(channel)));
  out["channels"] = channels;
  out["channel"] = solution.channel;
  out["time"] = to_numpy(solution.time);
  out["panels"] = solution.panels;
  out["test_loss"] = to_numpy(solution.test_loss);
  out["train_loss"] = to_numpy(solution.train_loss);
  out["term_target"] = to_numpy(solution.term_target);
  out["term_init"] = to_numpy(solution.term_init);
  out["term_data"] = to_numpy(solution.term_data);
  out["depth"] = to_numpy(solution.depth);
  out["feature_norm"] = to_numpy(solution.feature_norm);
  out["gradient_norm"] = to_numpy(solution.gradient_norm);
  out["irreducible"] = solution.irreducible;
  out["diverged_at"] = solution.diverged_at;
  py::dict state;
  for (auto& [name, kept] : solution.state) state[py::str(name)] = to_numpy(std::move(kept));
  out["state"] = state;
  out["functions"] = to_dict(std::move(solution.functions));
  out["stats"] = to_dict(solution.stats);
  return out;
}

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;

std::vector<double> to_vector(const py::handle& array) {
  const auto values = py::cast<Array>(array);
  return {values.data(), values.data() + values.size()};
}

std::vector<std::vector<double>> to_rows(const py::handle& array) {
  const auto values = py::cast<Array>(array);
  std::vector<std::vector<double>> rows;
  const py::ssize_t n = values.ndim() == 2 ? values.shape(1) : 0;
  for (py::ssize_t i = 0; i < (values.ndim() == 2 ? values.shape(0) : 0); ++i)
    rows.emplace_back(values.data() + i * n, values.data() + (i + 1) * n);
  return rows;
}

Matrix to_matrix(const py::handle& array) {
  const auto values = py::cast<Array>(array);
  if (values.ndim() != 2) throw std::invalid_argument("continue_from must have a state of two-dimensional arrays");
  Matrix m(static_cast<int>(values.shape(0)), static_cast<int>(values.shape(1)));
  std::copy_n(values.data(), values.size(), m.data());
  return m;
}

SolveStats to_stats(const py::dict& stats) {
  SolveStats out;
  out.panels = py::cast<int>(stats["panels"]);
  out.rejected_panels = py::cast<int>(stats["rejected_panels"]);
  out.sweeps = py::cast<int>(stats["sweeps"]);
  out.row_sweeps = py::cast<double>(stats["row_sweeps"]);
  out.flops = py::cast<double>(stats["flops"]);
  out.seconds = py::cast<double>(stats["seconds"]);
  out.chain_residual = py::cast<double>(stats["chain_residual"]);
  out.depth_error = py::cast<double>(stats["depth_error"]);
  out.error_estimate = py::cast<double>(stats["error_estimate"]);
  return out;
}

/// What to_dict made of a solution, as far as going on needs it.
Solution from_dict(const py::dict& dict) {
  Solution out;
  out.time = to_vector(dict["time"]);
  out.panels = py::cast<std::vector<int>>(dict["panels"]);
  out.test_loss = to_vector(dict["test_loss"]);
  out.train_loss = to_vector(dict["train_loss"]);
  out.term_target = to_vector(dict["term_target"]);
  out.term_init = to_vector(dict["term_init"]);
  out.term_data = to_vector(dict["term_data"]);
  out.depth = to_vector(dict["depth"]);
  out.feature_norm = to_rows(dict["feature_norm"]);
  out.gradient_norm = to_rows(dict["gradient_norm"]);
  out.diverged_at = py::cast<std::optional<int>>(dict["diverged_at"]);
  out.stats = to_stats(py::cast<py::dict>(dict["stats"]));
  for (const auto& [name, kept] : py::cast<py::dict>(dict["state"]))
    out.state.emplace_back(py::cast<std::string>(name), to_matrix(kept));
  for (const py::handle channel : py::cast<py::list>(dict["channels"]))
    out.channels.push_back(from_dict(py::cast<py::dict>(channel)));
  return out;
}

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
