#include "time_grid/coarse_block.hpp"

#include <cmath>
#include <utility>

namespace lindmft {
namespace {

// Polynomials through many more than 2 sqrt(n) of n equidistant steps amplify errors.
constexpr double kDegree = 2.5;

template <class Times>
Lagrange through(const Times& times, double length) {
  std::vector<double> nodes;
  for (const double time : times) nodes.push_back(time / length);
  return Lagrange(std::move(nodes));
}

/// The basis functions of a segment that begins at 0, at some time.
std::vector<double> basis_at(const Segment& basis, double time) {
  std::vector<double> psi = through(basis.nodes, basis.length()).at(time / basis.length());
  for (std::size_t b = 0; b < psi.size(); ++b) psi[b] /= basis.unit[b];
  return psi;
}

}  // namespace

std::vector<int> gauss_steps(int length, int count, int first) {
  const Rule rule = sum_rule(length, count);
  const auto number = static_cast<int>(rule.nodes.size());
  std::vector<int> steps;
  int last = first - 1;
  for (int i = 0; i < number; ++i) {
    const int room = length - (number - i);  // leaves a step for each of the following nodes
    last = std::clamp(static_cast<int>(std::lround(rule.nodes[static_cast<std::size_t>(i)])), last + 1,
                      std::max(room, last + 1));
    steps.push_back(last);
  }
  return steps;
}

// A row at the first step would have no past in the segment.
CoarseBlock::CoarseBlock(int length, int order)
    : length_(length),
      steps_(gauss_steps(length, order, 1)),
      polynomials_(through(steps_, length)),
      positions_(gauss_rule(order).nodes) {
  for (const int step : steps_) parts_.push_back(make_part(step));
  parts_.push_back(make_part(length));
}

int CoarseBlock::part_order(int count) const {
  return std::min({order(), count, static_cast<int>(kDegree * std::sqrt(count))});
}

CoarsePart CoarseBlock::make_part(int count) const {
  const int p = order();
  const int q = part_order(count);
  CoarsePart part;
  part.basis = count == q ? all_steps(0, count) : gauss_segment(0.0, count, q);
  part.steps = steps_;
  part.from_nodes = Matrix(q, p);
  part.values = Matrix(q, p);
  for (int a = 0; a < q; ++a) {
    std::ranges::copy(at(part.basis.nodes[static_cast<std::size_t>(a)]), part.values.row(a));
    for (int m = 0; m < p; ++m)
      part.from_nodes(a, m) = part.values(a, m) * part.basis.unit[static_cast<std::size_t>(a)];
  }
  add_decoding(part);
  // The rows act on polynomials of degree p - 1 and give polynomials of a larger degree.
  const std::vector<int> steps = gauss_steps(count, 2 * p <= kDegree * std::sqrt(count) ? 2 * p : count);
  add_projection(part, steps);
  for (const int step : steps) part.action.push_back(action(part, step));
  return part;
}

/// Rows are polynomials in s of degree q - 1; of a higher degree, through some earlier steps, if q is small.
void CoarseBlock::add_decoding(CoarsePart& part) const {
  const Segment& basis = part.basis;
  const int q = basis.size();
  const int h = std::min(kHistory, order() - q);
  std::vector<double> times = basis.nodes;
  for (int j = 1; j <= h; ++j) times.push_back(-j * history_stride());
  const Lagrange polynomials = through(times, basis.length());
  part.decode = Matrix(order(), q);
  part.decode_history = Matrix(order(), h);
  for (int c = 0; c < order(); ++c) {
    const double y = positions()[static_cast<std::size_t>(c)];
    const std::vector<double> l = polynomials.at(y - 0.5 / basis.length());
    for (int b = 0; b < q; ++b)
      part.decode(c, b) = l[static_cast<std::size_t>(b)] / basis.unit[static_cast<std::size_t>(b)];
    for (int j = 0; j < h; ++j) part.decode_history(c, j) = l[static_cast<std::size_t>(q + j)];
  }
}

void CoarseBlock::add_projection(CoarsePart& part, const std::vector<int>& steps) const {
  const int p = order();
  const int q = part.basis.size();
  const auto g = static_cast<int>(steps.size());
  const double count = part.basis.length();
  part.rows = Matrix(g, p);
  for (int k = 0; k < g; ++k) std::ranges::copy(at(steps[static_cast<std::size_t>(k)]), part.rows.row(k));
  part.project = Matrix(q, g);
  part.diagonal = Matrix(q * q, p);
  const Lagrange polynomials = through(steps, count);
  const Rule rule = sum_rule(count, g);
  for (std::size_t r = 0; r < rule.nodes.size(); ++r) {
    const std::vector<double> psi = basis_at(part.basis, rule.nodes[r]);
    const std::vector<double> l = polynomials.at(rule.nodes[r] / count);
    const std::vector<double> of_nodes = at(rule.nodes[r]);
    for (int a = 0; a < q; ++a) {
      const double weight = rule.weights[r] * psi[static_cast<std::size_t>(a)];
      for (int k = 0; k < g; ++k) part.project(a, k) += weight * l[static_cast<std::size_t>(k)];
      for (int b = 0; b < q; ++b) {
        double* diagonal = part.diagonal.row(a * q + b);
        const double both = weight * psi[static_cast<std::size_t>(b)];
        for (int m = 0; m < p; ++m) diagonal[m] += both * of_nodes[static_cast<std::size_t>(m)];
      }
    }
  }
}

/// p x q: sums over s < t of the polynomials through the positions y_c times the basis functions.
Matrix CoarseBlock::action(const CoarsePart& part, int step) const {
  Matrix out(order(), part.basis.size());
  const Rule rule = sum_rule(step, order());
  for (std::size_t r = 0; r < rule.nodes.size(); ++r) {
    const std::vector<double> y = positions_.at((rule.nodes[r] + 0.5) / step);
    const std::vector<double> psi = basis_at(part.basis, rule.nodes[r]);
    for (int c = 0; c < out.rows(); ++c) {
      const double weight = rule.weights[r] * y[static_cast<std::size_t>(c)];
      for (int b = 0; b < out.cols(); ++b) out(c, b) += weight * psi[static_cast<std::size_t>(b)];
    }
  }
  return out;
}

}  // namespace lindmft
