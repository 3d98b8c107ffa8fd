#include "theory/march/exact_march.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "lindmft/errors.hpp"
#include "theory/march/coarse_front.hpp"

namespace lindmft::theory {
namespace {

constexpr double kRounding = 1e-9;    // a change below this that does not get smaller is a rounding error
constexpr int kPatience = 60;         // largest number of sweeps for a row that causality alone does not make exact
constexpr int kCaution = 8;           // number of commits before a window that had to shrink may grow again
constexpr double kExplosion = 1e100;  // change after which further sweeps are useless
constexpr double kGrow = 0.3;         // the window grows while a sweep makes this fraction of its rows final
// Number of nodes up to which the history fits the caches, so that half a window is enough.
constexpr int kLongHistory = 512;

/// The march of a window over the steps. By causality, each sweep makes at least the first row of the window exact, and
/// more rows if the guess was good. These rows are final, and as many new rows are added at the end. (At infinite depth
/// the equations are implicit, and rows are final once they stop changing.) Where outputs share modes, the rows of all
/// outputs at one step take the place of one row.
class March {
 public:
  March(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution,
        Condensation* past)
      : context_(grid, network, data, options, solution),
        recorder_(context_),
        past_(past),
        window_{options.from, options.from},
        steps_(static_cast<int>(solution.time.size()) + (grid.nodes_end() - options.from) / options.outputs) {
    if (past_ == nullptr) return;
    past_->group(context_.map);
    if (options.coarse_front) front_.emplace(*past_, context_, recorder_);
  }

  Marched run();

 private:
  void extend(int size);
  bool sweep();
  [[nodiscard]] int final_rows();
  [[nodiscard]] int outputs() const { return context_.options.outputs; }
  void commit(int rows);
  [[noreturn]] void refuse_full() const;
  bool record_final(bool rest);
  bool condense();
  bool march_front();
  void report();

