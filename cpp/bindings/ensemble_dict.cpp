#include <string>
#include <utility>

#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;

namespace lindmft::bindings {
namespace {

/// The fields that ensembles of all kinds have.
template <class Result>
py::dict described(Result& result) {
  py::dict stats;
  stats["seconds"] = result.stats.seconds;
  stats["threads"] = result.stats.threads;
  stats["instruction_set"] = result.stats.instruction_set;
  stats["method"] = result.stats.method;
  stats["operations"] = result.stats.operations;
  stats["bytes_moved"] = result.stats.bytes_moved;
  py::dict out;
  out["dim"] = result.dim;
  out["samples"] = result.samples;
  out["widths"] = result.widths;
  out["seeds"] = result.seeds;
  out["time"] = to_numpy(result.time);
  out["test_loss"] = to_numpy(std::move(result.test_loss));
  out["diverged_at"] = result.diverged_at;
  out["stats"] = stats;
  out["dtype"] = result.precision == Precision::float32 ? "float32" : "float64";
  return out;
}

/// None for a series that was not asked for, or has no terms.
py::object optional_array(Matrix&& matrix) {
  if (matrix.empty()) return py::none();
  return to_numpy(std::move(matrix));
}

}  // namespace

py::dict to_dict(Ensemble&& ensemble) {
  py::dict out = described(ensemble);
  out["train_loss"] = to_numpy(std::move(ensemble.train_loss));
  out["test_loss_by_output"] = to_list(std::move(ensemble.test_loss_by_output));
  out["train_loss_by_output"] = to_list(std::move(ensemble.train_loss_by_output));
  out["feature_norm"] = to_list(std::move(ensemble.feature_norm));
  out["gradient_norm"] = to_list(std::move(ensemble.gradient_norm));
  out["feature_update"] = to_list(std::move(ensemble.feature_update));
  out["gradient_update"] = to_list(std::move(ensemble.gradient_update));
  out["noise_draw"] = ensemble.noise_draw;
  out["chain_residual"] = to_numpy(std::move(ensemble.chain_residual));
  py::list states;
  for (const std::string& state : ensemble.state) states.append(py::bytes(state));
  out["state"] = states;
  out["kernel_gradient"] = optional_array(std::move(ensemble.kernel_gradient));
  out["kernel_target"] = optional_array(std::move(ensemble.kernel_target));
  out["kernel_scale"] = optional_array(std::move(ensemble.kernel_scale));
  return out;
}

py::dict to_dict(ReplicaEnsemble&& ensemble) {
  py::dict out = described(ensemble);
  out["k_init"] = ensemble.k_init;
  out["k_data"] = ensemble.k_data;
  out["shared_init"] = optional_array(std::move(ensemble.shared_init));
  out["shared_data"] = optional_array(std::move(ensemble.shared_data));
  out["independent"] = optional_array(std::move(ensemble.independent));
  out["averaged_loss"] = to_numpy(std::move(ensemble.averaged_loss));
  return out;
}

}  // namespace lindmft::bindings
