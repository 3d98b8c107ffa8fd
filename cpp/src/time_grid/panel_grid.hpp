// Coarse grids: panels of growing length, each with a few nodes and the polynomials through them (theory.md section 9).
// The march chooses the lengths of panels. Kinds of time differ in the positions of nodes and in the action of K.
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"
#include "time_grid/polynomials.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft {

/// The base of coarse grids.
class PanelGrid : public TimeGrid {
 public:
  /// capacity: largest number of nodes; order: nodes of a panel
  PanelGrid(int capacity, int order);

  /// The end of time, in the units of lengths.
  [[nodiscard]] virtual double end() const = 0;
  /// Length of the first panel for a loss that falls at this rate.
  [[nodiscard]] virtual double first_length(double rate) const = 0;

  /// Time after which a weight has forgotten a gradient.
  [[nodiscard]] virtual double memory() const = 0;
  /// The length below which accuracy does not improve. Panels are shorter only where sweeps do not converge.
  [[nodiscard]] virtual double exact_length() const = 0;

  /// Places a panel of about this length after the last committed one, with at most `order` nodes and not beyond the
  /// end.
  void place(double length);
  /// Places a panel with nodes at these times.
  void place(const std::vector<double>& times);
  /// The weights at a time within the placed panel, or at its end: their response to the gradient at each node up to
  /// the panel's last one (the others are left as they are), and their decay.
  virtual void weights(double time, double* K, double& decay) const = 0;
  [[nodiscard]] Panel panel() const { return panel_; }
  [[nodiscard]] double length() const { return length_; }
  /// Whether every step of the placed panel is a node, so that nothing is approximated.
  [[nodiscard]] virtual bool exact() const = 0;
  /// Whether there is room for the next panel.
  [[nodiscard]] bool room() const { return begin_ >= end() || panel_.end + order_ <= capacity_; }
  [[nodiscard]] bool finished() const { return begin_ >= end(); }
  /// The time where committed panels end.
  [[nodiscard]] double begin() const { return begin_; }
  /// The polynomials through the nodes of the placed panel, as functions of the time since the end of the panel before,
  /// in units of the panel's length.
  [[nodiscard]] const Lagrange& polynomials() const { return polynomials_; }
  /// First nodes of the committed panels, and the number of committed nodes.
  [[nodiscard]] const std::vector<int>& edges() const { return edges_; }
  /// Writes the committed panels to a map. by_row: panels of which every step is a node were solved row by row, and
  /// count as panels of single rows. outputs: the number of rows of each node
  void write_panels(PanelMap& map, bool by_row, int outputs = 1) const;
  /// Commits the panels of another grid of the same kind, for a run that is resumed.
  void restore(const std::vector<int>& edges, const std::vector<double>& time);

  [[nodiscard]] int nodes() const override { return capacity_; }
  [[nodiscard]] double time(int node) const override { return time_[static_cast<std::size_t>(node)]; }
  PanelTime propose(Panel panel) override;
  void commit(Panel panel) override;
  [[nodiscard]] PanelTime committed(Panel panel) const override;

 protected:
  /// Positions in (0, 1] of the next panel's nodes; may shorten it.
  [[nodiscard]] virtual std::vector<double> positions(double& length) const = 0;
  /// A node at position x has the time begin + x length - offset.
  [[nodiscard]] virtual double offset() const = 0;
  /// Computes the placed panel's rows of K, and d at its nodes.
  virtual void fill(Matrix& K, double* decay) = 0;
  /// Makes the placed panel a part of the history.
  virtual void keep() = 0;
  [[nodiscard]] int order() const { return order_; }

 private:
  void place_at(std::vector<double> positions, double length);

  int capacity_;
  int order_;
  Panel panel_;
  double begin_ = 0.0;
  double length_ = 0.0;
  Lagrange polynomials_;
  std::vector<int> edges_{0};
  std::vector<double> time_, decay_;  // capacity
  Matrix K_;                          // order x capacity
};

}  // namespace lindmft
