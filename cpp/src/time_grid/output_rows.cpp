#include "time_grid/output_rows.hpp"

#include <utility>

namespace lindmft {

OutputRows::OutputRows(TimeGrid& grid, int outputs, int most)
    : grid_(grid),
      outputs_(outputs),
      K_(most, outputs * grid.nodes()),
      decay_(static_cast<std::size_t>(outputs) * static_cast<std::size_t>(grid.nodes())) {}

PanelTime OutputRows::propose(Panel panel) {
  const PanelTime time = grid_.propose(of_grid(panel));
  for (int i = 0; i < panel.size(); ++i) {
    const double* from = time.K.row(i / outputs_);
    double* to = K_.row(i);
    for (int s = 0; s < panel.end; ++s) to[s] = from[s / outputs_];
  }
  for (; known_ < panel.end; ++known_) decay_[static_cast<std::size_t>(known_)] = time.decay[known_ / outputs_];
  return {panel, linalg::leading(std::as_const(K_), panel.size(), panel.end), decay_.data(), nullptr, outputs_};
}

PanelTime OutputRows::committed(Panel panel) const {
  return {panel, {nullptr, 0, 0, 0}, decay_.data(), nullptr, outputs_};
}

}  // namespace lindmft
