// Collocation in depth, tau = l / L in [0, 1]. Functions that are smooth in depth are integrated with spectral accuracy
// on Legendre-Gauss-Lobatto nodes (theory.md section 5).
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"

namespace lindmft::theory {

/// Largest number of nodes in depth.
inline constexpr int kMostDepthNodes = 64;
/// The largest last coefficient of the profiles over depth; losses are accurate to about its square.
inline constexpr double kDepthTolerance = 1e-6;

/// The nodes in depth, and integration on them.
class DepthGrid {
 public:
  /// nodes: at least 2; the first is 0, the last 1
  explicit DepthGrid(int nodes);

  [[nodiscard]] int size() const { return static_cast<int>(tau_.size()); }
  [[nodiscard]] const std::vector<double>& tau() const { return tau_; }

  /// m x m matrices that give the integrals of f from 0 to each node, or from each node to 1, from f at the nodes.
  [[nodiscard]] const Matrix& from_start() const { return from_start_; }
  [[nodiscard]] const Matrix& to_end() const { return to_end_; }
  /// Weights of the integral over all depths.
  [[nodiscard]] const double* weights() const { return from_start_.row(size() - 1); }

  /// The last Legendre coefficient of a function given at the nodes, relative to the largest coefficient or to `size`,
  /// whichever is larger. It estimates the relative error of representing the function.
  [[nodiscard]] double last_coefficient(const std::vector<double>& f, double size = 0.0) const;

 private:
  std::vector<double> tau_;
  Matrix from_start_, to_end_;
  Matrix coefficients_;  // m x m   Legendre coefficients from values
};

/// Solves  x' = k x + f  on the grid, given f and one end:  x = start_j x_end + sum_k step_jk f_k.
struct DepthPropagator {
  /// integral: DepthGrid::from_start() or to_end()
  DepthPropagator(const Matrix& integral, double k);

  std::vector<double> start;
  Matrix step;
};

}  // namespace lindmft::theory
