// All steps one by one, with a past that is condensed: segments of old steps, on which two-time functions are smooth,
// are represented by a few numbers (segment.hpp; theory.md section 19). Rows are exact steps when they are computed.
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"
#include "optimizer/propagator.hpp"
#include "time_grid/coarse_block.hpp"
#include "time_grid/merge.hpp"
#include "time_grid/segment.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft {

/// The rates of the steps of a coarse segment, counted from its first one: K(t,s) = rate(s) decay(t) without momentum.
struct CoarseRates {
  std::vector<double> rate;   ///< n
  std::vector<double> decay;  ///< n + 1   d(t) / d(0)
};

/// The grid of all steps with a condensed past.
class CondensedSteps final : public TimeGrid {
 public:
  /// capacity: the largest number of nodes at a time; most: the largest number of nodes in a panel
  CondensedSteps(const Problem& problem, int steps, int capacity, int most);

  [[nodiscard]] int nodes() const override { return capacity_; }
  [[nodiscard]] int nodes_end() const override { return first_ + steps_ - done_; }
  [[nodiscard]] double time(int node) const override;
  [[nodiscard]] int condensed() const override { return condensed_; }
  PanelTime propose(Panel panel) override;
  void commit(Panel panel) override;
  [[nodiscard]] PanelTime committed(Panel panel) const override;

  /// The segments of committed steps that are condensed.
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  /// The number of committed steps, and of the nodes that represent them.
  [[nodiscard]] int done() const { return done_; }
  [[nodiscard]] int committed_nodes() const { return first_; }
  /// The coefficients of the function 1 at the committed nodes and those of the current panel.
  [[nodiscard]] const std::vector<double>& unit() const { return unit_; }
  /// Coefficients of K at the last committed step.
  [[nodiscard]] std::vector<double> last_row() const;

  /// Replaces the segments. rows: number of nodes in use, with those of the current panel
  void condense(std::vector<Segment> segments, const Merges& merges, int rows);

  /// The number of steps that are not committed.
  [[nodiscard]] int left() const { return steps_ - done_; }
  /// Whether no rows of K beyond the committed steps have been computed, so that a coarse segment may begin.
  [[nodiscard]] bool settled() const { return ready_ == first_; }
  /// Rates of the next `length` steps.
  [[nodiscard]] CoarseRates rates(int length) const;
  /// The row of the step `count` steps after the committed ones, after nodes that represent the steps in between.
  PanelTime look_ahead(const CoarsePart* part, int count, const CoarseRates& rates);
  /// Makes a coarse segment final; single steps before it become segments of at most `most` steps.
  void commit(const CoarseBlock& block, const CoarseRates& rates, int most);
  /// Forgets what look_ahead() has written.
  void look_back();
  /// Writes the coefficients by which a row at the committed nodes gives the value at a time; returns the first node.
  int evaluation(double time, std::vector<double>& coefficients) const;

  /// The numbers with which a run continues after the committed steps, in the rows of one matrix.
  [[nodiscard]] Matrix state() const;
  void restore(const Matrix& state);

 private:
  void set_segments(std::vector<Segment> segments);
  void advance(int step);
  void place(const CoarsePart& part, const CoarseRates& rates);

  int steps_;
  int capacity_;
  int first_ = 0;         // the number of committed nodes, which is also the node of the first row of K_
  int ready_ = 0;         // the number of nodes for which rows of K have been computed
  int done_ = 0;          // the number of committed steps
  int condensed_ = 0;     // nodes before it are those of segments_
  bool arrived_ = false;  // whether weights have been stepped to the row after the committed steps
  std::vector<Segment> segments_;
  std::vector<double> unit_, decay_;  // capacity
  WeightStepper stepper_;
  Weight start_;                 // the initial weight at the last row that is ready
  std::vector<Weight> impulse_;  // a weight at that row in response to the gradient at each node
  std::vector<double> last_;     // K at the last committed step
  Matrix K_;                     // most x capacity
};

}  // namespace lindmft
