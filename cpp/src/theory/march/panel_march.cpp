#include "theory/march/panel_march.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "linalg/anderson.hpp"
#include "lindmft/errors.hpp"
#include "theory/core/panel_state.hpp"

namespace lindmft::theory {
namespace {

constexpr int kMemory = 40;             // earlier sweeps that are combined
constexpr int kMostSweeps = 120;        // of a panel
constexpr int kManySweeps = 40;         // after which panels grow slowly
constexpr double kConverged = 1e-3;     // of the tolerance
constexpr int kPatientNodes = 2000;     // after which a march must get somewhere,
constexpr double kMostNodes = 2e4;      // with no more than so many to come
constexpr int kPatientShrinks = 3;      // of a panel whose error they do not mend,
constexpr double kMended = 0.8;         // that is, bring to this fraction
constexpr double kLoosest = 1e-9;       // since units do not follow what falls to zero all the way (kSmallUnit)
constexpr double kSettle = 1e-2;        // to which an implicit network side iterates in the first sweep
constexpr double kRounding = 1e-12;     // relative change below which nothing gets better
constexpr double kNoise = 1e-15;        // rounding of a variance, in units of the one at the start
constexpr double kSmallUnit = 1e-5;     // of it: what is smaller need not converge relative to itself
constexpr double kSafety = 0.9;         // of the length that would just meet the tolerance
constexpr double kGrow = 2.5;           // a panel may be so many times longer than the one before,
constexpr double kGrowSlowly = 1.4;     // where sweeps were many;
constexpr double kShrink = 0.2;         // it may be so much shorter than one that was rejected
constexpr double kLeastGrow = 1.15;     // so much at least while sweeps converge at all,
constexpr double kRecover = 1.05;       // and a little more each time
constexpr double kHalf = 0.7;           // where sweeps did not converge
constexpr double kWild = 1e8;           // a change that no sweep will mend
constexpr double kForward = 30.0;       // times the tolerance: what forward correlations may be off by,
constexpr double kForwardFloor = 1e-2;  // or so many times the tolerance and the value at the start
constexpr double kSmallest = 1e-13;     // of the time reached: panels cannot be shorter

/// Largest difference; infinite where anything is not finite.
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
  PanelMarch(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
             const Tolerance& tolerance, Solution& solution)
      : grid_(grid), at_(grid, network, data, options, solution), tolerance_(tolerance) {}

  Marched run(double length);
  void run_again(const Solution& on);

 private:
  [[nodiscard]] bool converge();
  [[nodiscard]] bool converge_exact();
  [[nodiscard]] bool converge_iterated();
  [[nodiscard]] double error() const;
  void guess();
  [[nodiscard]] double next_length(double error) const;
  double shorter_length();
  [[nodiscard]] bool inherited(double error);
  [[nodiscard]] bool accept(double error);
  void resume();
  [[noreturn]] void refuse(double error) const;
  void refuse_endless() const;
  void report() const;

