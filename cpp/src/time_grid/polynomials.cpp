#include "time_grid/polynomials.hpp"

#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace lindmft {
namespace {

constexpr int kIterations = 100;

/// A polynomial of a family with three-term recurrence, x P_k = P_{k+1} + b_k P_{k-1}, at one point.
struct Value {
  double last;        // P_points
  double before;      // P_{points-1}
  double derivative;  // of P_points
};

/// Coefficient b_k of the monic polynomials that are orthogonal on `count` equidistant points of [-1, 1], or on the
/// interval if count is infinite.
double recurrence(int k, double count) { return k * k * (1.0 - std::pow(k / count, 2)) / (4.0 * k * k - 1.0); }

Value evaluate(int points, double x, double count) {
  double p = 1.0, before = 0.0, d = 0.0, d_before = 0.0;
  for (int k = 0; k < points; ++k) {
    const double b = k == 0 ? 0.0 : recurrence(k, count);
    const double next = x * p - b * before;
    const double d_next = p + x * d - b * d_before;
    before = std::exchange(p, next);
    d_before = std::exchange(d, d_next);
  }
  return {p, before, d};
}

/// Newton's iteration from a start near a zero, with the zeros found before divided out.
double zero_near(double x, int points, double count, const std::vector<double>& found) {
  for (int i = 0; i < kIterations; ++i) {
    const Value at = evaluate(points, x, count);
    double others = 0.0;
    for (const double zero : found) others += 1.0 / (x - zero);
    const double step = at.last / (at.derivative - at.last * others);
    x -= step;
    if (std::abs(step) < 1e-15) break;
  }
  return x;
}

/// Gauss rule on [-1, 1] with total weight 1; count is infinity for the integral.
Rule symmetric_rule(int points, double count) {
  double norm = 1.0;
  for (int k = 1; k < points; ++k) norm *= recurrence(k, count);
  Rule rule;
  for (int k = 0; k < points; ++k) {
    const double start = -std::cos(std::numbers::pi * (k + 0.75) / (points + 0.5));
    const double x = zero_near(start, points, count, rule.nodes);
    const Value at = evaluate(points, x, count);
    rule.nodes.push_back(x);
    rule.weights.push_back(norm / (at.derivative * at.before));
  }
  return rule;
}

}  // namespace

std::vector<double> legendre(int count, double x) {
  std::vector<double> p(static_cast<std::size_t>(count) + 1, 1.0);
  if (count > 0) p[1] = x;
  for (std::size_t k = 1; k + 1 < p.size(); ++k) {
    const auto q = static_cast<double>(k);
    p[k + 1] = ((2.0 * q + 1.0) * x * p[k] - q * p[k - 1]) / (q + 1.0);
  }
  return p;
}

Rule gauss_rule(int points) {
  Rule rule = symmetric_rule(points, HUGE_VAL);
  for (double& x : rule.nodes) x = 0.5 * (1.0 + x);
  return rule;
}

Rule sum_rule(double count, int points) {
  Rule rule;
  if (count <= points) {
    for (int s = 0; s < count; ++s) {
      rule.nodes.push_back(s);
      rule.weights.push_back(1.0);
    }
    return rule;
  }
  rule = symmetric_rule(points, count);
  for (double& x : rule.nodes) x = 0.5 * (count - 1.0 + count * x);
  for (double& w : rule.weights) w *= count;
  return rule;
}

// Right Radau points are the zeros of P_p - P_{p-1}.
std::vector<double> radau_nodes(int points) {
  const auto n = static_cast<std::size_t>(points);
  std::vector<double> zeros{1.0};
  for (int k = points - 2; k >= 0; --k) {
    double x = -std::cos(std::numbers::pi * (k + 0.5) / (points - 0.5));
    for (int i = 0; i < kIterations; ++i) {
      const std::vector<double> p = legendre(points, x);
      const double f = p[n] - p[n - 1];
      double slope = points * (x * p[n] - p[n - 1]) / (x * x - 1.0);
      slope -= points > 1 ? (points - 1) * (x * p[n - 1] - p[n - 2]) / (x * x - 1.0) : 0.0;
      double others = 0.0;
      for (const double zero : zeros) others += 1.0 / (x - zero);
      const double step = f / (slope - f * others);
      x -= step;
      if (std::abs(step) < 1e-15) break;
    }
    zeros.push_back(x);
  }
  std::vector<double> nodes(zeros.rbegin(), zeros.rend());
  for (double& x : nodes) x = 0.5 * (1.0 + x);
  return nodes;
}

Lagrange::Lagrange(std::vector<double> nodes) : nodes_(std::move(nodes)), weights_(nodes_.size(), 1.0) {
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
      if (k != j) weights_[j] /= nodes_[j] - nodes_[k];
    }
  }
}

std::vector<double> Lagrange::at(double x) const {
  std::vector<double> out = weights_;
  double before = 1.0;  // products of x - x_k over k < j, and over k > j
  double after = 1.0;
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    out[j] *= before;
    before *= x - nodes_[j];
  }
  for (std::size_t j = nodes_.size(); j-- > 0;) {
    out[j] *= after;
    after *= x - nodes_[j];
  }
  return out;
}

}  // namespace lindmft
