#include "theory/dense_output.hpp"

#include <algorithm>

#include "time_grid/polynomials.hpp"

namespace lindmft::theory {
namespace {

/// Weights of the nodes from `first` on, with which a value at some time is interpolated. Where the polynomials make a
/// square or a mean of squares negative, within the tolerance, the value is zero.
struct Weights {
  std::size_t first;
  std::vector<double> weights;

  [[nodiscard]] double value(const std::vector<double>& series, bool has_sign) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * series[first + j];
    return has_sign ? sum : std::max(sum, 0.0);
  }
};

Weights weights_at(const Solution& solution, double time) {
  const auto node =
      static_cast<int>(std::lower_bound(solution.time.begin(), solution.time.end(), time) - solution.time.begin());
  const int last = std::min(node, static_cast<int>(solution.time.size()) - 1);
  if (solution.time[static_cast<std::size_t>(last)] == time || last >= solution.panels.back())
    return {static_cast<std::size_t>(last), {1.0}};  // at a node, or past a divergence
  const auto edge = std::upper_bound(solution.panels.begin(), solution.panels.end(), last);
  const auto begin = static_cast<std::size_t>(std::max(0, *(edge - 1) - 1));
  const double start = solution.time[begin];
  const double length = solution.time[static_cast<std::size_t>(*edge - 1)] - start;
  std::vector<double> nodes;
  for (std::size_t k = begin; k < static_cast<std::size_t>(*edge); ++k)
    nodes.push_back((solution.time[k] - start) / length);
  return {begin, Lagrange(std::move(nodes)).at((time - start) / length)};
}

void interpolate(const std::vector<Weights>& points, const std::vector<double>& series, bool has_sign,
                 std::vector<double>& out) {
  if (series.empty()) return;
  for (const Weights& at : points) out.push_back(at.value(series, has_sign));
}

void interpolate(const std::vector<Weights>& points, const std::vector<std::vector<double>>& layers, bool has_sign,
                 std::vector<std::vector<double>>& out) {
  out.resize(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) interpolate(points, layers[l], has_sign, out[l]);
}

}  // namespace

Solution at_times(const Solution& solution, const std::vector<double>& times) {
  Solution out;
  out.time = times;
  out.depth = solution.depth;
  out.irreducible = solution.irreducible;
  out.diverged_at = solution.diverged_at;
  out.unstable_at = solution.unstable_at;
  out.predictable_until = solution.predictable_until;
  std::vector<Weights> points;
  for (const double time : times) points.push_back(weights_at(solution, time));
  Solution::for_each_series(
      [&](const Series& series, auto& to, const auto& from) {
        if (series.of_channels()) interpolate(points, from, series.has_sign, to);
      },
      out, solution);
  return out;
}

}  // namespace lindmft::theory
