// The iterated rows of a panel as one vector: all rows that a sweep reads before it writes them, each in suitable
// units.
#pragma once

#include <vector>

#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// The value up to which a correlation that is zero at the start counts as zero: where nothing is learned, terms that
/// cancel leave squares of rounding errors.
inline constexpr double kNoVariance = 1e-24;

/// Reads and writes these rows in their units.
class PanelState {
 public:
  /// outputs: the number of rows of each time
  PanelState(std::vector<Carried> functions, Panel panel, int outputs = 1);

  /// Sets the units. For correlations the unit is the geometric mean of the variances at both times, so that late small
  /// values count as much as early large ones; variances are at least `floor` times the variance at the start. For
  /// responses it is the largest entry of the panel's rows, but at least `floor` times the largest norm of an earlier
  /// row. `least_variance` is the smallest unit squared of a correlation that is zero at the start.
  void rescale(double floor, double least_variance = 0.0);
  /// Whether a function that was zero when the units were chosen no longer is.
  [[nodiscard]] bool outgrown() const;
  void read(std::vector<double>& x) const;
  void write(const std::vector<double>& x) const;

 private:
  struct Function {
    Carried carried;
    std::vector<double> row;     // p   units of rows; the unit of an entry is the product of those of its row
    std::vector<double> column;  // b   units of columns, and of its column
  };

  [[nodiscard]] double start(const Matrix& m) const;

  Panel panel_;
  int outputs_;
  std::vector<Function> functions_;
};

}  // namespace lindmft::theory
