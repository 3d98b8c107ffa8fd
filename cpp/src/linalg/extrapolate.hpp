// First guesses of the rows of a panel, extrapolated from the rows before it.
#pragma once

#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// The rows to guess, and the data for it.
struct Guess {
  Panel panel;
  Panel before{};             ///< the preceding panel of a coarse grid; empty if nodes are consecutive steps
  double length_ratio = 1.0;  ///< length of the panel divided by the length of the preceding one
  int outputs = 1;            ///< number of consecutive rows that belong to the same time
  int condensed = 0;          ///< number of rows and columns, the first ones, that are no times (condensed_steps.hpp)
};

/// The guess for a response that accumulates in proportion to the length of a panel.
inline Guess growing(Guess guess) {
  guess.length_ratio = 1.0 / guess.length_ratio;
  return guess;
}

/// Fills the panel's rows of a causal function. Close to the diagonal a two-time function varies slowly at fixed lag,
/// far from it at fixed s, and it is extrapolated in the direction of slow variation. Order, spacing and the border
/// between both regions are those that would have predicted the last row best. On a coarse grid the last row is
/// repeated, and the response within the panel is that of the preceding panel divided by `length_ratio`: learning that
/// is faster than a panel gives a response in inverse proportion to the panel's length.
void guess_causal(Matrix& m, const Guess& guess);
/// Fills the panel's rows and columns of a symmetric function in the same way.
void guess_symmetric(Matrix& m, const Guess& guess);
/// Sets the panel's rows to zero, for a causal function that is computed before it is read. The rows may hold values of
/// a longer panel that was rejected.
void clear_rows(Matrix& m, Panel panel);

}  // namespace lindmft::linalg
