// Condenses the past of a march (theory.md section 19): old steps on which all functions have become smooth are
// represented by fewer numbers, and the sides keep their equations.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "theory/core/sides.hpp"
#include "time_grid/condensed_steps.hpp"

namespace lindmft::theory {

inline constexpr int kMostSegmentNodes = 12;  ///< largest number of numbers that represent a segment
/// With a condensed past: the change of a row that makes the row after it final, relative to rtol.
inline constexpr double kRowTolerance = 1e-3;

/// The limits that condensing keeps.
struct Smoothness {
  int order;         ///< numbers that represent a segment
  double tolerance;  ///< what polynomials may miss of a function's last rows, relative to their size
  double gap;        ///< least distance of a segment from the present, in units of its length
  double rtol;       ///< error of functions on coarse segments, relative to their size
};

/// The limits with which losses have a relative error of at most rtol.
[[nodiscard]] Smoothness smoothness(double rtol);

/// The condensed past of a march.
class Condensation {
 public:
  /// All arguments must outlive the object. outputs: the number of rows of each step
  Condensation(CondensedSteps& grid, NetworkSide& network, DataSide& data, Smoothness smoothness, int outputs);

  /// Whether enough new steps are final.
  [[nodiscard]] bool due() const { return grid_.done() >= next_; }
  /// Merges all segments that may be merged. rows: the number of rows in use, final or not. Returns by how many rows
  /// the final ones become fewer.
  int run(int rows);
  /// An estimate of the relative error of losses that condensing has caused.
  [[nodiscard]] double error_estimate() const;
  [[nodiscard]] CondensedSteps& grid() const { return grid_; }
  [[nodiscard]] const Smoothness& limits() const { return smoothness_; }
  /// Groups the final rows for products of functions.
  void group(PanelMap& map) const;

 private:
  [[nodiscard]] std::vector<Segment> present() const;
  [[nodiscard]] bool admissible(const std::vector<Segment>& segments, std::size_t m, int begin);
  [[nodiscard]] double missed(const double* row, int outputs, const Segment& merged, int begin) const;
  void apply(const Merges& merges, const std::vector<double>& before, int rows);

  CondensedSteps& grid_;
  NetworkSide& network_;
  DataSide& data_;
  Smoothness smoothness_;
  int outputs_;
  int next_;             // the number of steps from which on the past is looked at again
  double missed_ = 0.0;  // the largest part that was missed of a row, relative to its size
  std::vector<Matrix*> functions_;
  Matrix Q_;  // projection of the two segments that are examined
};

}  // namespace lindmft::theory
