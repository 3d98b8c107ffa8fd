// Panels: the groups of neighbouring time nodes that the march advances together.
#pragma once

#include <vector>

#include "linalg/blas.hpp"

namespace lindmft {

/// Nodes begin .. end-1.
struct Panel {
  int begin = 0;
  int end = 0;
  [[nodiscard]] int size() const { return end - begin; }
};

/// Operators are block lower triangular, with the panels as blocks; this knows which block a node is in.
class PanelMap {
 public:
  explicit PanelMap(int nodes) : begin_(static_cast<std::size_t>(nodes)), end_(static_cast<std::size_t>(nodes)) {}
  void set(Panel panel) {
    for (int i = panel.begin; i < panel.end; ++i) {
      begin_[static_cast<std::size_t>(i)] = panel.begin;
      end_[static_cast<std::size_t>(i)] = panel.end;
    }
  }
  [[nodiscard]] int begin_of(int node) const { return begin_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] int end_of(int node) const { return end_[static_cast<std::size_t>(node)]; }

 private:
  std::vector<int> begin_, end_;
};

/// Everything the equations know of time, for the rows of one panel (theory.md section 9).
struct PanelTime {
  Panel panel;
  linalg::ConstView K;  ///< panel.size() x panel.end   propagator: response of a weight to the gradient at node s
  const double* decay;  ///< d, panel.end entries       decay of the initial weights (the diagonal of D_w)
};

}  // namespace lindmft
