// Writes final rows to the solution: losses, norms and self-checks. Also decides whether a run has diverged.
#pragma once

#include <string>

#include "theory/march/march_context.hpp"

namespace lindmft::theory {

/// The outcome of a march.
struct Marched {
  int nodes;      ///< number of valid nodes: all of them, or those before a divergence
  bool resolved;  ///< false if the march stopped because the nodes in depth do not resolve the solution
  /// If the march stopped at a loss below zero: what to say where rounding errors are not the reason.
  std::string negative{};
};

/// The recorded values of one step.
struct Observed {
  double time;
  Losses losses;
  std::vector<double> feature_norm, gradient_norm;  ///< of the layers
};

/// Records the rows of a march, in order.
class Recorder {
 public:
  explicit Recorder(MarchContext& context);

  /// Whether the panel's rows, before they are recorded, satisfy the chain identity up to what a spurious solution of
  /// the panel's equations would violate.
  [[nodiscard]] bool sound(Panel panel);
  /// Finishes the panel's rows and appends them to the solution; false at the first diverged row. every_step: whether
  /// every step of the panel is a node.
  bool record(Panel panel, bool every_step);
  /// Finishes a row of a coarse segment, which does not stay a row of the grid. Returns what is to be recorded of it.
  [[nodiscard]] Observed observe(int row, double time);
  /// Whether the run has not diverged, and no loss is below zero.
  [[nodiscard]] bool fine(const Observed& at) const;
  /// Appends a step to the solution.
  void append(const Observed& at);
  /// Tells that rows were added whose steps are in the solution.
  void rows_added(int rows) { recorded_ += rows; }
  /// Number of rows that are in the solution: its nodes, once for each output that shares modes.
  [[nodiscard]] int recorded() const { return recorded_; }
  /// Tells that rows before the recorded ones were removed from the grid.
  void rows_removed(int rows) { recorded_ -= rows; }
  /// Whether the loss has grown so far that a row that cannot be resolved counts as diverged.
  [[nodiscard]] bool runaway() const;
  /// Writes the totals of the march to the solution's stats.
  Marched finish();

 private:
  [[nodiscard]] bool diverged(int node, const Losses& losses, const Losses* of_outputs, bool every_step);
  [[nodiscard]] bool negative(const Losses& losses, double start) const;
  void refuse_negative(int node, const Losses& losses, bool every_step);
  [[nodiscard]] std::vector<Losses> finished(Panel panel);
  void check_chain(int node, int end);
  [[nodiscard]] double earlier_chain() const;
  void append(int node, const Losses& losses, const Losses* of_outputs);
  void add_norms(Observed& at, int node) const;
  void append_modes(int node);
  /// A norm of a layer, summed over outputs.
  [[nodiscard]] double norm(double (NetworkSide::*of)(int, int) const, int layer, int node) const;
  [[nodiscard]] int outputs() const { return options_.outputs; }
  /// The row after those of the same time.
  [[nodiscard]] int block_end(int row) const { return (row / outputs() + 1) * outputs(); }

  MarchContext& context_;
  NetworkSide& network_;
  DataSide& data_;
  const MarchOptions& options_;
  Solution& solution_;
  int recorded_;
  bool resolved_ = true;        // in depth
  std::string negative_;        // message about a loss below zero
  double largest_chain_ = 0.0;  // largest term of the chain identity so far
  double chain_spread_ = 0.0;   // largest difference between its two sides so far
};

}  // namespace lindmft::theory
