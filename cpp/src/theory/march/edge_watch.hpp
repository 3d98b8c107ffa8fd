// Looks for instabilities that a coarse grid does not see. A fast mode that has decayed below the tolerance can become
// unstable later, when slow learning raises the sharpness (theory.md section 15); panels represent it by zero, and the
// march would pass the instability without a sign.
#pragma once

#include <optional>

#include "lindmft/problem.hpp"
#include "theory/march/march_context.hpp"
#include "theory/spectrum/lanczos.hpp"
#include "time_grid/panel_grid.hpp"

namespace lindmft::theory {

/// Compares learning rate times sharpness with the threshold at the ends of panels of steps.
class EdgeWatch {
 public:
  /// Steps of Lanczos' method, and the rows that they need.
  static constexpr int kSteps = 10;
  [[nodiscard]] static int rows() { return Lanczos::rows(1, kSteps); }

  explicit EdgeWatch(const Problem& problem) : optimizer_(problem.optimizer) {}

  /// Called after the grid's last panel has been committed and recorded. While learning rate times sharpness is far
  /// below the threshold, some panels are passed over.
  void look(const PanelGrid& grid, MarchContext& context);

  /// Learning rate times sharpness in units of the threshold. It is unstable above 1.
  [[nodiscard]] double ratio(double time, double sharpness) const;

  /// The two looks between which the threshold was passed, if it was.
  struct Passed {
    double below, above;
  };
  [[nodiscard]] const std::optional<Passed>& passed() const { return passed_; }

 private:
  void note_stable(double time, double now);

  Optimizer optimizer_;
  std::optional<Passed> passed_;
  double stable_at_ = 0.0;  // the time of the last look below the threshold
  double before_ = 0.0;     // the ratio there
  int skipped_ = 0;         // number of panels to pass over since then,
  int skip_ = 0;            // and of those left
  bool unseen_ = false;     // whether there was a panel with fewer nodes than steps since then
};

}  // namespace lindmft::theory
