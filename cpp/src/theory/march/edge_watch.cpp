#include "theory/march/edge_watch.hpp"

#include <algorithm>
#include <cmath>

#include "theory/spectrum/spectrum.hpp"

namespace lindmft::theory {
namespace {

// Steps of a first look, and the ratio to the threshold below which it is enough.
constexpr int kQuickSteps = 5;
constexpr double kClearlyBelow = 0.9;

// Growth of the ratio from one panel to the next that is expected: at first, and at least. As many panels are passed
// over as this growth would need to reach the threshold, but no more than kMostSkipped.
constexpr double kFirstGrowth = 1.2;
constexpr double kLeastGrowth = 1.05;
constexpr int kMostSkipped = 4;

}  // namespace

double EdgeWatch::ratio(double time, double sharpness) const {
  const auto step = static_cast<std::size_t>(time);
  const double lr = optimizer_.lr[std::min(step, optimizer_.lr.size() - 1)];
  return lr * sharpness / stability_threshold(optimizer_, static_cast<int>(step));
}

void EdgeWatch::look(const PanelGrid& grid, MarchContext& context) {
  unseen_ = unseen_ || !grid.exact();  // where every step is a node, an instability is followed
  if (passed_ || !unseen_ || (skip_-- > 0 && !grid.finished())) return;
  const int nodes = grid.panel().end;
  FrozenWeights weights{grid.begin(), std::vector<double>(static_cast<std::size_t>(nodes + grid.panel().size())), 1.0};
  grid.weights(weights.time, weights.K.data(), weights.decay);
  const double* d = grid.committed({0, nodes}).decay;
  const std::vector<double> decay(d, d + nodes);
  Lanczos lanczos({context.network, context.data, nodes, decay}, context.map, context.algebra, context.scratch);
  const auto look = [&](int steps) {
    const std::vector<LanczosResult> found = lanczos.run({weights}, steps);
    return sharpness_of(found[0], found[1]).sharpness;
  };
  hessian::Estimate sharpness = look(kQuickSteps);
  if (!(ratio(weights.time, sharpness.value + sharpness.error) < kClearlyBelow)) sharpness = look(kSteps);
  const double now = ratio(weights.time, sharpness.value);
  if (!(now <= 1.0)) {  // also where it is not a number
    passed_ = {stable_at_, weights.time};
    return;
  }
  note_stable(weights.time, now);
}

/// Chooses how many panels to pass over, from the growth since the look before.
void EdgeWatch::note_stable(double time, double now) {
  const double growth = before_ > 0.0 ? std::pow(now / before_, 1.0 / (skipped_ + 1.0)) : kFirstGrowth;
  const double room = std::log(1.0 / std::max(now, 1e-6)) / std::log(std::max(growth, kLeastGrowth));
  skipped_ = static_cast<int>(std::clamp(room - 1.0, 0.0, 1.0 * kMostSkipped));
  skip_ = skipped_;
  stable_at_ = time;
  before_ = now;
  unseen_ = false;
}

}  // namespace lindmft::theory
