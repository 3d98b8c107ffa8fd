// Rows of time that are no times: vectors passed through weights that are frozen at some time (theory.md section 15).
//
// Such rows follow the nodes of training. They come in levels of one row for each chain; the chains are independent of
// each other. On level 0 the row of a chain has g at the time of its weights, and in place of v the start vector. From
// level k to level k + 1 the vector v is passed once through S, the network forward and the network backward:
//     v_{k+1} = -step N S v_k + first v_k + second v_{k-1}.
// In the equations of section 3 this is one more entry of K * C_g: step times C_g at equal times of the frozen weights.
#pragma once

#include <vector>

namespace lindmft {

/// The levels that have been computed so far, and the one that is being computed.
struct FrozenRows {
  /// The start of one chain, and the factors of its recurrence for the current level.
  struct Chain {
    bool target = true;   ///< the start vector: the target, or a random vector
    double step = 0.0;    ///< factor of N S
    double first = 0.0;   ///< factor of the vector one level before
    double second = 0.0;  ///< factor of the vector two levels before
  };

  int begin = 0;  ///< the first such row; rows before it are nodes of training
  std::vector<Chain> chains;

  [[nodiscard]] int count() const { return static_cast<int>(chains.size()); }
  /// The number of rows whose g is that of a network: nodes of training, and level 0.
  [[nodiscard]] int networks() const { return begin + count(); }
  [[nodiscard]] bool is_vector(int row) const { return row >= begin; }
  [[nodiscard]] bool is_start(int row) const { return row >= begin && row < networks(); }
  [[nodiscard]] int level(int row) const { return (row - begin) / count(); }
  [[nodiscard]] const Chain& chain(int row) const { return chains[static_cast<std::size_t>((row - begin) % count())]; }
  /// The row of level 0 of the same chain: the time of the weights.
  [[nodiscard]] int start(int row) const { return begin + (row - begin) % count(); }
  /// The row of the same chain on the level before.
  [[nodiscard]] int before(int row) const { return row - count(); }
};

}  // namespace lindmft
