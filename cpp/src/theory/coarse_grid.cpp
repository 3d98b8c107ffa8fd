#include "theory/coarse_grid.hpp"

#include "time_grid/adaptive_steps.hpp"
#include "time_grid/gradient_flow.hpp"

namespace lindmft::theory {

int panel_order(double rtol) { return rtol > 3e-5 ? 6 : rtol > 3e-8 ? 8 : kMostOrder; }

std::unique_ptr<PanelGrid> coarse_grid(const Problem& problem, const Horizon& horizon, int order) {
  if (horizon.kind == Horizon::Kind::gradient_flow)
    return std::make_unique<GradientFlow>(problem, horizon.end, horizon.nodes, order);
  return std::make_unique<AdaptiveSteps>(problem, horizon.steps(), horizon.nodes, order);
}

}  // namespace lindmft::theory
