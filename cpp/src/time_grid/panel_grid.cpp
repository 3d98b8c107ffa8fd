#include "time_grid/panel_grid.hpp"

#include <algorithm>
#include <utility>

namespace lindmft {

PanelGrid::PanelGrid(int capacity, int order)
    : capacity_(capacity),
      order_(order),
      polynomials_({1.0}),
      time_(static_cast<std::size_t>(capacity)),
      decay_(static_cast<std::size_t>(capacity)),
      K_(order, capacity) {}

void PanelGrid::place(double length) {
  length = std::min(length, end() - begin_);
  std::vector<double> nodes = positions(length);
  place_at(std::move(nodes), length);
}

void PanelGrid::place_at(std::vector<double> positions, double length) {
  length_ = length;
  panel_ = {edges_.back(), edges_.back() + static_cast<int>(positions.size())};
  for (int i = 0; i < panel_.size(); ++i)
    time_[static_cast<std::size_t>(panel_.begin + i)] =
        begin_ + positions[static_cast<std::size_t>(i)] * length - offset();
  polynomials_ = Lagrange(std::move(positions));
  fill(K_, decay_.data() + panel_.begin);
}

void PanelGrid::place(const std::vector<double>& times) {
  const double length = times.back() + offset() - begin_;
  std::vector<double> nodes;
  for (const double time : times) nodes.push_back(length > 0.0 ? (time + offset() - begin_) / length : 1.0);
  nodes.back() = 1.0;
  place_at(std::move(nodes), length);
}

void PanelGrid::restore(const std::vector<int>& edges, const std::vector<double>& time) {
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    place({time.begin() + edges[k], time.begin() + edges[k + 1]});
    commit(panel_);
  }
}

void PanelGrid::write_panels(PanelMap& map, bool by_row, int outputs) const {
  for (std::size_t k = 0; k + 1 < edges_.size(); ++k) {
    const Panel panel{edges_[k], edges_[k + 1]};
    const bool every_step =
        by_row && exact_length() > 0.0 && time(panel.end - 1) - time(panel.begin) == panel.size() - 1.0;
    const Panel rows{panel.begin * outputs, panel.end * outputs};
    every_step ? map.set_rows(rows, outputs) : map.set(rows);
  }
}

PanelTime PanelGrid::propose(Panel panel) {
  return {panel, linalg::leading(std::as_const(K_), panel.size(), panel.end), decay_.data()};
}

void PanelGrid::commit(Panel panel) {
  keep();
  edges_.push_back(panel.end);
  begin_ += length_;
}

PanelTime PanelGrid::committed(Panel panel) const { return {panel, {nullptr, 0, 0, 0}, decay_.data()}; }

}  // namespace lindmft
