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
  SolveStats::for_each([&](const char* name, const auto& number) { out[name] = number; }, stats);
  return out;
}

py::object to_object(Matrix&& matrix) { return to_numpy(std::move(matrix)); }
py::object to_object(std::vector<Matrix>&& matrices) { return to_list(std::move(matrices)); }

py::object to_object(const std::vector<double>& values) { return to_numpy(values); }

/// Functions that were kept.
py::dict to_dict(TwoTimeFunctions&& functions) {
  py::dict out;
  TwoTimeFunctions::for_each(
      [&](const char* name, auto& function) {
        if (!function.empty()) out[name] = to_object(std::move(function));
      },
      functions);
  return out;
}

/// Series that have values.
py::dict series_of(const Solution& solution) {
  py::dict out;
  Solution::for_each_series(
      [&](const Series& series, const auto& values) {
        if (!values.empty()) out[series.name] = to_numpy(values);
      },
      solution);
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

void read(const py::handle& array, std::vector<double>& out) { out = to_vector(array); }
void read(const py::handle& array, std::vector<std::vector<double>>& out) { out = to_rows(array); }

SolveStats to_stats(const py::dict& stats) {
  SolveStats out;
  SolveStats::for_each([&]<class Number>(const char* name, Number& number) { number = py::cast<Number>(stats[name]); },
                       out);
  return out;
}

}  // namespace

py::dict to_dict(HessianSpectrum&& spectrum) {
  py::dict out;
  HessianSpectrum::for_each(
      [&](const char* name, auto& values) {
        if (!values.empty()) out[name] = to_object(std::move(values));
      },
      spectrum);
  return out;
}

py::dict to_dict(Solution&& solution) {
  py::dict out;
  out["series"] = series_of(solution);
  py::list channels;
  for (Solution& channel : solution.channels) channels.append(to_dict(std::move(channel)));
  out["channels"] = channels;
  out["channel"] = solution.channel;
  out["time"] = to_numpy(solution.time);
  out["panels"] = solution.panels;
  out["depth"] = to_numpy(solution.depth);
  out["irreducible"] = solution.irreducible;
  out["diverged_at"] = solution.diverged_at;
  out["unstable_at"] = solution.unstable_at;
  out["predictable_until"] = solution.predictable_until;
  py::dict state;
  for (auto& [name, kept] : solution.state) state[py::str(name)] = to_numpy(std::move(kept));
  out["state"] = state;
  out["spectrum"] = to_dict(std::move(solution.spectrum));
  out["functions"] = to_dict(std::move(solution.functions));
  out["stats"] = to_dict(solution.stats);
  return out;
}

Solution from_dict(const py::dict& dict) {
  Solution out;
  out.time = to_vector(dict["time"]);
  out.panels = py::cast<std::vector<int>>(dict["panels"]);
  out.depth = to_vector(dict["depth"]);
  const auto series = py::cast<py::dict>(dict["series"]);
  Solution::for_each_series(
      [&](const Series& one, auto& values) {
        using Part = Series::Part;
        const bool switched = one.part == Part::switched && series.contains(one.name);
        if (one.part == Part::always || one.part == Part::outputs || switched) read(series[one.name], values);
      },
      out);
  out.diverged_at = py::cast<std::optional<int>>(dict["diverged_at"]);
  out.unstable_at = py::cast<std::optional<double>>(dict["unstable_at"]);
  out.predictable_until = py::cast<std::optional<double>>(dict["predictable_until"]);
  out.stats = to_stats(py::cast<py::dict>(dict["stats"]));
  for (const auto& [name, kept] : py::cast<py::dict>(dict["state"]))
    out.state.emplace_back(py::cast<std::string>(name), to_matrix(kept));
  for (const py::handle channel : py::cast<py::list>(dict["channels"]))
    out.channels.push_back(from_dict(py::cast<py::dict>(channel)));
  return out;
}

}  // namespace lindmft::bindings
