#include "time_grid/adaptive_steps.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft {
namespace {

constexpr double kKinkRatio = 3.0;  // ratio of a second difference to those around it above which a step is a kink

double plain_lr(const Optimizer& optimizer) {
  const bool plain = optimizer.lr.size() == 1 && !has_momentum(optimizer) && optimizer.weight_decay == 0.0;
  return plain ? optimizer.lr.front() : 0.0;
}

double largest(const std::vector<double>& schedule) { return *std::max_element(schedule.begin(), schedule.end()); }

/// Steps at which a schedule has a kink or a jump: its second difference is larger there than around it.
void add_kinks(const std::vector<double>& schedule, std::vector<int>& found) {
  const std::size_t n = schedule.size();
  const auto bend = [&](std::size_t t) {
    return t < 1 || t + 1 >= n ? 0.0 : std::abs(schedule[t + 1] - 2.0 * schedule[t] + schedule[t - 1]);
  };
  const double rounding = 1e-9 * largest(schedule);
  for (std::size_t t = 1; t + 1 < n; ++t) {
    const double around = std::max(t > 2 ? bend(t - 3) : 0.0, bend(t + 3));
    if (bend(t) > kKinkRatio * around + rounding) found.push_back(static_cast<int>(t));
  }
}

/// The kinks of both schedules, in order.
std::vector<int> kinks(const Optimizer& optimizer) {
  std::vector<int> found;
  add_kinks(optimizer.lr, found);
  add_kinks(optimizer.momentum, found);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

AdaptiveSteps::AdaptiveSteps(const Problem& problem, int steps, int capacity, int order)
    : PanelGrid(capacity, order),
      steps_(steps),
      init_scale_(init_unit(problem.network)),
      forgetting_(problem.optimizer.weight_decay * largest(problem.optimizer.lr) /
                  (1.0 - largest(problem.optimizer.momentum))),
      plain_lr_(plain_lr(problem.optimizer)),
      stepper_(problem.optimizer),
      radau_(radau_nodes(order)),
      kinks_(kinks(problem.optimizer)),
      start_{init_unit(problem.network), 0.0} {}

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

/// Weights that are followed through the panel's steps: one that starts with the value 1, one with the velocity 1, one
/// with the decay of the initial weights, and one for each of the panel's polynomials as gradients. A weight that got
/// an earlier gradient is a combination of the first two.
class AdaptiveSteps::Stepping {
 public:
  explicit Stepping(const AdaptiveSteps& grid)
      : start(grid.start_), own(static_cast<std::size_t>(grid.panel().size())), grid_(grid) {}

  void advance(int count) {
    for (; done_ < count; ++done_) {
      const int time = static_cast<int>(grid_.begin()) + done_;
      const std::vector<double> l = grid_.polynomials().at((done_ + 1.0) / grid_.length());
      for (std::size_t j = 0; j < own.size(); ++j) grid_.stepper_.step(own[j], l[j], time);
      for (Weight* weight : {&from_value_, &from_velocity_, &start}) grid_.stepper_.step(*weight, 0.0, time);
    }
  }

  [[nodiscard]] Weight earlier(const Weight& w) const {
    return {w.value * from_value_.value + w.velocity * from_velocity_.value,
            w.value * from_value_.velocity + w.velocity * from_velocity_.velocity};
  }

  void write(double* K) const {
    for (const Weight& w : grid_.history_) *K++ = earlier(w).value;
    for (const Weight& w : own) *K++ = w.value;
  }

  Weight start;
  std::vector<Weight> own;

 private:
  const AdaptiveSteps& grid_;
  Weight from_value_{1.0, 0.0};
  Weight from_velocity_{0.0, 1.0};
  int done_ = 0;
};

void AdaptiveSteps::fill(Matrix& K, double* decay) {
  if (plain_lr_ > 0.0) {
    fill_plain(K);
    std::fill_n(decay, panel().size(), init_scale_);
    return;
  }
  Stepping weights(*this);
  for (int i = 0; i < panel().size(); ++i) {
    weights.advance(static_cast<int>(std::lround(time(panel().begin + i) - begin())));
    weights.write(K.row(i));
    decay[i] = weights.start.value;
  }
  weights.advance(static_cast<int>(length()));
  next_start_ = weights.start;
  next_.clear();
  for (const Weight& w : history_) next_.push_back(weights.earlier(w));
  next_.insert(next_.end(), weights.own.begin(), weights.own.end());
}

void AdaptiveSteps::fill_plain(Matrix& K) {
  for (int i = 0; i < panel().size(); ++i) respond_plain(std::round(time(panel().begin + i) - begin()), K.row(i));
  next_ = history_;
  for (const double sum : sums(length())) next_.push_back({plain_lr_ * sum, 0.0});
  next_start_ = start_;
}

/// The response of a weight after `count` steps of the panel.
void AdaptiveSteps::respond_plain(double count, double* K) const {
  for (const Weight& w : history_) *K++ = w.value;
  for (const double sum : sums(count)) *K++ = plain_lr_ * sum;
}

void AdaptiveSteps::weights(double time, double* K, double& decay) const {
  const double count = std::round(time - begin());
  decay = init_scale_;
  if (plain_lr_ > 0.0) return respond_plain(count, K);
  Stepping weights(*this);
  weights.advance(static_cast<int>(count));
  weights.write(K);
  decay = weights.start.value;
}

void AdaptiveSteps::keep() {
  history_ = next_;
  start_ = next_start_;
}

}  // namespace lindmft
