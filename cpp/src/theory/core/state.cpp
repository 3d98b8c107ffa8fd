#include "theory/core/state.hpp"

#include <algorithm>
#include <stdexcept>

#include "theory/core/sides.hpp"

namespace lindmft::theory {
namespace {

void visit(NetworkSide& network, DataSide& data, const StateVisitor& visitor) {
  network.visit(visitor);
  data.visit(visitor);
}

const Matrix& find(const Solution& from, const std::string& name, int rows, int cols) {
  const Matrix& kept = kept_state(from, name);
  if (kept.rows() != rows || kept.cols() != cols) {
    throw std::invalid_argument("continue_from must have a state of " + std::to_string(cols) + " nodes, got " + name +
                                " of " + std::to_string(kept.rows()) + " x " + std::to_string(kept.cols()));
  }
  return kept;
}

}  // namespace

void keep_state(NetworkSide& network, DataSide& data, int rows, Solution& solution) {
  const auto keep = [&](const std::string& name, int count, auto row) {
    Matrix kept(count, rows);
    for (int t = 0; t < count; ++t) std::copy_n(row(t), rows, kept.row(t));
    solution.state.emplace_back(name, std::move(kept));
  };
  const auto keep_series = [&](const std::string& name, std::vector<double>& series) {
    keep(name, 1, [&](int /*t*/) { return series.data(); });
  };
  const auto keep_function = [&](const std::string& name, Matrix& m) {
    if (!m.empty()) keep(name, rows, [&](int t) { return m.row(t); });
  };
  visit(network, data, {keep_function, keep_series, keep_series});
}

const Matrix& kept_state(const Solution& from, const std::string& name) {
  const auto it = std::ranges::find_if(from.state, [&](const auto& kept) { return kept.first == name; });
  if (it == from.state.end())
    throw std::invalid_argument("continue_from must be a solution with its whole state, got one without " + name);
  return it->second;
}

void restore_state(NetworkSide& network, DataSide& data, const Solution& from, int rows, int outputs,
                   Solution& solution) {
  const auto restore_series = [&](const std::string& name, std::vector<double>& series) {
    std::copy_n(find(from, name, 1, rows).row(0), rows, series.begin());
  };
  const auto restore_function = [&](const std::string& name, Matrix& m) {
    if (m.empty()) return;
    const Matrix& kept = find(from, name, rows, rows);
    for (int t = 0; t < rows; ++t) std::copy_n(kept.row(t), rows, m.row(t));
  };
  visit(network, data, {restore_function, restore_series, restore_series});
  solution.time = from.time;
  Solution::for_each_series(
      [outputs](const Series& series, auto& to, const auto& earlier) {
        using Part = Series::Part;
        const bool of_outputs = outputs > 1 && series.part == Part::outputs;
        if (series.part == Part::always || series.part == Part::switched || of_outputs) to = earlier;
      },
      solution, from);
  solution.unstable_at = from.unstable_at;
  solution.predictable_until = from.predictable_until;
  const int threads = solution.stats.threads;
  solution.stats = from.stats;
  solution.stats.threads = threads;
}

}  // namespace lindmft::theory
