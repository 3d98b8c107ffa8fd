#include "theory/march.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "lindmft/errors.hpp"
#include "support/divergence.hpp"

namespace lindmft::theory {
namespace {

constexpr double kTolerance = 1e-12;     // relative change of a row below which the rows after it are final
constexpr double kRounding = 1e-9;       // a change that will not get smaller is rounding below this
constexpr int kPatience = 60;            // sweeps for a row that causality alone does not make exact
constexpr double kRunaway = 10.0;        // growth of the loss after which a row that cannot be resolved has diverged
constexpr int kCaution = 8;              // commits before a window that had to shrink may grow again
constexpr double kSmallestChain = 1e-6;  // where nothing is learned the identity is between rounding errors
constexpr double kExplosion = 1e100;     // a change that no sweep will mend
constexpr double kGrow = 0.3;            // the window grows while sweeps make this fraction of its rows final
constexpr int kLongHistory = 512;        // nodes; with a history that caches hold, half a window is enough

/// A window slides over the steps. Each sweep makes at least its first row exact, by causality, and a good guess makes
/// more: those are final, and as many new rows enter at the far end. (Infinite depth is implicit: there, rows of a
/// window are final once they stop changing.)
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

  Marched run();

 private:
  void extend(int size);
  bool sweep();
  [[nodiscard]] int final_rows();
  void commit(int rows);
  bool record_final(bool rest);
  bool record(Panel panel);
  [[nodiscard]] bool diverged(int node, const Losses& losses);
  [[nodiscard]] bool runaway() const;
  void check_chain(int node);
  void append(int node, const Losses& at);
  void finish();

