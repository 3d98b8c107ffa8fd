// Discrete steps on panels: the nodes of a panel are a few of its steps, near right Radau points, and K sums the
// polynomials through them over all its steps exactly: the learning rate stays finite (theory.md section 9).
#pragma once

#include "optimizer/propagator.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft {

class AdaptiveSteps final : public PanelGrid {
 public:
  AdaptiveSteps(const Problem& problem, int steps, int capacity, int order);

  [[nodiscard]] double end() const override { return steps_; }
  [[nodiscard]] double first_length(double /*rate*/) const override { return order(); }
  [[nodiscard]] double memory() const override;
  [[nodiscard]] double exact_length() const override { return order(); }
  [[nodiscard]] bool exact() const override { return panel().size() == length(); }

 private:
  [[nodiscard]] std::vector<double> positions(double& length) const override;
  /// Panels are measured from step -1, so that the last step of one is where the next begins.
  [[nodiscard]] double offset() const override { return 1.0; }
  void fill(Matrix& K, double* decay) override;
  void keep() override;
  void fill_plain(Matrix& K);
  void fill_stepping(Matrix& K);
  [[nodiscard]] std::vector<double> sums(double count) const;

  int steps_;
  double init_scale_;
  double forgetting_;  // of weights in a step, at the largest rate
  double plain_lr_;    // of gradient descent with a constant rate and nothing else; else 0
  WeightStepper stepper_;
  std::vector<double> radau_;
  std::vector<int> kinks_;       // steps at which the schedule is not smooth: panels end there
  std::vector<Weight> history_;  // at begin(), what gradients at earlier nodes have made of a weight
  std::vector<Weight> next_;     // the same at the end of the placed panel
  Weight start_;                 // at begin(), what is left of the initial weight
  Weight next_start_{};
};

}  // namespace lindmft
