#include <string>
#include <utility>

#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;

namespace lindmft::bindings {
namespace {

py::object to_object(Matrix&& matrix) { return to_numpy(std::move(matrix)); }
py::object to_object(std::vector<Matrix>&& matrices) { return to_list(std::move(matrices)); }

/// The entries that ensembles of all kinds have. Series that were not asked for, or have no terms, are left out.
template <class Result>
py::dict described(Result& result) {
  py::dict stats;
  TrainStats::for_each([&](const char* name, const auto& value) { stats[name] = value; }, result.stats);
  py::dict series;
  Result::for_each_series(
      [&](const Series& one, auto& values) {
        if (!values.empty()) series[one.name] = to_object(std::move(values));
      },
      result);
  py::dict out;
  out["dim"] = result.dim;
  out["samples"] = result.samples;
  out["widths"] = result.widths;
  out["seeds"] = result.seeds;
  out["time"] = to_numpy(result.time);
  out["series"] = series;
  out["diverged_at"] = result.diverged_at;
  out["stats"] = stats;
  out["dtype"] = result.precision == Precision::float32 ? "float32" : "float64";
  return out;
}

}  // namespace

py::dict to_dict(Ensemble&& ensemble) {
  py::dict out = described(ensemble);
  out["noise_draw"] = ensemble.noise_draw;
  py::list states;
  for (const std::string& state : ensemble.state) states.append(py::bytes(state));
  out["state"] = states;
  return out;
}

py::dict to_dict(ReplicaEnsemble&& ensemble) {
  py::dict out = described(ensemble);
  out["k_init"] = ensemble.k_init;
  out["k_data"] = ensemble.k_data;
  return out;
}

}  // namespace lindmft::bindings
