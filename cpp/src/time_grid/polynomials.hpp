// Polynomials through the nodes of a panel, and rules that integrate or sum them exactly.
#pragma once

#include <vector>

namespace lindmft {

/// The Legendre polynomials P_0 .. P_count at x in [-1, 1].
[[nodiscard]] std::vector<double> legendre(int count, double x);

/// A quadrature rule: sum_k weights[k] f(nodes[k]).
struct Rule {
  std::vector<double> nodes;
  std::vector<double> weights;
};

/// Gauss-Legendre rule for the integral over [0, 1]: exact up to degree 2 points - 1.
[[nodiscard]] Rule gauss_rule(int points);

/// Gauss rule for sums over the integers 0 .. count-1, exact up to degree 2 points - 1: its nodes are the zeros of the
/// discrete Chebyshev polynomials. If there are no more integers than points, it is the sum itself.
[[nodiscard]] Rule sum_rule(double count, int points);

/// Right Radau points in (0, 1]; the last one is 1.
[[nodiscard]] std::vector<double> radau_nodes(int points);

/// The polynomials l_j through given nodes, l_j(x_i) = [i = j].
class Lagrange {
 public:
  explicit Lagrange(std::vector<double> nodes);

  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] const std::vector<double>& nodes() const { return nodes_; }
  /// l_0(x) .. l_{p-1}(x)
  [[nodiscard]] std::vector<double> at(double x) const;
  /// The weights with which the values at the nodes give the leading coefficient.
  [[nodiscard]] const std::vector<double>& leading() const { return weights_; }

 private:
  std::vector<double> nodes_;
  std::vector<double> weights_;  // barycentric: 1 / prod_{k != j} (x_j - x_k)
};

}  // namespace lindmft
