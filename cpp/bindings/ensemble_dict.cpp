#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

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

std::vector<py::ssize_t> shape(const std::vector<double>& values) { return {std::ssize(values)}; }
std::vector<py::ssize_t> shape(const Matrix& values) { return {values.rows(), values.cols()}; }

/// Copies an array of seed `i` into the one of all seeds, which is made for the first of them.
template <class Values>
void copy_to(py::dict& out, const char* name, const Values& values, std::size_t i, std::size_t seeds) {
  std::vector<py::ssize_t> sizes = shape(values);
  const py::ssize_t count = std::reduce(sizes.begin(), sizes.end(), py::ssize_t{1}, std::multiplies());
  if (count == 0) return;  // networks do not have it
  if (i == 0) {
    sizes.insert(sizes.begin(), static_cast<py::ssize_t>(seeds));
    out[name] = py::array_t<double>(sizes);
  }
  auto array = out[name].template cast<py::array_t<double>>();
  std::copy_n(values.data(), count, array.mutable_data() + static_cast<py::ssize_t>(i) * count);
}

/// The spectra of the Hessian of all seeds, which are freed one by one: each array with a leading axis of seeds, the
/// time without it.
py::dict stacked(std::vector<HessianSpectrum>&& spectra) {
  py::dict out;
  if (spectra.empty()) return out;
  const py::array_t<double> time = to_numpy(spectra.front().time);
  for (std::size_t i = 0; i < spectra.size(); ++i) {
    HessianSpectrum::for_each(
        [&](const char* name, const auto& values) { copy_to(out, name, values, i, spectra.size()); }, spectra[i]);
    spectra[i] = {};
  }
  out["spectrum_time"] = time;
  return out;
}

/// An array with a leading axis of seeds.
py::object by_seed(Matrix&& matrix, std::size_t seeds) {
  const auto rows = static_cast<py::ssize_t>(matrix.rows()) / static_cast<py::ssize_t>(seeds);
  const auto cols = static_cast<py::ssize_t>(matrix.cols());
  return to_numpy(std::move(matrix)).reshape({static_cast<py::ssize_t>(seeds), rows, cols});
}

}  // namespace

py::dict to_dict(Ensemble&& ensemble) {
  py::dict out = described(ensemble);
  out["noise_draw"] = ensemble.noise_draw;
  out["spectrum"] = stacked(std::move(ensemble.spectrum));
  out["test_samples"] = ensemble.test_samples;
  py::list weights;
  for (Matrix& one : ensemble.weights) weights.append(by_seed(std::move(one), ensemble.seeds.size()));
  out["weights"] = weights;
  out["predictor"] = py::none();
  if (!ensemble.predictor.empty()) out["predictor"] = by_seed(std::move(ensemble.predictor), ensemble.seeds.size());
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
