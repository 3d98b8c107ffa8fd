#include "theory/march/panel_march.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "linalg/anderson.hpp"
#include "lindmft/errors.hpp"
#include "theory/core/panel_state.hpp"
#include "theory/march/edge_watch.hpp"
#include "time_grid/output_rows.hpp"

namespace lindmft::theory {
namespace {

constexpr int kMemory = 40;          // number of earlier sweeps that the accelerator combines
constexpr int kMostSweeps = 120;     // largest number of sweeps for a panel
constexpr int kManySweeps = 40;      // number of sweeps above which the next panel grows slowly
constexpr double kConverged = 1e-3;  // change that ends the sweeps, in units of the tolerance
constexpr double kLoosest = 1e-9;    // largest change that ends the sweeps: units do not follow values down to zero
// Relative change to which an implicit network side iterates in the first sweep.
constexpr double kInnerTolerance = 1e-2;
constexpr double kRounding = 1e-12;  // relative change below which further sweeps are useless
constexpr double kNoise = 1e-15;     // rounding error of a variance, in units of the variance at the start
constexpr double kSmallUnit = 1e-5;  // smallest unit of a variance, relative to the variance at the start
constexpr double kUseless = 1e8;     // change after which further sweeps are useless

// A march gives up after kPatientNodes nodes if it needs more than kMostNodes nodes for the rest.
constexpr int kPatientNodes = 2000;
constexpr double kMostNodes = 2e4;

// A panel is accepted as it is if shrinking it more than kPatientShrinks times in a row did not reduce its error to the
// fraction kImproved each time.
constexpr int kPatientShrinks = 3;
constexpr double kImproved = 0.8;

// Ratios of the length of a panel to the length of the panel before, or of the rejected panel.
constexpr double kSafety = 0.9;      // fraction of the length that would just meet the tolerance
constexpr double kGrow = 2.5;        // largest growth
constexpr double kGrowSlowly = 1.4;  // largest growth after many sweeps
constexpr double kShrink = 0.2;      // smallest ratio to a panel that was rejected for its error
constexpr double kLeastGrow = 1.15;  // smallest limit of growth while sweeps converge
constexpr double kRecover = 1.05;    // factor by which the limit of growth rises with every accepted panel
constexpr double kHalf = 0.7;        // ratio to a panel whose sweeps did not converge
constexpr double kSmallest = 1e-13;  // smallest length, relative to the time reached

// Errors allowed for forward correlations: kForward times the tolerance, or kForwardFloor times the tolerance and the
// value at the start.
constexpr double kForward = 30.0;
constexpr double kForwardFloor = 1e-2;

/// The largest difference; infinite if an entry is not finite.
double distance(const std::vector<double>& x, const std::vector<double>& y) {
  double largest = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(x[i] - y[i]));
    sum += x[i] - y[i];
  }
  return std::isfinite(sum) ? largest : std::numeric_limits<double>::infinity();
}

class PanelMarch {
 public:
  PanelMarch(PanelGrid& grid, TimeGrid& rows, NetworkSide& network, DataSide& data, const MarchOptions& options,
             const Tolerance& tolerance, Solution& solution)
      : grid_(grid), context_(rows, network, data, options, solution), recorder_(context_), tolerance_(tolerance) {}

  void watch(EdgeWatch* edge) { edge_ = edge; }

  Marched run(double length);
  void run_again(const Solution& on);

 private:
  [[nodiscard]] bool converge();
  [[nodiscard]] bool converge_exact();
  /// Whether causality makes the first of `rows` rows exact in one sweep, where every step is a node.
  [[nodiscard]] bool exact_rows(int rows) const {
    return context_.network.exact_first_row(rows) && context_.data.exact_first_row();
  }
  [[nodiscard]] bool converge_rows();
  [[nodiscard]] bool converge_row(const PanelTime& row);
  [[nodiscard]] bool converge_iterated();
  [[nodiscard]] double error() const;
  void guess();
  [[nodiscard]] int outputs() const { return context_.options.outputs; }
  /// The rows of nodes: one for each output that shares modes.
  [[nodiscard]] Panel rows(Panel nodes) const { return {nodes.begin * outputs(), nodes.end * outputs()}; }
  [[nodiscard]] PanelTime proposed() { return context_.grid.propose(rows(grid_.panel())); }
  [[nodiscard]] double next_length(double error) const;
  double shorter_length();
  [[nodiscard]] bool inherited(double error);
  [[nodiscard]] bool spurious();
  [[nodiscard]] bool accept(double error);
  void resume();
  [[noreturn]] void refuse(double error) const;
  void refuse_if_endless() const;
  void report() const;