  PanelGrid& grid_;
  Recorder at_;
  Tolerance tolerance_;
  Panel before_;  // the last committed panel
  double length_before_ = 0.0;
  double growth_ = kGrow;                                        // that sweeps were found to bear
  int sweeps_ = 0;                                               // of the placed panel
  int shrunk_ = 0;                                               // times that shrinking it did not mend its error,
  double last_error_ = std::numeric_limits<double>::infinity();  // which was this
};

void PanelMarch::guess() {
  const double memory = grid_.memory();  // what learning adds up to no longer grows with panels that outlast it
  const double stretch =
      length_before_ > 0.0 ? std::min(grid_.length(), memory) / std::min(length_before_, memory) : 1.0;
  const linalg::Guess guess{grid_.panel(), before_, stretch};
  at_.data.guess(guess, at_.options.responses_final);
  at_.network.guess(guess, at_.options.responses_final);
}

bool PanelMarch::converge() {
  at_.map.set(grid_.panel());
  guess();
  sweeps_ = 0;
  const bool exact = grid_.exact() && at_.network.exact_first_row(grid_.panel().size()) && at_.data.exact_first_row();
  return exact ? converge_exact() : converge_iterated();
}

// Every sweep makes one more row exact.
bool PanelMarch::converge_exact() {
  const int rows = grid_.panel().size();
  const double limit = rows == 1 ? std::numeric_limits<double>::infinity() : kWild;
  for (sweeps_ = 1; sweeps_ <= rows; ++sweeps_) {
    at_.sweep(grid_.propose(grid_.panel()));
    double change = 0.0;
    for (int i = 0; i < rows; ++i) {
      if (!(at_.changes[i] < limit)) return false;
      change = std::max(change, at_.changes[i]);
    }
    if (change < kRounding) break;
  }
  return true;
}

bool PanelMarch::converge_iterated() {
  std::vector<Carried> functions = at_.data.carried();
  for (const Carried& f : at_.network.carried()) functions.push_back(f);
  if (at_.options.responses_final) std::erase_if(functions, [](const Carried& f) { return !f.symmetric; });
  PanelState state(std::move(functions), grid_.panel());
  linalg::Anderson accelerated(kMemory);
  std::vector<double> x, g;
  const double wanted = std::clamp(kConverged * tolerance_.relative, kRounding, kLoosest);
  const double floor = std::max(kSmallUnit, kNoise / wanted);
  // Correlations that are zero at the start are often differences of terms of order 1.
  const double nothing = kForwardFloor * tolerance_.absolute / wanted;
  if (before_.size() > 0) at_.begin(grid_.propose(grid_.panel()));
  for (sweeps_ = 1; sweeps_ <= kMostSweeps; ++sweeps_) {
    state.read(x);
    at_.sweep(grid_.propose(grid_.panel()), sweeps_ == 1 ? kSettle : 0.0);
    state.read(g);
    const double change = distance(x, g);
    const bool outgrown = sweeps_ > 1 && !(change < kWild) && state.outgrown();
    if (!(change < kWild) && sweeps_ > 1 && !outgrown) return false;
    if (outgrown) accelerated = linalg::Anderson(kMemory);
    if (sweeps_ == 1 || outgrown) {
      state.rescale(floor, nothing);  // the accelerator needs units that stay
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
  std::vector<Watched> functions = at_.data.watched();
  for (const Watched& f : at_.network.watched()) functions.push_back(f);
  for (const Watched& f : functions) {
    const double error = panel_error(*f.C, grid_, f.forward ? forward : tolerance_);
    if (!(error <= worst)) worst = error;
  }
  return std::isfinite(worst) ? worst : std::numeric_limits<double>::infinity();
}

/// The length at which the error, which grows like its order-th power, would meet the tolerance.
double PanelMarch::next_length(double error) const {
  const double order = grid_.panel().size();
  const double factor = kSafety * std::pow(std::max(error, 1e-30), -1.0 / order);
  const double most = sweeps_ > kManySweeps ? std::min(growth_, kGrowSlowly) : growth_;
  return std::max(grid_.exact_length(), grid_.length() * std::clamp(factor, kShrink, most));
}

/// After sweeps that did not converge: panels that grow too fast have too bad a guess.
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
  if (!at_.options.progress || at_.options.progress(static_cast<int>(kProgress * done), kProgress)) return;
  std::ostringstream message;
  message << "solve was interrupted at time " << grid_.begin() << " of " << grid_.end();
  throw Interrupted(message.str());
}

/// Goes on behind panels that the grid has already.
void PanelMarch::resume() {
  const std::vector<int>& edges = grid_.edges();
  for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
    before_ = {edges[k], edges[k + 1]};
    at_.map.set(before_);
  }
  length_before_ = grid_.length();
}

/// Where panels stay so short that the rest would take more nodes than anybody has room for.
void PanelMarch::refuse_endless() const {
  const int nodes = grid_.panel().end;
  const double rest = (grid_.end() - grid_.begin()) / grid_.length() * grid_.panel().size();
  if (nodes < kPatientNodes || rest < kMostNodes) return;
  std::ostringstream message;
  message << "time " << grid_.begin() << " took " << nodes << " nodes, and panels are still only " << grid_.length()
          << " long: about " << rest << " more would be needed up to " << grid_.end()
          << ". Something oscillates or relaxes for that long; ask for less time, lower optimizer.lr, or raise rtol";
  throw NotConverged(message.str());
}

/// Whether a panel's error is that of where the panel before ended, which no length of its own mends. (Of steps,
/// oscillations look the same: those are resolved one by one.)
bool PanelMarch::inherited(double error) {
  const bool mended = error < kMended * last_error_;
  shrunk_ = mended ? 0 : shrunk_ + 1;
  last_error_ = error;
  return grid_.exact_length() == 0.0 && std::isfinite(error) && shrunk_ > kPatientShrinks;
}

/// The panel becomes history; false if the run has diverged there.
bool PanelMarch::accept(double error) {
  SolveStats& stats = at_.solution.stats;
  const Panel panel = grid_.panel();
  grid_.commit(panel);
  ++stats.panels;
  if (!grid_.exact()) stats.error_estimate = std::max(stats.error_estimate, error * tolerance_.relative);
  before_ = panel;
  growth_ = std::min(kGrow, kRecover * growth_);
  length_before_ = grid_.length();
  shrunk_ = 0;
  last_error_ = std::numeric_limits<double>::infinity();
  if (!at_.record(panel)) return false;
  report();
  if (grid_.length() > 0.0) refuse_endless();
  return true;
}

Marched PanelMarch::run(double length) {
  const double first = length;
  if (at_.options.from > 0) {
    resume();
    length = std::max(length_before_, grid_.exact_length());
  }
  while (!grid_.finished() && grid_.room()) {
    grid_.place(length);
    const bool converged = converge();
    const double error = converged ? this->error() : std::numeric_limits<double>::infinity();
    if (converged && (error <= 1.0 || grid_.exact() || inherited(error))) {
      if (grid_.length() > 0.0) length = next_length(std::min(error, grid_.exact() ? error : 1.0));
      if (!accept(error)) break;
      continue;
    }
    ++at_.solution.stats.rejected_panels;
    if (grid_.exact() && grid_.panel().size() == 1) {
      at_.solution.diverged_at = static_cast<int>(grid_.time(grid_.panel().begin));
      break;
    }
    if (grid_.length() < kSmallest * std::max(grid_.begin(), first)) refuse(error);
    length = converged ? next_length(error) : shorter_length();
  }
  return at_.finish();
}

void PanelMarch::run_again(const Solution& on) {
  for (std::size_t k = 0; k + 1 < on.panels.size(); ++k) {
    grid_.place({on.time.begin() + on.panels[k], on.time.begin() + on.panels[k + 1]});
    if (!converge()) refuse(std::numeric_limits<double>::infinity());
    grid_.commit(grid_.panel());
    before_ = grid_.panel();
    length_before_ = grid_.length();
    at_.record(before_);
    report();
  }
  at_.finish();
}

}  // namespace

void march_panels_again(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                        const Tolerance& tolerance, const Solution& on, Solution& solution) {
  PanelMarch(grid, network, data, options, tolerance, solution).run_again(on);
}

Marched march_panels(PanelGrid& grid, NetworkSide& network, DataSide& data, const MarchOptions& options,
                     const Tolerance& tolerance, double rate, Solution& solution) {
  return PanelMarch(grid, network, data, options, tolerance, solution).run(grid.first_length(rate));
}

}  // namespace lindmft::theory
