// Gradient flow: time is continuous, dW/dt = G - weight_decay W, and K integrates (theory.md section 9). Panels have
// right Radau nodes; time 0 is a separate panel.
#pragma once

#include "lindmft/problem.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft {

/// The grid of gradient flow.
class GradientFlow final : public PanelGrid {
 public:
  /// time: the end of the flow
  GradientFlow(const Problem& problem, double time, int capacity, int order);

  [[nodiscard]] double end() const override { return time_; }
  [[nodiscard]] double first_length(double rate) const override { return 1.0 / rate; }
  [[nodiscard]] double memory() const override { return 1.0 / weight_decay_; }
  [[nodiscard]] double exact_length() const override { return 0.0; }
  [[nodiscard]] bool exact() const override { return false; }
  void weights(double time, double* K, double& decay) const override;

 private:
  [[nodiscard]] std::vector<double> positions(double& length) const override;
  [[nodiscard]] double offset() const override { return 0.0; }
  void fill(Matrix& K, double* decay) override;
  void keep() override;
  [[nodiscard]] std::vector<double> integrals(double x) const;
  void respond(double x, double* K) const;

  double time_;
  double weight_decay_;
  double init_scale_;
  std::vector<double> radau_;
  Rule rule_;
  std::vector<double> history_;  // response of a weight at begin() to the gradient at each earlier node
};

}  // namespace lindmft
