#include "theory/march/recorder.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "lindmft/errors.hpp"
#include "support/divergence.hpp"

namespace lindmft::theory {
namespace {

constexpr double kRunaway = 10.0;        // growth of the loss after which a row that cannot be resolved has diverged
constexpr double kSmallestChain = 1e-6;  // where nothing is learned the identity is between rounding errors

}  // namespace

Recorder::Recorder(TimeGrid& time, NetworkSide& network_side, DataSide& data_side, const MarchOptions& march_options,
                   Solution& out)
    : grid(time),
      network(network_side),
      data(data_side),
      options(march_options),
      solution(out),
      map(time.nodes()),
      algebra(map, march_options.threads),
      scratch(march_options.largest_panel, time.nodes()),
      recorded(march_options.from) {
  for (int node = 0; node < options.from; ++node) map.set({node, node + 1});
  solution.feature_norm.resize(static_cast<std::size_t>(network.layers()));
  solution.gradient_norm.resize(static_cast<std::size_t>(network.layers()));
}

void Recorder::sweep(const PanelTime& time, double settle) {
  changes.reset(time.panel.size());
  const Sweep context{time, algebra, scratch, changes, options.responses_final, settle};
  network.backward(context, data.field());
  data.update(context, network.field());
  network.forward(context, data.field());
  ++solution.stats.sweeps;
  solution.stats.row_sweeps += time.panel.size();
}

void Recorder::begin(const PanelTime& time) {
  changes.reset(time.panel.size());
  data.update({time, algebra, scratch, changes, options.responses_final}, network.field());
}

bool Recorder::diverged(int node, const Losses& losses) const {
  const double start = node == 0 ? losses.test : solution.test_loss.front();
  const double smallest = std::min(losses.test, losses.train);
  if (smallest < -options.rounding * std::max(1.0, start)) {
    std::ostringstream message;
    message << "step " << grid.time(node) << " came out with a negative "
            << (losses.test <= losses.train ? "test" : "train") << " loss (" << smallest
            << "), which no sweep should leave; lower optimizer.lr, or use more depth_nodes where they are given";
    throw NotConverged(message.str());
  }
  const double limit = support::kDivergence * std::max(1.0, start);
  bool fine = losses.test < limit && losses.train < limit;  // false for nan
  for (int l = 1; l <= network.layers(); ++l) {
    fine = fine && std::isfinite(network.feature_norm(l, node)) && std::isfinite(network.gradient_norm(l, node));
  }
  return !fine;
}

bool Recorder::runaway() const {
  const std::vector<double>& loss = solution.test_loss;
  if (loss.empty()) return false;
  // Relative to a loss of zero any growth is infinite. The scale is then the loss of a target of norm 1.
  return loss.back() > kRunaway * (loss.front() > 0.0 ? loss.front() : 1.0);
}

void Recorder::check_chain(int node, int end) {
  const ChainTerm other = data.chain(node, end, network.field());
  largest_chain_ = std::max(largest_chain_, other.scale);
  for (const ChainTerm& layer : network.chain(node)) {
    largest_chain_ = std::max(largest_chain_, layer.scale);
    chain_spread_ = std::max(chain_spread_, std::abs(layer.value - other.value));
  }
}

bool Recorder::record(Panel panel) {
  changes.reset(panel.size());
  const PanelTime time = grid.committed(panel);
  const Sweep context{time, algebra, scratch, changes, options.responses_final};
  network.finish(context, data.field());
  const std::vector<Losses> losses = data.losses(context, network.field());
  for (int node = panel.begin; node < panel.end; ++node) {
    const Losses& at = losses[static_cast<std::size_t>(node - panel.begin)];
    if (diverged(node, at)) {
      solution.diverged_at = static_cast<int>(grid.time(node));
      return false;
    }
    const double depth_error = network.depth_error(node);
    if (depth_error > options.depth_tolerance) {
      resolved_ = runaway();
      if (resolved_) solution.diverged_at = static_cast<int>(grid.time(node));
      return false;
    }
    solution.stats.depth_error = std::max(solution.stats.depth_error, depth_error);
    append(node, at);
    if (!options.responses_final) check_chain(node, std::max(node + 1, map.end_of(node)));
  }
  recorded = panel.end;
  return true;
}

void Recorder::append(int node, const Losses& at) {
  solution.time.push_back(grid.time(node));
  solution.test_loss.push_back(at.test);
  solution.train_loss.push_back(at.train);
  solution.term_target.push_back(at.term_target);
  solution.term_init.push_back(at.term_init);
  solution.term_data.push_back(at.term_data);
  for (int l = 1; l <= network.layers(); ++l) {
    solution.feature_norm[static_cast<std::size_t>(l - 1)].push_back(network.feature_norm(l, node));
    solution.gradient_norm[static_cast<std::size_t>(l - 1)].push_back(network.gradient_norm(l, node));
  }
}

/// The largest term of the chain identity at the nodes of the run that this one continues. As learning ends, the terms
/// fade and their rounding errors do not, so that the residual has the scale of the whole run. (The terms of the
/// network are not kept for these nodes; those of the data side are as large.)
double Recorder::earlier_chain() const {
  double largest = 0.0;
  for (int node = 0; node < options.from; ++node)
    largest = std::max(largest, data.chain(node, std::max(node + 1, map.end_of(node)), network.field()).scale);
  return largest;
}

Marched Recorder::finish() {
  largest_chain_ = std::max(largest_chain_, earlier_chain());
  solution.stats.nodes = static_cast<int>(solution.time.size());
  solution.stats.flops += algebra.flops();
  solution.stats.chain_residual =
      std::max(solution.stats.chain_residual, chain_spread_ / std::max(largest_chain_, kSmallestChain));
  return {solution.stats.nodes, resolved_};
}

}  // namespace lindmft::theory
