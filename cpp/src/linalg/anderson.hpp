// Anderson acceleration of a fixed-point iteration x <- g(x).
#pragma once

#include <vector>

namespace lindmft::linalg {

/// The memory of an accelerated iteration.
class Anderson {
 public:
  /// depth: number of earlier iterates that are combined
  explicit Anderson(int depth) : depth_(depth) {}

  /// Returns the next iterate from the last iterate x and its image g. The result is the combination of the images of
  /// earlier iterates whose residuals g - x cancel best.
  std::vector<double> next(const std::vector<double>& x, std::vector<double> g);

 private:
  void remember(const std::vector<double>& g, const std::vector<double>& residual);

  int depth_;
  std::vector<double> last_g_, last_residual_;
  // Differences of consecutive iterates; those of residuals are orthonormal.
  std::vector<std::vector<double>> d_g_, d_residual_;
};

}  // namespace lindmft::linalg
