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
  const auto repeat = [&](std::vector<double>& to, const double* from) {
    to.resize(decay_.size());
    for (int s = 0; s < panel.end; ++s) to[static_cast<std::size_t>(s)] = from[s / outputs_];
  };
  repeat(decay_, time.decay);
  if (time.unit != nullptr) repeat(unit_, time.unit);
  skipped_ = time.skipped;
  return rows(panel, linalg::leading(std::as_const(K_), panel.size(), panel.end));
}

PanelTime OutputRows::committed(Panel panel) const { return rows(panel, {nullptr, 0, 0, 0}); }

PanelTime OutputRows::rows(Panel panel, linalg::ConstView K) const {
  return {panel, K, decay_.data(), nullptr, outputs_, unit_.empty() ? nullptr : unit_.data(), skipped_};
}

}  // namespace lindmft
