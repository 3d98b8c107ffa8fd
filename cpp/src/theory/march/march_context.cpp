#include "theory/march/march_context.hpp"

namespace lindmft::theory {

MarchContext::MarchContext(TimeGrid& time, NetworkSide& network_side, DataSide& data_side,
                           const MarchOptions& march_options, Solution& out)
    : grid(time),
      network(network_side),
      data(data_side),
      options(march_options),
      solution(out),
      map(time.nodes() + march_options.spare_rows),
      algebra(map, march_options.threads),
      scratch(march_options.largest_panel, time.nodes() + march_options.spare_rows) {
  for (int node = 0; node < options.from; ++node) map.set({node, node + 1});
}

void MarchContext::guess(const linalg::Guess& guess) {
  data.guess(guess, options.responses_final);
  network.guess(guess, options.responses_final);
}

void MarchContext::update_data(const PanelTime& time) {
  changes.reset(time.panel.size());
  data.update({time, algebra, scratch, changes, options.responses_final}, network.field());
}

void MarchContext::sweep(const PanelTime& time, double inner_tolerance) {
  changes.reset(time.panel.size());
  const Sweep pass{time, algebra, scratch, changes, options.responses_final, inner_tolerance};
  network.backward(pass, data.field());
  data.update(pass, network.field());
  network.forward(pass, data.field());
  ++solution.stats.sweeps;
  solution.stats.row_sweeps += time.panel.size();
}

}  // namespace lindmft::theory
