// Results as named arrays. The arrays are views of the solution or the ensemble: no values are copied.
#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "c_interface/fields.hpp"
#include "c_interface/guard.hpp"
#include "c_interface/handles.hpp"

namespace lindmft::c_interface {
namespace {

std::size_t size(const Array& array) {
  return std::accumulate(array.shape.begin(), array.shape.end(), std::size_t{1}, std::multiplies<>());
}

std::span<const double> block(const std::vector<double>& values) { return values; }
std::span<const double> block(const Matrix& m) { return {m.data(), m.bytes() / sizeof(double)}; }

/// Fills the table of a result. Observables that were not asked for are empty and get no name.
class Listing {
 public:
  Listing(std::vector<Array>& arrays, std::deque<std::vector<double>>& converted)
      : arrays_(arrays), converted_(converted) {}

  void add(const std::string& name, const double& number) { arrays_.push_back({name, {}, {{&number, 1}}}); }

  void add(const std::string& name, int number) {
    converted_.push_back({static_cast<double>(number)});
    add(name, converted_.back().front());
  }

  void add(const std::string& name, const std::vector<double>& values) {
    if (!values.empty()) arrays_.push_back({name, {values.size()}, {block(values)}});
  }

  void add(const std::string& name, const std::vector<int>& values) {
    converted_.emplace_back(values.begin(), values.end());
    add(name, converted_.back());
  }

  void add(const std::string& name, const Matrix& m) {
    if (!m.empty()) arrays_.push_back({name, shape(m), {block(m)}});
  }

  /// Parts of equal shape; their index comes first.
  template <class Part>
  void add(const std::string& name, const std::vector<Part>& parts) {
    if (parts.empty() || block(parts.front()).empty()) return;
    Array array{name, shape(parts.front()), {}};
    array.shape.insert(array.shape.begin(), parts.size());
    for (const Part& part : parts) array.blocks.push_back(block(part));
    arrays_.push_back(std::move(array));
  }

 private:
  static std::vector<std::size_t> shape(const std::vector<double>& values) { return {values.size()}; }
  static std::vector<std::size_t> shape(const Matrix& m) {
    return {static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())};
  }

  std::vector<Array>& arrays_;
  std::deque<std::vector<double>>& converted_;
};

void list(Listing& out, const std::string& before, const SolveStats& stats) {
  SolveStats::for_each([&](const char* name, const auto& number) { out.add(before + name, number); }, stats);
}

void list(Listing& out, const TrainStats& stats) {
  TrainStats::for_each(
      [&]<class Value>(const std::string& name, const Value& value) {
        if constexpr (!std::is_same_v<Value, std::string>)
          out.add("stats." + name, value);  // the table has numbers only
      },
      stats);
}

void list(Listing& out, const std::string& before, const Solution& s) {
  const auto add_series = [&](const Series& series, const auto& values) { out.add(before + series.path, values); };
  const auto add_function = [&](const char* name, const auto& function) { out.add(before + name, function); };
  out.add(before + "time", s.time);
  out.add(before + "panels", s.panels);
  Solution::for_each_series(add_series, s);
  out.add(before + "depth", s.depth);
  out.add(before + "irreducible", s.irreducible);
  out.add(before + "diverged_at", s.diverged_at.value_or(-1));
  TwoTimeFunctions::for_each(add_function, s.functions);
  HessianSpectrum::for_each(add_function, s.spectrum);
  list(out, before + "stats.", s.stats);
  out.add(before + "channel", s.channel);
  for (std::size_t c = 0; c < s.channels.size(); ++c)
    list(out, before + "channels[" + std::to_string(c) + "].", s.channels[c]);
}

void list(Listing& out, const Ensemble& e) {
  out.add("dim", e.dim);
  out.add("samples", e.samples);
  out.add("widths", e.widths);
  out.add("time", e.time);
  Ensemble::for_each_series([&](const Series& series, const auto& values) { out.add(series.path, values); }, e);
  out.add("diverged_at", e.diverged_at);
  list(out, e.stats);
}

const Array& find(const lindmft_result* result, const char* name) {
  const std::vector<Array>& arrays = not_null(result, "result").arrays;
  const auto found = std::ranges::find(arrays, &not_null(name, "name"), &Array::name);
  if (found != arrays.end()) return *found;
  std::string names;
  for (const Array& array : arrays) names += (names.empty() ? "" : ", ") + array.name;
  refuse("name", "one of " + names, quoted(name));
}

}  // namespace
}  // namespace lindmft::c_interface

using namespace lindmft::c_interface;

lindmft_result::lindmft_result(lindmft::Solution&& from) : solution(std::move(from)) {
  Listing listing(arrays, converted);
  list(listing, "", solution);
}

lindmft_result::lindmft_result(lindmft::Ensemble&& from) : ensemble(std::move(from)) {
  Listing listing(arrays, converted);
  list(listing, ensemble);
}

extern "C" {

const char* lindmft_result_name(const lindmft_result* result, size_t i) {
  return result != nullptr && i < result->arrays.size() ? result->arrays[i].name.c_str() : nullptr;
}

int lindmft_result_shape(const lindmft_result* result, const char* name, size_t* rank, size_t shape[3]) {
  return guarded([&] {
    const Array& array = find(result, name);
    static_cast<void>(not_null(shape, "shape"));
    not_null(rank, "rank") = array.shape.size();
    std::fill_n(shape, 3, size_t{1});
    std::ranges::copy(array.shape, shape);
  });
}

int lindmft_result_copy(const lindmft_result* result, const char* name, double* values, size_t count) {
  return guarded([&] {
    const Array& array = find(result, name);
    static_cast<void>(not_null(values, "values"));
    if (count != size(array))
      refuse("count", std::to_string(size(array)) + ", the size of " + array.name, std::to_string(count));
    for (const auto& part : array.blocks) values = std::ranges::copy(part, values).out;
  });
}

void lindmft_result_free(lindmft_result* result) { delete result; }
}