  PanelGrid& grid_;
  MarchContext context_;
  Recorder recorder_;
  Tolerance tolerance_;
  Panel before_;  // the last committed panel
  double length_before_ = 0.0;
  double growth_ = kGrow;  // limit of growth with which sweeps converge
  int sweeps_ = 0;         // number of sweeps of the placed panel
  int unsound_ = 0;        // how many times in a row the panel violated the self-check
  int shrunk_ = 0;         // how many times in a row shrinking the panel did not reduce its error
  double last_error_ = std::numeric_limits<double>::infinity();  // error before it shrank
  EdgeWatch* edge_ = nullptr;                                    // looks for instabilities, if given
};

void PanelMarch::guess() {
  const double memory = grid_.memory();  // responses do not accumulate over longer times
  const double length_ratio =
      length_before_ > 0.0 ? std::min(grid_.length(), memory) / std::min(length_before_, memory) : 1.0;
  context_.guess({rows(grid_.panel()), rows(before_), length_ratio, outputs()});
}

bool PanelMarch::converge() {
  sweeps_ = 0;
  if (grid_.exact() && !exact_rows(rows(grid_.panel()).size())) return converge_rows();
  context_.map.set(rows(grid_.panel()));
  guess();
  return grid_.exact() ? converge_exact() : converge_iterated();
}

// Solves a panel of steps row by row, where a side is implicit. (Its rows together may converge to another solution of
// the equations in depth.) Each row has its own guess: that of a panel has entries above the diagonal, which later rows
// would read.
bool PanelMarch::converge_rows() {
  const PanelTime all = proposed();
  for (int t = all.panel.begin; t < all.panel.end; t += outputs()) {
    const Panel row{t, t + outputs()};
    context_.map.set(row);
    context_.guess({row, {}, 1.0, outputs()});
    const linalg::ConstView K = all.K.block(t - all.panel.begin, 0, outputs(), row.end);
    if (!converge_row({row, K, all.decay, nullptr, outputs()})) return false;
  }
  return true;
}

bool PanelMarch::converge_row(const PanelTime& row) {
  double before = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kMostSweeps; ++i) {
    context_.sweep(row);
    ++sweeps_;
    double change = 0.0;
    for (int c = 0; c < outputs(); ++c) change = std::max(change, context_.changes[c]);
    if (!std::isfinite(change)) return false;
    if (change < kRounding || (change < kLoosest && change >= before)) return true;
    before = change;
  }
  return false;
}

// Sweeps a panel of steps, of which every sweep makes one more row exact.
bool PanelMarch::converge_exact() {
  const int steps = grid_.panel().size();
  const double limit = steps == 1 ? std::numeric_limits<double>::infinity() : kUseless;
  for (sweeps_ = 1; sweeps_ <= steps; ++sweeps_) {
    context_.sweep(proposed());
    double change = 0.0;
    for (int i = 0; i < steps * outputs(); ++i) {
      // Functions of pairs of networks may be zero at first; relative to zero, every change is large.
      if (!context_.options.responses_final && !(context_.changes[i] < limit)) return false;
      change = std::max(change, context_.changes[i]);
    }
    if (change < kRounding) break;
  }
  return true;
}

