#include <algorithm>

#include "lindmft/sharpness.hpp"

namespace lindmft {

// An eigenvalue x of the Hessian makes a weight follow PyTorch's update with the gradient (x + weight_decay) w; the
// characteristic polynomial has the root -1 at the threshold.
double stability_threshold(const Optimizer& optimizer, int step) {
  const double beta = optimizer.momentum;
  const double plain = 2.0 * (1.0 + beta) / (optimizer.nesterov ? 1.0 + 2.0 * beta : 1.0);
  const auto at = std::min(static_cast<std::size_t>(std::max(step, 0)), optimizer.lr.size() - 1);
  return plain - optimizer.lr[at] * optimizer.weight_decay;
}

}  // namespace lindmft