  MarchContext context_;
  Recorder recorder_;
  Condensation* past_;
  std::optional<CoarseFront> front_;
  Panel window_;     // rows before it are final
  int waited_ = 0;   // consecutive sweeps that made no row final
  int caution_ = 0;  // number of commits until the window of an implicit side may grow
  int steps_;
};

/// Lets the window grow to `size` rows.
void March::extend(int size) {
  const Panel entering{window_.end, std::min(context_.grid.nodes_end(), window_.begin + size)};
  if (entering.size() <= 0) return;
  if (entering.end > context_.grid.nodes()) refuse_full();
  window_.end = entering.end;
  context_.map.set(window_);
  context_.guess({entering, {}, 1.0, outputs(), context_.grid.condensed()});
}

/// Sweeps the window once; false if it must shrink.
bool March::sweep() {
  const int size = window_.size();
  context_.sweep(context_.grid.propose(window_));
  // A single step is exact, however large its change.
  const double limit = size == outputs() ? std::numeric_limits<double>::infinity() : kExplosion;
  for (int i = 0; i < size; ++i) {
    if (!(context_.changes[i] < limit)) return false;
  }
  return true;
}

/// Number of rows at the front of the window that are final after a sweep; -1 if the window must shrink.
int March::final_rows() {
  const int size = window_.size();
  int good = 0;
  if (context_.network.exact_first_row(size)) {
    // The error of a row is that of the rows before it when it was computed, which is their change in this sweep.
    good = outputs();
    while (good < size && context_.changes[good - outputs()] < context_.options.row_tolerance) ++good;
  } else {
    while (good < size && context_.changes[good] < context_.options.row_tolerance) ++good;
  }
  good -= good % outputs();
  waited_ = good > 0 ? 0 : waited_ + 1;
  if (waited_ < kPatience) return good;
  waited_ = 0;
  double change = 0.0;
  for (int c = 0; c < outputs(); ++c) change = std::max(change, context_.changes[c]);
  return change < kRounding ? outputs() : -1;
}

void March::report() {
  const auto done = static_cast<int>(context_.solution.time.size());
  if (!context_.options.progress || context_.options.progress(done, steps_)) return;
  throw Interrupted("solve was interrupted after " + std::to_string(done) + " of " + std::to_string(steps_) + " steps");
}

/// Makes the first rows of the window final.
void March::commit(int rows) {
  const Panel final{window_.begin, window_.begin + rows};
  context_.grid.commit(final);
  window_.begin = final.end;
  if (past_ != nullptr) past_->group(context_.map);
  context_.map.set(window_);
}

/// Condenses the past, if there is one; false if the run has diverged.
bool March::condense() {
  if (past_ == nullptr || !past_->due()) return true;
  if (!record_final(true)) return false;
  SolveStats& stats = context_.solution.stats;
  stats.active_nodes = std::max(stats.active_nodes, window_.end / outputs());
  const int removed = past_->run(window_.end);
  window_ = {window_.begin - removed, window_.end - removed};
  recorder_.rows_removed(removed);
  past_->group(context_.map);
  context_.map.set(window_);
  return true;
}

void March::refuse_full() const {
  throw NotConverged("the past of step " + std::to_string(context_.solution.time.size()) + " takes more than the " +
                     std::to_string(context_.grid.nodes() / outputs()) +
                     " numbers that a function may have: it does not become smooth. Raise rtol, solve for fewer steps, "
                     "or use exact steps");
}

/// Marches a coarse segment after the window, which is empty; false if the run has diverged.
bool March::march_front() {
  if (!record_final(true) || !condense()) return false;
  const int rows = front_->march();
  window_ = {window_.begin + rows, window_.begin + rows};
  past_->group(context_.map);
  report();
  return condense();
}

Marched March::run() {
  const int most = context_.options.largest_panel;
  int size = context_.network.exact_first_row(most) ? outputs() : most;
  while (window_.begin < context_.grid.nodes_end()) {
    const bool front = front_ && front_->due();  // the window then becomes empty
    if (front && window_.size() == 0 && front_->ready()) {
      if (!march_front()) break;
      continue;
    }
    if (!front || window_.size() == 0) extend(front ? outputs() : size);
    const int good = sweep() ? final_rows() : -1;
    if (good < 0) {
      ++context_.solution.stats.rejected_panels;
      if (!record_final(true)) break;
      if (window_.size() == outputs()) {
        if (const std::string why = context_.network.failure(); !why.empty() && !recorder_.runaway())
          throw NotConverged(why);
        context_.solution.diverged_at = static_cast<int>(context_.grid.time(window_.begin));
        break;
      }
      size = std::max(outputs(), window_.size() / 2 / outputs() * outputs());
      caution_ = kCaution;
      window_.end = window_.begin;
      continue;
    }
    if (good == 0) continue;
    commit(good);
    ++context_.solution.stats.panels;
    // The last row alone was computed in a longer window; it is guessed and solved again.
    if (window_.size() == outputs() && window_.end == context_.grid.nodes_end() && !context_.network.exact_first_row(2))
      window_.end = window_.begin;
    const int half = std::max(outputs(), most / 2 / outputs() * outputs());
    const int largest = window_.begin < kLongHistory ? half : most;
    const bool grow = context_.network.exact_first_row(largest) ? good >= kGrow * size : --caution_ <= 0;
    if (grow) size = std::max(size, std::min(size + std::max(outputs(), size / 4 / outputs() * outputs()), largest));
    if (!record_final(window_.begin == context_.grid.nodes_end()) || !condense()) break;
  }
  return recorder_.finish();
}

/// Records final rows, as many together as a panel has; also the remaining ones if `rest`. False if the run has
/// diverged.
bool March::record_final(bool rest) {
  while (recorder_.recorded() < window_.begin) {
    const Panel panel{recorder_.recorded(),
                      std::min(window_.begin, recorder_.recorded() + context_.options.largest_panel)};
    if (panel.size() < context_.options.largest_panel && !rest) return true;
    if (!recorder_.record(panel, !context_.options.responses_final)) return false;
    report();
  }
  return true;
}

}  // namespace

Marched march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution,
              Condensation* past) {
  return March(grid, network, data, options, solution, past).run();
}

}  // namespace lindmft::theory
