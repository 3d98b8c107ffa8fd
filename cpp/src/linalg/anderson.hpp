// Anderson acceleration of a fixed-point iteration x <- g(x).
#pragma once

#include <vector>

namespace lindmft::linalg {

class Anderson {
 public:
  /// depth: earlier iterates that are combined
  explicit Anderson(int depth) : depth_(depth) {}

  /// The next iterate out of the last one and what the map made of it: the combination of what the map made of earlier
  /// iterates whose residuals g - x cancel best.
  std::vector<double> next(const std::vector<double>& x, std::vector<double> g);

 private:
  void remember(const std::vector<double>& g, const std::vector<double>& residual);

  int depth_;
  std::vector<double> last_g_, last_residual_;
  std::vector<std::vector<double>> d_g_, d_residual_;  // differences of neighbours; residuals orthonormalized
};

}  // namespace lindmft::linalg