  TimeGrid& grid_;
  NetworkSide& network_;
  DataSide& data_;
  const MarchOptions& options_;
  Solution& solution_;
  PanelMap map_;
  linalg::PanelAlgebra algebra_;
  Scratch scratch_;
  linalg::RowChanges changes_;
  Panel window_;                // rows before it are final
  bool resolved_ = true;        // in depth
  int waited_ = 0;              // sweeps in vain
  int caution_ = 0;             // commits until an implicit side's window may grow
  int recorded_ = 0;            // rows before it are in the solution
  double largest_chain_ = 0.0;  // terms of the chain identity
  double chain_spread_ = 0.0;
};

/// Lets the window grow to `size` rows.
void March::extend(int size) {
  const Panel entering{window_.end, std::min(grid_.nodes(), window_.begin + size)};
  if (entering.size() <= 0) return;
  window_.end = entering.end;
  map_.set(window_);
  data_.guess(entering, options_.responses_final);
  network_.guess(entering, options_.responses_final);
}

/// One pass over the equations; false if the window must shrink.
bool March::sweep() {
  const int size = window_.size();
  changes_.reset(size);
  const PanelTime time = grid_.propose(window_);
  const Sweep context{time, algebra_, scratch_, changes_, options_.responses_final};
  network_.backward(context, data_.field());
  data_.update(context, network_.field());
  network_.forward(context, data_.field());
  ++solution_.stats.sweeps;
  solution_.stats.row_sweeps += size;
  const double limit = size == 1 ? std::numeric_limits<double>::infinity() : kExplosion;  // a single row is exact
  for (int i = 0; i < size; ++i) {
    if (!(changes_[i] < limit)) return false;
  }
  return true;
}

/// How many rows at the front of the window are final after a sweep; -1: the window must shrink.
int March::final_rows() {
  const int size = window_.size();
  int good = 0;
  if (network_.exact_first_row(size)) {
    // A row is as good as the rows before it were when it was computed, and those were off by what they changed.
    good = 1;
    while (good < size && changes_[good - 1] < kTolerance) ++good;
  } else {
    while (good < size && changes_[good] < kTolerance) ++good;
  }
  waited_ = good > 0 ? 0 : waited_ + 1;
  if (waited_ < kPatience) return good;
  waited_ = 0;
  return changes_[0] < kRounding ? 1 : -1;
}

bool March::diverged(int node, const Losses& losses) {
  const double start = node == 0 ? losses.test : solution_.test_loss.front();
  if (losses.test < -kRounding * std::max(1.0, start)) {
    std::ostringstream message;
    message << "step " << grid_.time(node) << " came out with a negative test loss (" << losses.test
            << "), which no sweep should leave; lower optimizer.lr, or use more depth_nodes where they are given";
    throw NotConverged(message.str());
  }
  const double limit = support::kDivergence * std::max(1.0, start);
  bool fine = losses.test < limit && losses.train < limit;  // false for nan
  for (int l = 1; l <= network_.layers(); ++l) {
    fine = fine && std::isfinite(network_.feature_norm(l, node)) && std::isfinite(network_.gradient_norm(l, node));
  }
  return !fine;
}

bool March::runaway() const {
  const std::vector<double>& loss = solution_.test_loss;
  return !loss.empty() && loss.back() > kRunaway * loss.front();
}

void March::check_chain(int node) {
  const ChainTerm data = data_.chain(node, network_.field());
  largest_chain_ = std::max(largest_chain_, data.scale);
  for (const ChainTerm& layer : network_.chain(node)) {
    largest_chain_ = std::max(largest_chain_, layer.scale);
    chain_spread_ = std::max(chain_spread_, std::abs(layer.value - data.value));
  }
}

/// Finishes the panel's rows and appends them to the solution; false at the first diverged one.
bool March::record(Panel panel) {
  changes_.reset(panel.size());
  const PanelTime time = grid_.committed(panel);
  const Sweep context{time, algebra_, scratch_, changes_, options_.responses_final};
  network_.finish(context, data_.field());
  const std::vector<Losses> losses = data_.losses(context, network_.field());
  for (int node = panel.begin; node < panel.end; ++node) {
    const Losses& at = losses[static_cast<std::size_t>(node - panel.begin)];
    if (diverged(node, at)) {
      solution_.diverged_at = static_cast<int>(grid_.time(node));
      return false;
    }
    const double depth_error = network_.depth_error(node);
    if (depth_error > options_.depth_tolerance) {
      resolved_ = runaway();
      if (resolved_) solution_.diverged_at = static_cast<int>(grid_.time(node));
      return false;
    }
    solution_.stats.depth_error = std::max(solution_.stats.depth_error, depth_error);
    append(node, at);
    if (!options_.responses_final) check_chain(node);
  }
  recorded_ = panel.end;
  if (options_.progress && !options_.progress(recorded_, grid_.nodes())) {
    throw Interrupted("solve was interrupted after " + std::to_string(recorded_) + " of " +
                      std::to_string(grid_.nodes()) + " steps");
  }
  return true;
}

void March::append(int node, const Losses& at) {
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
}

/// Rows at the front become final.
void March::commit(int rows) {
  const Panel final{window_.begin, window_.begin + rows};
  grid_.commit(final);
  window_.begin = final.end;
  map_.set(window_);
}

Marched March::run() {
  const int nodes = grid_.nodes();
  solution_.feature_norm.resize(static_cast<std::size_t>(network_.layers()));
  solution_.gradient_norm.resize(static_cast<std::size_t>(network_.layers()));
  int size = network_.exact_first_row(options_.largest_panel) ? 1 : options_.largest_panel;
  while (window_.begin < nodes) {
    extend(size);
    const int good = sweep() ? final_rows() : -1;
    if (good < 0) {
      ++solution_.stats.rejected_panels;
      if (!record_final(true)) break;
      if (window_.size() == 1) {
        if (const std::string why = network_.failure(); !why.empty() && !runaway()) throw NotConverged(why);
        solution_.diverged_at = static_cast<int>(grid_.time(window_.begin));
        break;
      }
      size = window_.size() / 2;
      caution_ = kCaution;
      window_.end = window_.begin;
      continue;
    }
    if (good == 0) continue;
    commit(good);
    ++solution_.stats.panels;
    // The last row, left alone with what a longer window has made of it, enters again.
    if (window_.size() == 1 && window_.end == nodes && !network_.exact_first_row(2)) window_.end = window_.begin;
    const int largest = std::max(1, window_.begin < kLongHistory ? options_.largest_panel / 2 : options_.largest_panel);
    const bool grow = network_.exact_first_row(largest) ? good >= kGrow * size : --caution_ <= 0;
    if (grow) size = std::max(size, std::min(size + std::max(1, size / 4), largest));
    if (!record_final(window_.begin == nodes)) break;
  }
  finish();
  return {solution_.stats.nodes, resolved_};
}

/// Records final rows, as many at a time as a panel holds, and the rest too if asked; false if the run has diverged.
bool March::record_final(bool rest) {
  while (recorded_ < window_.begin) {
    const Panel panel{recorded_, std::min(window_.begin, recorded_ + options_.largest_panel)};
    if (panel.size() < options_.largest_panel && !rest) return true;
    if (!record(panel)) return false;
  }
  return true;
}

void March::finish() {
  solution_.stats.nodes = static_cast<int>(solution_.time.size());
  solution_.stats.flops = algebra_.flops();
  solution_.stats.chain_residual = chain_spread_ / std::max(largest_chain_, kSmallestChain);
}

}  // namespace

Marched march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution) {
  return March(grid, network, data, options, solution).run();
}

}  // namespace lindmft::theory
