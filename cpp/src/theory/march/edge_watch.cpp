#include "theory/march/edge_watch.hpp"

#include <algorithm>

#include "theory/spectrum/spectrum.hpp"

namespace lindmft::theory {
namespace {

// Number of panels that are passed over while the ratio to the threshold is small: sharpness follows what is learned,
// and changes by less than the inverse ratio over that time.
struct Skip {
  double below;
  int panels;
};
constexpr Skip kSkips[] = {{0.25, 3}, {0.6, 1}};

}  // namespace

double EdgeWatch::ratio(double time, double sharpness) const {
  const std::size_t step = std::min(static_cast<std::size_t>(time), optimizer_.lr.size() - 1);
  return optimizer_.lr[step] * sharpness / stability_threshold(optimizer_, static_cast<int>(step));
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
  const std::vector<LanczosResult> found = lanczos.run({weights}, kSteps);
  const double now = ratio(weights.time, sharpness_of(found[0], found[1]).sharpness.value);
  if (!(now <= 1.0)) {  // also where it is not a number
    passed_ = {stable_at_, weights.time};
    return;
  }
  stable_at_ = weights.time;
  unseen_ = false;
  skip_ = 0;
  for (const Skip& skip : kSkips) {
    if (now < skip.below) skip_ = std::max(skip_, skip.panels);
  }
}

}  // namespace lindmft::theory
