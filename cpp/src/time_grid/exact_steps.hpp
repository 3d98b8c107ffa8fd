// A time grid with a node at every step: K is strictly lower triangular and nothing is approximated.
#pragma once

#include "lindmft/matrix.hpp"
#include "optimizer/propagator.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft {

/// The grid of all steps.
class ExactSteps final : public TimeGrid {
 public:
  /// most: the largest number of nodes in a panel
  ExactSteps(const Problem& problem, int steps, int most);

  /// Marks the first `nodes` nodes as committed, for a run that is resumed.
  void restore(int nodes);

  [[nodiscard]] int nodes() const override { return steps_; }
  [[nodiscard]] double time(int node) const override { return node; }
  PanelTime propose(Panel panel) override;
  void commit(Panel panel) override;
  [[nodiscard]] PanelTime committed(Panel panel) const override;

 private:
  int steps_;
  int ready_ = 0;  // number of rows of K computed so far, counted from the first step
  int first_ = 0;  // the node of the buffer's first row
  Propagator propagator_;
  Matrix K_;                   // most x steps
  std::vector<double> decay_;  // steps
};

}  // namespace lindmft