bool PanelMarch::converge_iterated() {
  std::vector<Carried> functions = context_.data.carried();
  for (const Carried& f : context_.network.carried()) functions.push_back(f);
  if (context_.options.responses_final) std::erase_if(functions, [](const Carried& f) { return !f.symmetric; });
  PanelState state(std::move(functions), rows(grid_.panel()), outputs());
  linalg::Anderson accelerated(kMemory);
  std::vector<double> x, g;
  const double wanted = std::clamp(kConverged * tolerance_.relative, kRounding, kLoosest);
  const double floor = std::max(kSmallUnit, kNoise / wanted);
  // Correlations that are zero at the start are often differences of terms of order 1.
  const double least_variance = kForwardFloor * tolerance_.absolute / wanted;
  if (before_.size() > 0) context_.update_data(proposed());
  for (sweeps_ = 1; sweeps_ <= kMostSweeps; ++sweeps_) {
    state.read(x);
    context_.sweep(proposed(), sweeps_ == 1 ? kInnerTolerance : 0.0);
    state.read(g);
    const double change = distance(x, g);
    const bool outgrown = sweeps_ > 1 && !(change < kUseless) && state.outgrown();
    if (!(change < kUseless) && sweeps_ > 1 && !outgrown) return false;
    if (outgrown) accelerated = linalg::Anderson(kMemory);
    if (sweeps_ == 1 || outgrown) {
      state.rescale(floor, least_variance);  // the accelerator needs constant units
      continue;
    }
    if (change < wanted) return true;
    state.write(accelerated.next(x, g));
  }
  return false;
}

double PanelMarch::error() const {
  Tolerance forward = tolerance_;
  forward.relative *= kForward;
  forward.absolute = std::max(forward.absolute, kForwardFloor * tolerance_.relative);
  double worst = 0.0;
  std::vector<Watched> functions = context_.data.watched();
  for (const Watched& f : context_.network.watched()) functions.push_back(f);
  for (const Watched& f : functions) {
    const double error = panel_error(*f.C, grid_, f.forward ? forward : tolerance_, outputs());
    if (!(error <= worst)) worst = error;
  }
  return std::isfinite(worst) ? worst : std::numeric_limits<double>::infinity();
}

/// The length at which the error would meet the tolerance, if it is proportional to the length to the power of the
/// order.
double PanelMarch::next_length(double error) const {
  const double order = grid_.panel().size();
  const double factor = kSafety * std::pow(std::max(error, 1e-30), -1.0 / order);
  const double most = sweeps_ > kManySweeps ? std::min(growth_, kGrowSlowly) : growth_;
  return std::max(grid_.exact_length(), grid_.length() * std::clamp(factor, kShrink, most));
}

/// The length to try after sweeps that did not converge. A panel much longer than the one before has a bad first guess.
double PanelMarch::shorter_length() {
  const double ratio = length_before_ > 0.0 ? grid_.length() / length_before_ : 0.0;
  if (ratio < kLeastGrow) return kHalf * grid_.length();
  growth_ = std::max(kLeastGrow, std::sqrt(std::min(ratio, kGrow)));
  return std::min(0.95 * grid_.length(), growth_ * length_before_);
}

void PanelMarch::refuse(double error) const {
  std::ostringstream message;
  message << "the panel of time that begins at " << grid_.begin() << " was not solved at its smallest length ("
          << grid_.length() << "): after " << sweeps_ << " sweeps its error was " << error
          << " times the tolerance; use a larger rtol or atol";
  throw NotConverged(message.str());
}

void PanelMarch::report() const {
  const double done = std::log1p(grid_.begin()) / std::log1p(grid_.end());
  if (!context_.options.progress || context_.options.progress(static_cast<int>(kProgress * done), kProgress)) return;
  std::ostringstream message;
  message << "solve was interrupted at time " << grid_.begin() << " of " << grid_.end();
  throw Interrupted(message.str());
}

/// Prepares a march that continues after the panels that the grid already has.
void PanelMarch::resume() {
  const std::vector<int>& edges = grid_.edges();
  before_ = {edges[edges.size() - 2], edges.back()};
  grid_.write_panels(context_.map, !exact_rows(2), outputs());
  length_before_ = grid_.length();
}

/// Throws NotConverged if panels stay so short that the rest would take too many nodes.
void PanelMarch::refuse_if_endless() const {
  const int nodes = grid_.panel().end;
  const double rest = (grid_.end() - grid_.begin()) / grid_.length() * grid_.panel().size();
  if (nodes < kPatientNodes || rest < kMostNodes) return;
  std::ostringstream message;
  message << "time " << grid_.begin() << " took " << nodes << " nodes, and panels are still only " << grid_.length()
          << " long: about " << rest << " more would be needed up to " << grid_.end()
          << ". The solution oscillates or relaxes for that long; solve for a shorter time, lower optimizer.lr, or "
             "raise rtol";
  throw NotConverged(message.str());
}

