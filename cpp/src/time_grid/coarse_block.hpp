// The geometry of a coarse segment: many new steps of which only a few, the nodes, are computed (theory.md section 19).
//
// Times are counted from the first step of the segment. A function F(t,s) of two times in the segment is given by its
// diagonal at the nodes t_m, and by its values below the diagonal at t = t_m and s + 1/2 = y_c t_m, with positions y_c
// that are the same for all nodes. It is a polynomial in t and in y = (s + 1/2) / t.
#pragma once

#include <algorithm>
#include <vector>

#include "lindmft/matrix.hpp"
#include "time_grid/polynomials.hpp"
#include "time_grid/segment.hpp"

namespace lindmft {

/// The first steps of a segment, as the past of a row at the step after them: functions on these steps are given by q
/// coefficients.
struct CoarsePart {
  Segment basis;           ///< times are counted from the first step of the coarse segment
  std::vector<int> steps;  ///< p       the nodes t_m
  Matrix from_nodes;       ///< q x p   coefficients of the polynomial with given values at the nodes
  Matrix values;           ///< q x p   values of this polynomial at the nodes of the basis
  Matrix decode;           ///< p x q   values at the positions y_c of a row with given coefficients
  Matrix decode_history;   ///< p x h   plus these times the row at earlier steps, if the part has few steps
  Matrix rows;             ///< g x p   values at g of the part's steps of the polynomial with given values at the nodes
  Matrix project;          ///< q x g   coefficients of the polynomial with given values at these steps
  std::vector<Matrix> action;  ///< g times p x q   the rows at these steps, acting on the basis
  Matrix diagonal;             ///< q q x p   coefficients of a diagonal with given values at the nodes
};

/// The nodes of a segment, and how functions on it become coefficients.
class CoarseBlock {
 public:
  /// A segment of `length` steps with `order` nodes; length >= order^2 / 2
  CoarseBlock(int length, int order);

  [[nodiscard]] int length() const { return length_; }
  [[nodiscard]] int order() const { return static_cast<int>(steps_.size()); }
  [[nodiscard]] int step(int m) const { return steps_[static_cast<std::size_t>(m)]; }
  /// The polynomials through the nodes at a time.
  [[nodiscard]] std::vector<double> at(double time) const { return polynomials_.at(time / length_); }
  /// The positions y_c.
  [[nodiscard]] const std::vector<double>& positions() const { return positions_.nodes(); }
  /// The steps before node m; for m = order(), all steps of the segment.
  [[nodiscard]] const CoarsePart& part(int m) const { return parts_[static_cast<std::size_t>(m)]; }
  /// Nodes with few steps before them also use the rows at the steps -1, -2, .. times this, at most kHistory of them.
  [[nodiscard]] int history_stride() const { return std::max(1, length_ / (6 * order())); }
  static constexpr int kHistory = 3;

 private:
  [[nodiscard]] int part_order(int count) const;
  [[nodiscard]] CoarsePart make_part(int count) const;
  void add_decoding(CoarsePart& part) const;
  void add_projection(CoarsePart& part, const std::vector<int>& steps) const;
  [[nodiscard]] Matrix action(const CoarsePart& part, int step) const;

  int length_;
  std::vector<int> steps_;  // t_m
  Lagrange polynomials_;    // through t_m, in units of the length
  Lagrange positions_;      // through y_c
  std::vector<CoarsePart> parts_;
};

/// The nodes of the Gauss rule for sums over `length` steps, rounded to different steps of which the first is `first`
/// or later; all steps if there are no more.
[[nodiscard]] std::vector<int> gauss_steps(int length, int count, int first = 0);

}  // namespace lindmft
