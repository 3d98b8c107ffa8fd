// A time grid with one row for each output at every node of another grid, for outputs that share modes (theory.md
// section 16): K is repeated for all pairs of outputs, and d for every output.
#pragma once

#include <vector>

#include "lindmft/matrix.hpp"
#include "time_grid/time_grid.hpp"

namespace lindmft {

/// The rows (node, output) of a grid, node by node. Panels consist of whole nodes.
class OutputRows final : public TimeGrid {
 public:
  /// most: the largest number of rows in a panel
  OutputRows(TimeGrid& grid, int outputs, int most);

  [[nodiscard]] int nodes() const override { return outputs_ * grid_.nodes(); }
  [[nodiscard]] int nodes_end() const override { return outputs_ * grid_.nodes_end(); }
  [[nodiscard]] double time(int row) const override { return grid_.time(row / outputs_); }
  [[nodiscard]] int condensed() const override { return outputs_ * grid_.condensed(); }
  PanelTime propose(Panel panel) override;
  void commit(Panel panel) override { grid_.commit(of_grid(panel)); }
  [[nodiscard]] PanelTime committed(Panel panel) const override;

 private:
  [[nodiscard]] PanelTime rows(Panel panel, linalg::ConstView K) const;
  [[nodiscard]] Panel of_grid(Panel rows) const { return {rows.begin / outputs_, rows.end / outputs_}; }

  TimeGrid& grid_;
  int outputs_;
  Matrix K_;                          // most x rows
  std::vector<double> decay_, unit_;  // rows; no units if they are all 1
  int skipped_ = 0;                   // see PanelTime
};

}  // namespace lindmft
