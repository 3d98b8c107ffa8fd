// Collocation in depth, tau = l / L in [0, 1]: Legendre-Gauss-Lobatto nodes, on which functions smooth in depth are
// integrated with spectral accuracy (theory.md section 5).
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"

namespace lindmft::theory {

inline constexpr int kMostDepthNodes = 64;

class DepthGrid {
 public:
  /// nodes: at least 2; the first is 0, the last 1
  explicit DepthGrid(int nodes);

  [[nodiscard]] int size() const { return static_cast<int>(tau_.size()); }
  [[nodiscard]] const std::vector<double>& tau() const { return tau_; }

  /// m x m, out of f at the nodes: integrals from 0 to each node, or from each node to 1.
  [[nodiscard]] const Matrix& from_start() const { return from_start_; }
  [[nodiscard]] const Matrix& to_end() const { return to_end_; }
  /// Weights of the integral over all depths.
  [[nodiscard]] const double* weights() const { return from_start_.row(size() - 1); }

  /// How much of a function, given at the nodes, sits in its last Legendre coefficient, relative to the largest one or
  /// to `size` if that is larger: about the relative error of representing it.
  [[nodiscard]] double last_coefficient(const std::vector<double>& f, double size = 0.0) const;

 private:
  std::vector<double> tau_;
  Matrix from_start_, to_end_;
  Matrix coefficients_;  // m x m   Legendre coefficients out of values
};

/// Solves  x' = k x + f  on the grid, given f and one end:  x = start_j x_end + sum_k step_jk f_k.
struct DepthPropagator {
  /// integral: DepthGrid::from_start() or to_end()
  DepthPropagator(const Matrix& integral, double k);

  std::vector<double> start;
  Matrix step;
};

}  // namespace lindmft::theory
