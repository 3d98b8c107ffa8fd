#include "training/weights/sgd.hpp"

namespace lindmft::training {

LinearStep linear_step(const Optimizer& optimizer, int t, double multiplier) {
  const double lr = at_step(optimizer.lr, t);
  const double momentum = at_step(optimizer.momentum, t);
  // With direction = c G - weight_decay W and buffer' = momentum buffer + direction, the weight moves by
  // lr buffer', or with Nesterov by lr (direction + momentum buffer'). The buffer starts at zero, as in PyTorch.
  const double direct = optimizer.nesterov ? 1.0 + momentum : 1.0;
  const double inherited = optimizer.nesterov ? momentum * momentum : momentum;
  return {.keep = 1.0 - lr * direct * optimizer.weight_decay,
          .push = lr * inherited,
          .gain = lr * direct * multiplier,
          .sink = -optimizer.weight_decay,
          .fade = momentum,
          .feed = multiplier};
}

}  // namespace lindmft::training
