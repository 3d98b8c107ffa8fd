#include "theory/march.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lindmft/errors.hpp"
#include "support/divergence.hpp"

namespace lindmft::theory {
namespace {

constexpr double kTolerance = 1e-13;  // relative error of a converged panel: rounding, not accuracy
constexpr double kRounding = 1e-11;   // below this a change that no longer falls is rounding
constexpr double kExplosion = 1e100;
// Longer panels make faster products but need more sweeps.
constexpr int kFewSweeps = 6;
constexpr int kManySweeps = 12;

/// The next change would be this one times the rate at which changes fall, trusted between 1/100 and 0.3.
bool converged(double change, double last) {
  const double rate = std::isfinite(last) ? std::clamp(change / last, 0.01, 0.3) : 0.3;
  return change * rate < kTolerance || (change < kRounding && change > 0.3 * last);
}

enum class Outcome { converged, shrink };

class March {
 public:
  March(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution)
      : grid_(grid),
        network_(network),
        data_(data),
        options_(options),
        solution_(solution),
        map_(grid.nodes()),
        algebra_(map_, options.threads),
        scratch_(options.largest_panel, grid.nodes()) {}

  int run();

 private:
  Outcome sweep(const PanelTime& time);
  bool record(const PanelTime& time);
  [[nodiscard]] bool diverged(int node, const Losses& losses);
  void check_chain(int node);

  TimeGrid& grid_;
  NetworkSide& network_;
  DataSide& data_;
  const MarchOptions& options_;
  Solution& solution_;
  PanelMap map_;
  linalg::PanelAlgebra algebra_;
  Scratch scratch_;
  int sweeps_ = 0;              // of the panel at hand
  double largest_chain_ = 0.0;  // terms of the chain identity
  double chain_spread_ = 0.0;
};

// Causality makes every sweep exact in at least one more row, so p sweeps finish a panel of p nodes whatever the guess;
// a good guess needs a few. Values that blow up on the way are an artefact of a panel too long: shrink it.
Outcome March::sweep(const PanelTime& time) {
  const Sweep context{time, algebra_, scratch_};
  data_.guess(time.panel);
  network_.guess(context, data_.field());
  double last = std::numeric_limits<double>::infinity();
  for (sweeps_ = 1;; ++sweeps_) {
    double change = network_.backward(context, data_.field());
    change = std::max(change, data_.update(context, network_.field()));
    change = std::max(change, network_.forward(context, data_.field()));
    ++solution_.stats.sweeps;
    solution_.stats.row_sweeps += time.panel.size();
    if (!(change < kExplosion)) return time.panel.size() == 1 ? Outcome::converged : Outcome::shrink;
    if (sweeps_ >= time.panel.size() || converged(change, last)) break;
    last = change;
  }
  network_.finish(context, data_.field());
  return Outcome::converged;
}

bool March::diverged(int node, const Losses& losses) {
  const double start = node == 0 ? losses.test : solution_.test_loss.front();
  const double limit = support::kDivergence * std::max(1.0, start);
  bool fine = losses.test < limit && losses.train < limit;  // false for nan
  for (int l = 1; l <= network_.layers(); ++l) {
    fine = fine && std::isfinite(network_.feature_norm(l, node)) && std::isfinite(network_.gradient_norm(l, node));
  }
  return !fine;
}

void March::check_chain(int node) {
  const ChainTerm data = data_.chain(node, network_.field());
  largest_chain_ = std::max(largest_chain_, data.scale);
  for (const ChainTerm& layer : network_.chain(node)) {
    largest_chain_ = std::max(largest_chain_, layer.scale);
    chain_spread_ = std::max(chain_spread_, std::abs(layer.value - data.value));
  }
}

/// Appends the panel's nodes to the solution; false at the first diverged one.
bool March::record(const PanelTime& time) {
  const Panel panel = time.panel;
  const std::vector<Losses> losses = data_.losses({time, algebra_, scratch_}, network_.field());
  for (int node = panel.begin; node < panel.end; ++node) {
    const Losses& at = losses[static_cast<std::size_t>(node - panel.begin)];
    if (diverged(node, at)) {
      solution_.diverged_at = static_cast<int>(grid_.time(node));
      return false;
    }
    solution_.time.push_back(grid_.time(node));
    solution_.test_loss.push_back(at.test);
    solution_.train_loss.push_back(at.train);
    solution_.term_target.push_back(at.term_target);
    solution_.term_init.push_back(at.term_init);
    solution_.term_data.push_back(at.term_data);
    for (int l = 1; l <= network_.layers(); ++l) {
      solution_.feature_norm[static_cast<std::size_t>(l - 1)].push_back(network_.feature_norm(l, node));
      solution_.gradient_norm[static_cast<std::size_t>(l - 1)].push_back(network_.gradient_norm(l, node));
    }
    check_chain(node);
  }
  return true;
}

int March::run() {
  const int nodes = grid_.nodes();
  solution_.feature_norm.resize(static_cast<std::size_t>(network_.layers()));
  solution_.gradient_norm.resize(static_cast<std::size_t>(network_.layers()));
  int size = 1;
  Panel panel;
  while (panel.end < nodes) {
    panel = {panel.end, std::min(nodes, panel.end + size)};
    map_.set(panel);
    const PanelTime time = grid_.propose(panel);
    if (sweep(time) == Outcome::shrink) {
      ++solution_.stats.rejected_panels;
      size = std::max(1, panel.size() / 2);
      panel.end = panel.begin;
      continue;
    }
    ++solution_.stats.panels;
    if (!record(time)) break;
    grid_.commit(panel);
    if (options_.progress && !options_.progress(panel.end, nodes)) {
      throw Interrupted("solve was interrupted after " + std::to_string(panel.end) + " of " + std::to_string(nodes) +
                        " steps");
    }
    if (sweeps_ <= kFewSweeps) size = std::min(2 * size, options_.largest_panel);
    if (sweeps_ > kManySweeps) size = std::max(1, size / 2);
  }
  solution_.stats.nodes = static_cast<int>(solution_.time.size());
  solution_.stats.flops = algebra_.flops();
  solution_.stats.chain_residual = largest_chain_ > 0.0 ? chain_spread_ / largest_chain_ : 0.0;
  return solution_.stats.nodes;
}

}  // namespace

int march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution) {
  return March(grid, network, data, options, solution).run();
}

}  // namespace lindmft::theory
