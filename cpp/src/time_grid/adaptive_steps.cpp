#include "time_grid/adaptive_steps.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft {
namespace {

constexpr double kKinkRatio = 3.0;  // ratio of a second difference to those around it above which a step is a kink

double plain_lr(const Optimizer& optimizer) {
  const bool plain = optimizer.lr.size() == 1 && optimizer.momentum == 0.0 && optimizer.weight_decay == 0.0;
  return plain ? optimizer.lr.front() : 0.0;
}

/// Steps at which a schedule has a kink or a jump: its second difference is larger there than around it.
std::vector<int> kinks(const std::vector<double>& lr) {
  std::vector<int> found;
  const auto bend = [&](std::size_t t) {
    return t < 1 || t + 1 >= lr.size() ? 0.0 : std::abs(lr[t + 1] - 2.0 * lr[t] + lr[t - 1]);
  };
  const double rounding = 1e-9 * *std::max_element(lr.begin(), lr.end());
  for (std::size_t t = 1; t + 1 < lr.size(); ++t) {
    const double around = std::max(t > 2 ? bend(t - 3) : 0.0, bend(t + 3));
    if (bend(t) > kKinkRatio * around + rounding) found.push_back(static_cast<int>(t));
  }
  return found;
}

}  // namespace

AdaptiveSteps::AdaptiveSteps(const Problem& problem, int steps, int capacity, int order)
    : PanelGrid(capacity, order),
      steps_(steps),
      init_scale_(problem.network.init_scale),
      forgetting_(problem.optimizer.weight_decay *
                  *std::max_element(problem.optimizer.lr.begin(), problem.optimizer.lr.end()) /
                  (1.0 - problem.optimizer.momentum)),
      plain_lr_(plain_lr(problem.optimizer)),
      stepper_(problem.optimizer),
      radau_(radau_nodes(order)),
      kinks_(kinks(problem.optimizer.lr)),
      start_{problem.network.init_scale, 0.0} {}

double AdaptiveSteps::memory() const { return 1.0 / forgetting_; }

std::vector<double> AdaptiveSteps::positions(double& length) const {
  length = std::max(1.0, std::floor(length));
  const auto kink = std::upper_bound(kinks_.begin(), kinks_.end(), begin());
  if (kink != kinks_.end()) length = std::min(length, *kink - begin());
  std::vector<double> nodes;
  if (length <= order()) {
    for (int k = 1; k <= length; ++k) nodes.push_back(k / length);
    return nodes;
  }
  double last = 0.0;
  for (int i = 0; i < order(); ++i) {
    const double room = length - (order() - 1 - i);  // leaves a step for each of the following nodes
    last = std::clamp(std::round(radau_[static_cast<std::size_t>(i)] * length), last + 1.0, room);
    nodes.push_back(last / length);
  }
  return nodes;
}

/// The sum of every polynomial over the panel's first `count` steps.
std::vector<double> AdaptiveSteps::sums(double count) const {
  const Rule rule = sum_rule(count, order() / 2 + 1);
  std::vector<double> out(static_cast<std::size_t>(polynomials().size()));
  for (std::size_t q = 0; q < rule.nodes.size(); ++q) {
    const std::vector<double> l = polynomials().at((rule.nodes[q] + 1.0) / length());
    for (std::size_t j = 0; j < out.size(); ++j) out[j] += rule.weights[q] * l[j];
  }
  return out;
}

void AdaptiveSteps::fill(Matrix& K, double* decay) {
  if (plain_lr_ > 0.0) {
    fill_plain(K);
    std::fill_n(decay, panel().size(), init_scale_);
    return;
  }
  fill_stepping(K);
  Weight start = start_;
  int done = 0;
  for (int i = 0; i < panel().size(); ++i) {
    const int step = static_cast<int>(std::lround(time(panel().begin + i) - begin()));
    for (; done < step; ++done) stepper_.step(start, 0.0, static_cast<int>(begin()) + done);
    decay[i] = start.value;
  }
  for (; done < length(); ++done) stepper_.step(start, 0.0, static_cast<int>(begin()) + done);
  next_start_ = start;
}

void AdaptiveSteps::fill_plain(Matrix& K) {
  const int first = panel().begin;
  const auto weight_of = [&](double sum) { return Weight{plain_lr_ * sum, 0.0}; };
  for (int i = 0; i < panel().size(); ++i) {
    std::transform(history_.begin(), history_.end(), K.row(i), [](const Weight& w) { return w.value; });
    const std::vector<double> own = sums(std::round(time(first + i) - begin()));
    std::transform(own.begin(), own.end(), K.row(i) + first, [&](double s) { return plain_lr_ * s; });
  }
  next_ = history_;
  for (const double sum : sums(length())) next_.push_back(weight_of(sum));
  next_start_ = start_;
}

// Other optimizers are followed through all steps. For the panel's nodes the gradients are the panel's polynomials. For
// earlier nodes there is no gradient, and the weight is a combination of two solutions.
void AdaptiveSteps::fill_stepping(Matrix& K) {
  const int first = panel().begin;
  const int a = static_cast<int>(begin());
  std::vector<Weight> own(static_cast<std::size_t>(panel().size()));
  Weight from_value{1.0, 0.0};
  Weight from_velocity{0.0, 1.0};
  int node = 0;
  for (int s = 0; s < length(); ++s) {
    if (node < panel().size() && a + s == std::lround(time(first + node))) {
      double* row = K.row(node++);
      for (const Weight& w : history_) *row++ = w.value * from_value.value + w.velocity * from_velocity.value;
      for (const Weight& w : own) *row++ = w.value;
    }
    const std::vector<double> l = polynomials().at((s + 1.0) / length());
    for (std::size_t j = 0; j < own.size(); ++j) stepper_.step(own[j], l[j], a + s);
    stepper_.step(from_value, 0.0, a + s);
    stepper_.step(from_velocity, 0.0, a + s);
  }
  next_.clear();
  for (const Weight& w : history_) {
    next_.push_back({w.value * from_value.value + w.velocity * from_velocity.value,
                     w.value * from_value.velocity + w.velocity * from_velocity.velocity});
  }
  next_.insert(next_.end(), own.begin(), own.end());
}

void AdaptiveSteps::keep() {
  history_ = next_;
  start_ = next_start_;
}

}  // namespace lindmft
