// Every step a node: K strictly lower triangular, nothing approximated.
#pragma once

#include "lindmft/matrix.hpp"
#include "optimizer/propagator.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft {

class ExactSteps final : public TimeGrid {
 public:
  /// most: the largest panel that will be asked for
  ExactSteps(const Problem& problem, int steps, int most);

  /// Takes the first nodes as committed: they were solved before.
  void restore(int nodes);

  [[nodiscard]] int nodes() const override { return steps_; }
  [[nodiscard]] double time(int node) const override { return node; }
  PanelTime propose(Panel panel) override;
  void commit(Panel panel) override;
  [[nodiscard]] PanelTime committed(Panel panel) const override;

 private:
  int steps_;
  int ready_ = 0;  // rows of K made so far, counted from the first step
  int first_ = 0;  // the node of the buffer's first row
  Propagator propagator_;
  Matrix K_;                   // most x steps
  std::vector<double> decay_;  // steps
};

}  // namespace lindmft
