// First guesses of a panel's rows from the rows before it.
#pragma once

#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// Which rows are guessed, and from what.
struct Guess {
  Panel panel;
  Panel before{};        ///< on a coarse grid, the panel before; else empty: nodes are neighbouring steps
  double stretch = 1.0;  ///< and how many times longer than it the panel is
};

/// The same for what learning adds up to, in proportion to the length of a panel.
inline Guess growing(Guess guess) {
  guess.stretch = 1.0 / guess.stretch;
  return guess;
}

/// Fills the panel's rows of a causal function. Close to the diagonal a two-time function varies slowly at fixed lag,
/// far from it at fixed s: it is extrapolated along one or the other. Order, spacing and border are those that would
/// have predicted the last row best. On a coarse grid the last row goes on, and the response within the panel is that
/// of the panel before, over `stretch`: what is learned faster than a panel lasts answers in inverse proportion to it.
void guess_causal(Matrix& m, const Guess& guess);
/// The same for a symmetric function, columns included.
void guess_symmetric(Matrix& m, const Guess& guess);
/// Zeros, for a causal function that is computed before anything reads it: a longer panel may have been given up here.
void clear_rows(Matrix& m, Panel panel);

}  // namespace lindmft::linalg