/// Whether a panel's error comes from the end of the panel before, so that shrinking the panel does not reduce it. (On
/// grids of steps, oscillations have the same effect; there the steps are resolved one by one.)
bool PanelMarch::inherited(double error) {
  const bool improved = error < kImproved * last_error_;
  shrunk_ = improved ? 0 : shrunk_ + 1;
  last_error_ = error;
  return grid_.exact_length() == 0.0 && std::isfinite(error) && shrunk_ > kPatientShrinks;
}

/// Whether the sweeps converged to a solution of the panel's equations that is not the one which continues the history.
/// A shorter panel has fewer of them. Panels of flow that are not sound after some attempts are left to the self-check.
bool PanelMarch::spurious() {
  if (context_.options.responses_final || grid_.exact() || recorder_.sound(rows(grid_.panel()))) return false;
  return grid_.exact_length() > 0.0 || ++unsound_ <= kPatientShrinks;
}

/// Makes the panel a part of the history; false if the run has diverged in it.
bool PanelMarch::accept(double error) {
  SolveStats& stats = context_.solution.stats;
  const Panel panel = grid_.panel();
  grid_.commit(panel);
  ++stats.panels;
  if (!grid_.exact()) stats.error_estimate = std::max(stats.error_estimate, error * tolerance_.relative);
  before_ = panel;
  growth_ = std::min(kGrow, kRecover * growth_);
  length_before_ = grid_.length();
  shrunk_ = 0;
  unsound_ = 0;
  last_error_ = std::numeric_limits<double>::infinity();
  if (!recorder_.record(rows(panel), grid_.exact())) return false;
  if (edge_ != nullptr) edge_->look(grid_, context_);
  report();
  if (grid_.length() > 0.0) refuse_if_endless();
  return true;
}

Marched PanelMarch::run(double length) {
  const double first = length;
  if (context_.options.from > 0) {
    resume();
    length = std::max(length_before_, grid_.exact_length());
  }
  while (!grid_.finished() && grid_.room()) {
    if (grid_.begin() >= context_.options.steps_from) length = std::min(length, grid_.exact_length());
    grid_.place(length);
    const bool converged = converge();
    const double error = converged ? this->error() : std::numeric_limits<double>::infinity();
    const bool good = converged && (error <= 1.0 || grid_.exact() || inherited(error));
    if (good && !spurious()) {
      if (grid_.length() > 0.0) length = next_length(std::min(error, grid_.exact() ? error : 1.0));
      if (!accept(error)) break;
      continue;
    }
    ++context_.solution.stats.rejected_panels;
    if (grid_.exact() && grid_.panel().size() == 1) {
      context_.solution.diverged_at = static_cast<int>(grid_.time(grid_.panel().begin));
      break;
    }
    if (grid_.length() < kSmallest * std::max(grid_.begin(), first)) refuse(error);
    length = converged && !good ? next_length(error) : shorter_length();
  }
  return recorder_.finish();
}

void PanelMarch::run_again(const Solution& on) {
  for (std::size_t k = 0; k + 1 < on.panels.size(); ++k) {
    grid_.place({on.time.begin() + on.panels[k], on.time.begin() + on.panels[k + 1]});
    if (!converge()) refuse(std::numeric_limits<double>::infinity());
    grid_.commit(grid_.panel());
    before_ = grid_.panel();
    length_before_ = grid_.length();
    recorder_.record(rows(before_), false);
    report();
  }
  recorder_.finish();
}

}  // namespace

void march_panels_again(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                        const Tolerance& tolerance, const Solution& on, Solution& solution) {
  OutputRows rows(grid, options.outputs, options.largest_panel);
  PanelMarch(grid, options.outputs == 1 ? static_cast<TimeGrid&>(grid) : rows, network, data, options, tolerance,
             solution)
      .run_again(on);
}

Marched march_panels(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                     const Tolerance& tolerance, double rate, Solution& solution, EdgeWatch* edge) {
  OutputRows rows(grid, options.outputs, options.largest_panel);
  PanelMarch march(grid, options.outputs == 1 ? static_cast<TimeGrid&>(grid) : rows, network, data, options, tolerance,
                   solution);
  march.watch(edge);
  return march.run(grid.first_length(rate));
}

}  // namespace lindmft::theory
