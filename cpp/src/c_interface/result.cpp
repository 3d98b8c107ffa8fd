// Results as named arrays: views of what solving and training return, which no copy is made of.
#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <stdexcept>
#include <string>
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

/// Fills the table of a result. What was not asked for is empty, and has no name.
class Listing {
 public:
  Listing(std::vector<Array>& arrays, std::deque<std::vector<double>>& converted)
      : arrays_(arrays), converted_(converted) {}

  void add(const std::string& name, const double& number) { arrays_.push_back({name, {}, {{&number, 1}}}); }

  void add_number(const std::string& name, double number) {
    converted_.push_back({number});
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

  /// Equal parts, with an index before theirs.
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

void list(Listing& out, const std::string& before, const TwoTimeFunctions& f) {
  out.add(before + "C_h", f.C_h);
  out.add(before + "C_g", f.C_g);
  out.add(before + "R_hr", f.R_hr);
  out.add(before + "R_gu", f.R_gu);
  out.add(before + "C_v", f.C_v);
  out.add(before + "C_delta", f.C_delta);
  out.add(before + "R_delta", f.R_delta);
}

void list(Listing& out, const std::string& before, const SolveStats& stats) {
  out.add_number(before + "nodes", stats.nodes);
  out.add_number(before + "panels", stats.panels);
  out.add_number(before + "rejected_panels", stats.rejected_panels);
  out.add_number(before + "sweeps", stats.sweeps);
  out.add(before + "row_sweeps", stats.row_sweeps);
  out.add(before + "flops", stats.flops);
  out.add(before + "seconds", stats.seconds);
  out.add_number(before + "threads", stats.threads);
  out.add(before + "error_estimate", stats.error_estimate);
  out.add(before + "chain_residual", stats.chain_residual);
  out.add(before + "depth_error", stats.depth_error);
}

void list(Listing& out, const std::string& before, const Solution& s) {
  out.add(before + "time", s.time);
  out.add(before + "panels", s.panels);
  out.add(before + "test_loss", s.test_loss);
  out.add(before + "train_loss", s.train_loss);
  out.add(before + "term_target", s.term_target);
  out.add(before + "term_init", s.term_init);
  out.add(before + "term_data", s.term_data);
  out.add(before + "depth", s.depth);
  out.add(before + "feature_norm", s.feature_norm);
  out.add(before + "gradient_norm", s.gradient_norm);
  out.add(before + "irreducible", s.irreducible);
  out.add_number(before + "diverged_at", s.diverged_at.value_or(-1));
  out.add(before + "test_loss_by_output", s.test_loss_by_output);
  out.add(before + "train_loss_by_output", s.train_loss_by_output);
  list(out, before, s.functions);
  out.add(before + "replicas.shared_init", s.replicas.shared_init);
  out.add(before + "replicas.shared_data", s.replicas.shared_data);
  out.add(before + "replicas.independent", s.replicas.independent);
  out.add(before + "kernels.scale", s.kernels.scale);
  out.add(before + "kernels.target", s.kernels.target);
  out.add(before + "kernels.gradient", s.kernels.gradient);
  list(out, before + "stats.", s.stats);
  out.add(before + "channel", s.channel);
  for (std::size_t c = 0; c < s.channels.size(); ++c)
    list(out, before + "channels[" + std::to_string(c) + "].", s.channels[c]);
}

void list(Listing& out, const Ensemble& e) {
  out.add_number("dim", e.dim);
  out.add_number("samples", e.samples);
  out.add("widths", e.widths);
  out.add("time", e.time);
  out.add("test_loss", e.test_loss);
  out.add("train_loss", e.train_loss);
  out.add("test_loss_by_output", e.test_loss_by_output);
  out.add("train_loss_by_output", e.train_loss_by_output);
  out.add("feature_norm", e.feature_norm);
  out.add("gradient_norm", e.gradient_norm);
  out.add("feature_update", e.feature_update);
  out.add("gradient_update", e.gradient_update);
  out.add("chain_residual", e.chain_residual);
  out.add("kernels.scale", e.kernel_scale);
  out.add("kernels.target", e.kernel_target);
  out.add("kernels.gradient", e.kernel_gradient);
  out.add("diverged_at", e.diverged_at);
  out.add("stats.seconds", e.stats.seconds);
  out.add_number("stats.threads", e.stats.threads);
  out.add("stats.operations", e.stats.operations);
  out.add("stats.bytes_moved", e.stats.bytes_moved);
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
