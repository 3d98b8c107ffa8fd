// The interface of time grids. Time enters the equations only through K and d (theory.md section 9); a grid provides
// their rows, panel by panel.
#pragma once

#include "linalg/panel.hpp"
#include "time_grid/panel_time.hpp"

namespace lindmft {

/// The nodes of time, and the rows of K and d at them.
class TimeGrid {
 public:
  TimeGrid() = default;
  TimeGrid(const TimeGrid&) = delete;
  TimeGrid& operator=(const TimeGrid&) = delete;
  virtual ~TimeGrid() = default;

  /// Number of nodes, known in advance or bounded from above.
  [[nodiscard]] virtual int nodes() const = 0;
  /// The node after the last one, as nodes are counted at present.
  [[nodiscard]] virtual int nodes_end() const { return nodes(); }
  [[nodiscard]] virtual double time(int node) const = 0;
  /// The number of nodes, the first ones, that stand for condensed segments of the past instead of times.
  [[nodiscard]] virtual int condensed() const { return 0; }
  /// The rows of K and d for a panel that begins where the last committed one ended. It may be called again with
  /// another end.
  virtual PanelTime propose(Panel panel) = 0;
  /// Makes rows final: the panel is the last proposal, or its first rows.
  virtual void commit(Panel panel) = 0;
  /// The decay d at committed nodes, without K.
  [[nodiscard]] virtual PanelTime committed(Panel panel) const = 0;
};

}  // namespace lindmft
