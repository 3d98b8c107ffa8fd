// Segments of past steps, each represented by a few numbers (theory.md section 19).
//
// A function of one step that is smooth on a segment is given by its coefficients in an orthonormal basis of the
// polynomials of degree less than p. With the nodes y_j and weights w_j of the Gauss rule for sums over the steps, the
// functions l_j / sqrt(w_j) are such a basis, and the coefficients are sqrt(w_j) f(y_j). Sums over the segment of
// products of two smooth functions are therefore sums of products of coefficients. A segment may also consist of all of
// its steps.
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"

namespace lindmft {

/// The steps begin .. end-1, and their nodes.
struct Segment {
  double begin = 0.0;
  double end = 0.0;
  std::vector<double> nodes;  ///< times; all steps, or the zeros of a polynomial between them
  std::vector<double> unit;   ///< coefficients of the function 1: the roots of the weights

  [[nodiscard]] int size() const { return static_cast<int>(nodes.size()); }
  [[nodiscard]] double length() const { return end - begin; }
  /// Whether every step is a node.
  [[nodiscard]] bool exact() const { return size() == static_cast<int>(length()); }
};

/// A segment of which every step is a node.
[[nodiscard]] Segment all_steps(int begin, int end);

/// A segment with `count` nodes, fewer than its steps.
[[nodiscard]] Segment gauss_segment(double begin, double end, int count);

/// The matrix Q whose columns are the basis of `merged` in terms of the bases of two adjacent segments, which it
/// covers: coefficients c of a function there become c Q. Q^T Q = 1.
[[nodiscard]] Matrix projection(const Segment& first, const Segment& second, const Segment& merged);

}  // namespace lindmft
