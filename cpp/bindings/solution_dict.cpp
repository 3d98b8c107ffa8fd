#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;

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

}  // namespace

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

}  // namespace lindmft::bindings
