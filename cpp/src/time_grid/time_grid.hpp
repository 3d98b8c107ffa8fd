// Time enters the equations only through K and d (theory.md section 9); a grid provides their rows, panel by panel.
#pragma once

#include "linalg/panel.hpp"
#include "time_grid/panel_time.hpp"

namespace lindmft {

class TimeGrid {
 public:
  TimeGrid() = default;
  TimeGrid(const TimeGrid&) = delete;
  TimeGrid& operator=(const TimeGrid&) = delete;
  virtual ~TimeGrid() = default;

  /// Number of nodes, known in advance or bounded from above.
  [[nodiscard]] virtual int nodes() const = 0;
  [[nodiscard]] virtual double time(int node) const = 0;
  /// The rows of K and d for a panel that begins where the last committed one ended. May be called again with another
  /// end.
  virtual PanelTime propose(Panel panel) = 0;
  /// The panel is the front of the last proposal, or all of it; its rows are final.
  virtual void commit(Panel panel) = 0;
  /// Committed nodes once more: d alone, without K.
  [[nodiscard]] virtual PanelTime committed(Panel panel) const = 0;
};

}  // namespace lindmft
