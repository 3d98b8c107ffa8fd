#include "theory/march/exact_march.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "lindmft/errors.hpp"

namespace lindmft::theory {
namespace {

constexpr double kTolerance = 1e-12;  // relative change of a row below which the rows after it are final
constexpr double kRounding = 1e-9;    // a change that will not get smaller is rounding below this
constexpr int kPatience = 60;         // sweeps for a row that causality alone does not make exact
constexpr int kCaution = 8;           // commits before a window that had to shrink may grow again
constexpr double kExplosion = 1e100;  // a change that no sweep will mend
constexpr double kGrow = 0.3;         // the window grows while sweeps make this fraction of its rows final
constexpr int kLongHistory = 512;     // nodes; with a history that caches hold, half a window is enough

/// A window slides over the steps. Each sweep makes at least its first row exact, by causality, and a good guess makes
/// more: those are final, and as many new rows enter at the far end. (Infinite depth is implicit: there, rows of a
/// window are final once they stop changing.)
class March {
 public:
  March(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution)
      : at_(grid, network, data, options, solution), window_{options.from, options.from} {}

  Marched run();

 private:
  void extend(int size);
  bool sweep();
  [[nodiscard]] int final_rows();
  void commit(int rows);
  bool record_final(bool rest);
  void report();

  Recorder at_;
  Panel window_;     // rows before it are final
  int waited_ = 0;   // sweeps in vain
  int caution_ = 0;  // commits until an implicit side's window may grow
};

/// Lets the window grow to `size` rows.
void March::extend(int size) {
  const Panel entering{window_.end, std::min(at_.grid.nodes(), window_.begin + size)};
  if (entering.size() <= 0) return;
  window_.end = entering.end;
  at_.map.set(window_);
  at_.data.guess({entering}, at_.options.responses_final);
  at_.network.guess({entering}, at_.options.responses_final);
}

/// One pass over the equations; false if the window must shrink.
bool March::sweep() {
  const int size = window_.size();
  at_.sweep(at_.grid.propose(window_));
  const double limit = size == 1 ? std::numeric_limits<double>::infinity() : kExplosion;  // a single row is exact
  for (int i = 0; i < size; ++i) {
    if (!(at_.changes[i] < limit)) return false;
  }
  return true;
}

/// How many rows at the front of the window are final after a sweep; -1: the window must shrink.
int March::final_rows() {
  const int size = window_.size();
  int good = 0;
  if (at_.network.exact_first_row(size)) {
    // A row is as good as the rows before it were when it was computed, and those were off by what they changed.
    good = 1;
    while (good < size && at_.changes[good - 1] < kTolerance) ++good;
  } else {
    while (good < size && at_.changes[good] < kTolerance) ++good;
  }
  waited_ = good > 0 ? 0 : waited_ + 1;
  if (waited_ < kPatience) return good;
  waited_ = 0;
  return at_.changes[0] < kRounding ? 1 : -1;
}

void March::report() {
  const int nodes = at_.grid.nodes();
  if (!at_.options.progress || at_.options.progress(at_.recorded, nodes)) return;
  throw Interrupted("solve was interrupted after " + std::to_string(at_.recorded) + " of " + std::to_string(nodes) +
                    " steps");
}

/// Rows at the front become final.
void March::commit(int rows) {
  const Panel final{window_.begin, window_.begin + rows};
  at_.grid.commit(final);
  window_.begin = final.end;
  at_.map.set(window_);
}

Marched March::run() {
  const int nodes = at_.grid.nodes();
  int size = at_.network.exact_first_row(at_.options.largest_panel) ? 1 : at_.options.largest_panel;
  while (window_.begin < nodes) {
    extend(size);
    const int good = sweep() ? final_rows() : -1;
    if (good < 0) {
      ++at_.solution.stats.rejected_panels;
      if (!record_final(true)) break;
      if (window_.size() == 1) {
        if (const std::string why = at_.network.failure(); !why.empty() && !at_.runaway()) throw NotConverged(why);
        at_.solution.diverged_at = static_cast<int>(at_.grid.time(window_.begin));
        break;
      }
      size = window_.size() / 2;
      caution_ = kCaution;
      window_.end = window_.begin;
      continue;
    }
    if (good == 0) continue;
    commit(good);
    ++at_.solution.stats.panels;
    // The last row, left alone with what a longer window has made of it, enters again.
    if (window_.size() == 1 && window_.end == nodes && !at_.network.exact_first_row(2)) window_.end = window_.begin;
    const int largest =
        std::max(1, window_.begin < kLongHistory ? at_.options.largest_panel / 2 : at_.options.largest_panel);
    const bool grow = at_.network.exact_first_row(largest) ? good >= kGrow * size : --caution_ <= 0;
    if (grow) size = std::max(size, std::min(size + std::max(1, size / 4), largest));
    if (!record_final(window_.begin == nodes)) break;
  }
  return at_.finish();
}

/// Records final rows, as many at a time as a panel holds, and the rest too if asked; false if the run has diverged.
bool March::record_final(bool rest) {
  while (at_.recorded < window_.begin) {
    const Panel panel{at_.recorded, std::min(window_.begin, at_.recorded + at_.options.largest_panel)};
    if (panel.size() < at_.options.largest_panel && !rest) return true;
    if (!at_.record(panel)) return false;
    report();
  }
  return true;
}

}  // namespace

Marched march(TimeGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options, Solution& solution) {
  return March(grid, network, data, options, solution).run();
}

}  // namespace lindmft::theory
