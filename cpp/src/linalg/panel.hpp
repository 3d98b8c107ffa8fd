// Panels: groups of consecutive time nodes that the march computes together.
#pragma once

#include <vector>

namespace lindmft {

/// The nodes begin .. end-1.
struct Panel {
  int begin = 0;
  int end = 0;
  [[nodiscard]] int size() const { return end - begin; }
};

/// The panel of every node. Operators are block lower triangular, with the panels as blocks.
class PanelMap {
 public:
  explicit PanelMap(int nodes) : begin_(static_cast<std::size_t>(nodes)), end_(static_cast<std::size_t>(nodes)) {}
  void set(Panel panel) {
    for (int i = panel.begin; i < panel.end; ++i) {
      begin_[static_cast<std::size_t>(i)] = panel.begin;
      end_[static_cast<std::size_t>(i)] = panel.end;
    }
  }
  /// Makes each step a panel: consecutive steps, whose rows have nothing above the diagonal. `outputs` is the number
  /// of rows that a step has.
  void set_rows(Panel panel, int outputs = 1) {
    for (int i = panel.begin; i < panel.end; i += outputs) set({i, i + outputs});
  }
  [[nodiscard]] int begin_of(int node) const { return begin_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] int end_of(int node) const { return end_[static_cast<std::size_t>(node)]; }

 private:
  std::vector<int> begin_, end_;
};

}  // namespace lindmft
