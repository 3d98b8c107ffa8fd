// Discrete steps on panels. The nodes of a panel are a few of its steps, near right Radau points, and K sums the
// polynomials through them exactly over all steps of the panel, so that the learning rate stays finite (theory.md
// section 9).
#pragma once

#include "optimizer/propagator.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft {

/// The grid of discrete steps on panels.
class AdaptiveSteps final : public PanelGrid {
 public:
  AdaptiveSteps(const Problem& problem, int steps, int capacity, int order);

  [[nodiscard]] double end() const override { return steps_; }
  [[nodiscard]] double first_length(double /*rate*/) const override { return order(); }
  [[nodiscard]] double memory() const override;
  [[nodiscard]] double exact_length() const override { return order(); }
  [[nodiscard]] bool exact() const override { return panel().size() == length(); }
  void weights(double time, double* K, double& decay) const override;

 private:
  [[nodiscard]] std::vector<double> positions(double& length) const override;
  /// Panels begin at the last step of the panel before, the first one at step -1.
  [[nodiscard]] double offset() const override { return 1.0; }
  void fill(Matrix& K, double* decay) override;
  void keep() override;
  class Stepping;
  void fill_plain(Matrix& K);
  void respond_plain(double count, double* K) const;
  [[nodiscard]] std::vector<double> sums(double count) const;

  int steps_;
  double init_scale_;
  double forgetting_;  // relative decay of weights in one step, at the largest learning rate
  double plain_lr_;    // the learning rate of gradient descent with a constant rate and nothing else; otherwise 0
  WeightStepper stepper_;
  std::vector<double> radau_;
  std::vector<int> kinks_;       // steps at which the schedule is not smooth and panels end
  std::vector<Weight> history_;  // a weight at begin() in response to the gradient at each earlier node
  std::vector<Weight> next_;     // the same at the end of the current panel
  Weight start_;                 // remainder of the initial weight at begin()
  Weight next_start_{};
};

}  // namespace lindmft
