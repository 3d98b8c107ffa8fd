#include "time_grid/exact_steps.hpp"

#include <algorithm>

namespace lindmft {

ExactSteps::ExactSteps(const Problem& problem, int steps, int most)
    : steps_(steps), propagator_(problem), K_(most, steps), decay_(static_cast<std::size_t>(steps)) {}

void ExactSteps::restore(int nodes) {
  for (; ready_ < nodes; ++ready_) propagator_.next(K_.row(0), decay_[static_cast<std::size_t>(ready_)]);
  first_ = nodes;
}

PanelTime ExactSteps::propose(Panel panel) {
  for (; ready_ < panel.end; ++ready_) {
    double* row = K_.row(ready_ - first_);
    std::fill_n(row, steps_, 0.0);
    propagator_.next(row, decay_[static_cast<std::size_t>(ready_)]);
  }
  return {panel, linalg::leading(std::as_const(K_), panel.size(), panel.end), decay_.data()};
}

void ExactSteps::commit(Panel panel) {
  // If only the first rows of the panel are committed, rows already computed for later nodes move to the front.
  for (int node = panel.end; node < ready_; ++node)
    std::copy_n(K_.row(node - first_), steps_, K_.row(node - panel.end));
  first_ = panel.end;
}

PanelTime ExactSteps::committed(Panel panel) const { return {panel, {nullptr, 0, 0, 0}, decay_.data()}; }

}  // namespace lindmft
