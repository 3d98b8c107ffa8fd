#include "time_grid/segment.hpp"

#include <cmath>
#include <utility>

#include "time_grid/polynomials.hpp"

namespace lindmft {

Segment all_steps(int begin, int end) {
  Segment out{1.0 * begin, 1.0 * end, {}, std::vector<double>(static_cast<std::size_t>(end - begin), 1.0)};
  for (int t = begin; t < end; ++t) out.nodes.push_back(t);
  return out;
}

Segment gauss_segment(double begin, double end, int count) {
  Segment out{begin, end, {}, {}};
  const Rule rule = sum_rule(end - begin, count);
  for (const double node : rule.nodes) out.nodes.push_back(begin + node);
  for (const double weight : rule.weights) out.unit.push_back(std::sqrt(weight));
  return out;
}

Matrix projection(const Segment& first, const Segment& second, const Segment& merged) {
  const double length = merged.length();
  std::vector<double> nodes;
  for (const double node : merged.nodes) nodes.push_back((node - merged.begin) / length);
  const Lagrange polynomials(std::move(nodes));
  Matrix Q(first.size() + second.size(), merged.size());
  int row = 0;
  for (const Segment* part : {&first, &second}) {
    for (std::size_t i = 0; i < part->nodes.size(); ++i, ++row) {
      const std::vector<double> values = polynomials.at((part->nodes[i] - merged.begin) / length);
      for (std::size_t j = 0; j < values.size(); ++j)
        Q(row, static_cast<int>(j)) = part->unit[i] * values[j] / merged.unit[j];
    }
  }
  return Q;
}

}  // namespace lindmft
