// Final rows become entries of the solution: losses, norms and self-checks, and the verdict that a run has diverged.
#pragma once

#include <limits>

#include "lindmft/solve.hpp"
#include "theory/core/sides.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft::theory {

struct MarchOptions {
  int threads = 1;
  int largest_panel = 8;  ///< rows of the sliding window, and recorded together
  double depth_tolerance = std::numeric_limits<double>::infinity();  ///< stop where depth_error() passes it
  bool responses_final = false;                                      ///< march correlations alone: those of replicas
  double rounding = 1e-9;  ///< of the loss at the start: by so much a loss may come out below zero
  int from = 0;            ///< nodes that are final and recorded already
  Progress progress{};
};

struct Marched {
  int nodes;      ///< valid ones: all of them, or those before a divergence
  bool resolved;  ///< in depth; if not, the march stopped where it found out
};

/// What a march works with.
struct Recorder {
  Recorder(TimeGrid& time, NetworkSide& network_side, DataSide& data_side, const MarchOptions& march_options,
           Solution& out);

  /// The data side of the panel's rows, from a guess of the network side alone, which varies more slowly.
  void begin(const PanelTime& time);
  /// A sweep over the panel's rows; settle: see Sweep.
  void sweep(const PanelTime& time, double settle = 0.0);
  /// Finishes the panel's rows and appends them to the solution; false at the first diverged one.
  bool record(Panel panel);
  /// Whether the loss has grown so much that what cannot be resolved any more has diverged.
  [[nodiscard]] bool runaway() const;
  /// What is left to do at the end.
  Marched finish();

  TimeGrid& grid;
  NetworkSide& network;
  DataSide& data;
  const MarchOptions& options;
  Solution& solution;
  PanelMap map;
  linalg::PanelAlgebra algebra;
  Scratch scratch;
  linalg::RowChanges changes;
  int recorded = 0;  // rows before it are in the solution

 private:
  [[nodiscard]] bool diverged(int node, const Losses& losses) const;
  void check_chain(int node, int end);
  [[nodiscard]] double earlier_chain() const;
  void append(int node, const Losses& at);

  bool resolved_ = true;        // in depth
  double largest_chain_ = 0.0;  // terms of the chain identity
  double chain_spread_ = 0.0;
};

}  // namespace lindmft::theory
