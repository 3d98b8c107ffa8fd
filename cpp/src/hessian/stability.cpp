#include <algorithm>

#include "lindmft/sharpness.hpp"

namespace lindmft {

// An eigenvalue x of the Hessian makes a weight follow PyTorch's update with the gradient (x + weight_decay) w; the
// characteristic polynomial has the root -1 at the threshold.
double stability_threshold(const Optimizer& optimizer, int step) {
  const auto entry = [&](const std::vector<double>& schedule) {
    return schedule[std::min(static_cast<std::size_t>(std::max(step, 0)), schedule.size() - 1)];
  };
  const double beta = entry(optimizer.momentum);
  const double plain = 2.0 * (1.0 + beta) / (optimizer.nesterov ? 1.0 + 2.0 * beta : 1.0);
  return plain - entry(optimizer.lr) * optimizer.weight_decay;
}

}  // namespace lindmft
