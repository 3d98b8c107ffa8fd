#include "theory/spectrum/frozen_weights.hpp"

#include "optimizer/propagator.hpp"

namespace lindmft::theory {

std::vector<FrozenWeights> weights_at(const Problem& problem, const std::vector<double>& times) {
  std::vector<FrozenWeights> out;
  Propagator propagator(problem);
  std::vector<double> row;
  double decay = 1.0;
  int known = 0;  // rows of the propagator so far
  for (const double time : times) {
    for (; known <= time; ++known) {
      row.resize(static_cast<std::size_t>(known));
      propagator.next(row.data(), decay);
    }
    out.push_back({time, row, decay});
  }
  return out;
}

std::vector<double> decay_at_steps(const Problem& problem, int steps) {
  const WeightStepper stepper(problem.optimizer);
  Weight start{init_unit(problem.network), 0.0};
  std::vector<double> out;
  for (int t = 0; t < steps; ++t) {
    out.push_back(start.value);
    if (t + 1 < steps) stepper.step(start, 0.0, t);
  }
  return out;
}

std::vector<FrozenWeights> weights_at(PanelGrid& grid, const std::vector<int>& edges, const std::vector<double>& nodes,
                                      const std::vector<double>& times) {
  std::vector<FrozenWeights> out;
  auto next = times.begin();
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    grid.place({nodes.begin() + edges[k], nodes.begin() + edges[k + 1]});
    for (; next != times.end() && *next <= grid.begin() + grid.length(); ++next) {
      FrozenWeights weights{*next, std::vector<double>(static_cast<std::size_t>(edges[k + 1])), 1.0};
      grid.weights(*next, weights.K.data(), weights.decay);
      out.push_back(std::move(weights));
    }
    grid.commit(grid.panel());
  }
  return out;
}

}  // namespace lindmft::theory
