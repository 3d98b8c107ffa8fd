#include "theory/dense_output.hpp"

#include <algorithm>

#include "time_grid/polynomials.hpp"

namespace lindmft::theory {
namespace {

/// A value at some time out of those at a few nodes: weights of the nodes from `first` on. All series are squares or
/// means of squares, which the polynomials may miss by the tolerance: there the value is zero.
struct Weights {
  std::size_t first;
  std::vector<double> weights;

  [[nodiscard]] double operator()(const std::vector<double>& series) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * series[first + j];
    return std::max(sum, 0.0);
  }
};

Weights weights_at(const Solution& solution, double time) {
  const auto node =
      static_cast<int>(std::lower_bound(solution.time.begin(), solution.time.end(), time) - solution.time.begin());
  const int last = std::min(node, static_cast<int>(solution.time.size()) - 1);
  if (solution.time[static_cast<std::size_t>(last)] == time || last >= solution.panels.back())
    return {static_cast<std::size_t>(last), {1.0}};  // a node, or past a divergence
  const auto edge = std::upper_bound(solution.panels.begin(), solution.panels.end(), last);
  const auto begin = static_cast<std::size_t>(std::max(0, *(edge - 1) - 1));
  const double start = solution.time[begin];
  const double length = solution.time[static_cast<std::size_t>(*edge - 1)] - start;
  std::vector<double> nodes;
  for (std::size_t k = begin; k < static_cast<std::size_t>(*edge); ++k)
    nodes.push_back((solution.time[k] - start) / length);
  return {begin, Lagrange(std::move(nodes)).at((time - start) / length)};
}

}  // namespace

Solution at_times(const Solution& solution, const std::vector<double>& times) {
  Solution out;
  out.time = times;
  out.depth = solution.depth;
  out.irreducible = solution.irreducible;
  out.diverged_at = solution.diverged_at;
  out.feature_norm.resize(solution.feature_norm.size());
  out.gradient_norm.resize(solution.gradient_norm.size());
  const auto append = [](const Weights& at, std::vector<double>& to, const std::vector<double>& series) {
    if (!series.empty()) to.push_back(at(series));
  };
  for (const double time : times) {
    const Weights at = weights_at(solution, time);
    for (auto series : {&Solution::test_loss, &Solution::train_loss, &Solution::term_target, &Solution::term_init,
                        &Solution::term_data}) {
      append(at, out.*series, solution.*series);
    }
    for (auto series : {&Replicas::shared_init, &Replicas::shared_data, &Replicas::independent})
      append(at, out.replicas.*series, solution.replicas.*series);
    for (std::size_t l = 0; l < solution.feature_norm.size(); ++l) {
      append(at, out.feature_norm[l], solution.feature_norm[l]);
      append(at, out.gradient_norm[l], solution.gradient_norm[l]);
    }
  }
  return out;
}

}  // namespace lindmft::theory
