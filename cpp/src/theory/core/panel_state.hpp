// The rows of a panel that sweeps carry from one to the next, as one vector in units of their own: what is iterated to
// convergence.
#pragma once

#include <vector>

#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// Values of a correlation that is zero at the start count as zero up to this: where nothing is learned, terms
/// that cancel leave squares of rounding errors.
inline constexpr double kNoVariance = 1e-24;

class PanelState {
 public:
  PanelState(std::vector<Carried> functions, Panel panel);

  /// The units from now on. Correlations: the geometric mean of the variances at both times, so that late small ones
  /// count as much as early large ones; those below `floor` times the variance at the start count as that.
  /// Responses: the largest entry of the panel's rows, or `floor` times the largest norm that a row before has.
  /// nothing: correlations that are zero at the start count as at least that
  void rescale(double floor, double nothing = 0.0);
  /// Whether a function that was zero when the units were chosen no longer is.
  [[nodiscard]] bool outgrown() const;
  void read(std::vector<double>& x) const;
  void write(const std::vector<double>& x) const;

 private:
  struct Function {
    Carried carried;
    std::vector<double> row;     // p   units are products of those of the row
    std::vector<double> column;  // b   and of the column
  };

  Panel panel_;
  std::vector<Function> functions_;
};

}  // namespace lindmft::theory
