// Lanczos' method in the theory: the spectrum of N S at some times of training, from the equations of theory.md section
// 16. The vectors of all times and starts advance together, as frozen rows after the nodes of training.
#pragma once

#include <vector>

#include "hessian/jacobi.hpp"
#include "linalg/causal.hpp"
#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// Weights frozen at a time: the response of a weight there to the gradient at every node of training, and its decay.
struct FrozenWeights {
  double time = 0.0;
  std::vector<double> K;
  double decay = 1.0;
};

/// The outcome of Lanczos' method for one time and start.
struct LanczosResult {
  hessian::Jacobi matrix;
  double next = 0.0;  ///< the entry beside the diagonal that the next step would have added; an estimate
};

/// The two sides with the nodes of training, which stay as they are.
struct TrainedSides {
  NetworkSide& network;
  DataSide& data;
  int nodes;                         ///< of training
  const std::vector<double>& decay;  ///< d at these nodes
};

/// Runs Lanczos' method on the two sides.
class Lanczos {
 public:
  /// map: of at least nodes + rows(...) nodes, in which those of training are set
  Lanczos(TrainedSides sides, PanelMap& map, linalg::PanelAlgebra& algebra, Scratch& scratch)
      : sides_(sides), map_(map), algebra_(algebra), scratch_(scratch) {}

  /// The results of the target and of a random start for every entry of `weights`, in this order. The scratch has room
  /// for 2 weights.size() rows. Throws NotConverged.
  [[nodiscard]] std::vector<LanczosResult> run(const std::vector<FrozenWeights>& weights, int steps);

  /// Rows after the nodes of training that run() overwrites, for this number of times.
  [[nodiscard]] static int rows(int times, int steps) { return 2 * times * steps; }

 private:
  void sweep_level(const std::vector<FrozenWeights>& weights, int level);
  void sweep(const std::vector<FrozenWeights>& weights, Panel panel);
  void pass(const PanelTime& time);
  void advance(int level, std::vector<LanczosResult>& results);

  TrainedSides sides_;
  PanelMap& map_;
  linalg::PanelAlgebra& algebra_;
  Scratch& scratch_;
  linalg::RowChanges changes_;
  FrozenRows frozen_;
  std::vector<double> decay_;
  std::vector<double> norm_;  // <v u> of every chain's last vector
  std::vector<bool> ended_;
};

}  // namespace lindmft::theory
