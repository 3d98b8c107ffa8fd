// Checks of a problem, its options and a start, before the theory is solved up to a time.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "support/refusals.hpp"
#include "theory/coarse_grid.hpp"
#include "theory/core/saved.hpp"
#include "theory/solve_one.hpp"

namespace lindmft::theory {
namespace {

constexpr int kRoom = 1000;  // nodes of a coarse grid to begin with; pages are touched only where they are used

using support::refuse;
using support::require;

void check_depth_nodes(const Problem& problem, int nodes) {
  if (nodes != 0 && problem.network.depth != kInfiniteDepth)
    throw BadInput::conflict("depth_nodes", "a finite depth", "every layer is solved there", "Leave depth_nodes out");
}

/// Targets with random signs overlap in a few leading modes, so that features which one output learns serve the others;
/// channels are independent only where very many modes share the targets, or features do not move.
void check_outputs(const Problem& problem) {
  const Data& data = problem.data;
  if (!data.spectrum.trace_class || data.targets.size() == 1 || problem.network.gamma0 == 0.0) return;
  refuse("data.targets",
         "a single target with a trace-class spectrum (several outputs share its leading modes, and the theory takes "
         "outputs as independent: train instead, or solve the lazy limit)",
         std::to_string(data.targets.size()) + " of them");
}

/// Refuse what coarse grids cannot do.
void check_coarse(const Problem& problem, const SolveOptions& options, const std::string& call) {
  const DataMode mode = problem.data.mode;
  const bool noisy = mode == DataMode::one_pass ? !std::isinf(problem.data.alpha)
                                                : mode == DataMode::multi_pass && problem.data.batch_fraction < 1.0;
  if (noisy) {
    const std::string kind = mode == DataMode::one_pass ? "'one_pass'" : "'multi_pass'";
    throw BadInput::conflict("data.kind " + kind, call,
                             "the noise is new in every step, so that curves are not smooth in time",
                             "Use exact steps, or data.kind 'full_batch' or 'population'");
  }
  if (options.kernels) throw BadInput::conflict("kernels", call, "they are about single steps", "Use exact steps");
}

/// Refuse times of spectra that the solution does not have; end: the last one.
void check_spectrum(const SolveOptions& options, bool steps, double end) {
  for (const double time : options.spectrum_at) {
    const std::string allowed = std::string(steps ? "whole numbers" : "times") + " from 0 to " + support::text(end);
    require(time >= 0.0 && time <= end && (!steps || time == std::floor(time)), "spectrum_at", allowed, time);
  }
}

/// Refuse a start that cannot be continued; end: of time, in its units.
void check_continuation(const Problem& problem, const SolveOptions& options, bool coarse, double end) {
  const Solution* from = options.continue_from;
  if (from == nullptr) return;
  if (options.replicas || options.kernels) {
    throw BadInput::conflict("continue_from", options.replicas ? "replicas" : "kernels",
                             "such a computation goes over all times", "Leave one of them out");
  }
  if (from->diverged_at) refuse("continue_from", "a solution that has not diverged", "one that has");
  if (from->time.empty() || from->panels.empty() == coarse)
    refuse("continue_from", "a solution on the same kind of grid", "one on another grid");
  const std::set<double> norms(problem.data.targets.begin(), problem.data.targets.end());
  const bool several = problem.data.targets.size() > 1;
  if (several ? from->channels.size() != norms.size() : from->state.empty())
    refuse("continue_from", "a solution of the same problem that kept its state (keep_state)", "one without");
  require(from->time.back() < end, "continue_from", "a solution that ends before time " + support::text(end),
          "one that ends at time " + support::text(from->time.back()));
}

}  // namespace

Horizon steps_horizon(const Problem& problem, int steps, const SolveOptions& options) {
  require(steps >= 1, "steps", "at least 1", steps);
  validate(problem, steps);
  support::check_options(options, kSolve, "solve");
  static_cast<void>(Saved(options.save));
  check_outputs(problem);
  check_depth_nodes(problem, options.depth_nodes);
  check_continuation(problem, options, options.grid != Grid::exact, steps - 1.0);
  check_spectrum(options, true, steps - 1.0);
  if (options.grid == Grid::exact && options.beyond_edge != BeyondEdge::branch)
    throw BadInput::conflict("beyond_edge", "grid 'exact'", "it is about coarse grids", "Use grid 'adaptive'");
  if (options.grid == Grid::exact) return {Horizon::Kind::exact_steps, 1.0 * steps, steps};
  check_coarse(problem, options, "grid 'adaptive'");
  return {Horizon::Kind::adaptive_steps, 1.0 * steps, std::min(kRoom, steps + kMostOrder)};
}

Horizon flow_horizon(const Problem& problem, double time, const SolveOptions& options) {
  require(time > 0.0 && std::isfinite(time), "time", "positive and finite", time);
  validate(problem);
  support::check_options(options, kFlow, "flow");
  static_cast<void>(Saved(options.save));
  check_outputs(problem);
  check_depth_nodes(problem, options.depth_nodes);
  check_coarse(problem, options, "gradient flow");
  require(problem.optimizer.momentum == 0.0, "optimizer.momentum",
          "0 for gradient flow (in the limit of small learning rates it only divides time by 1 - momentum)",
          problem.optimizer.momentum);
  check_continuation(problem, options, true, time);
  check_spectrum(options, false, time);
  return {Horizon::Kind::gradient_flow, time, kRoom};
}

}  // namespace lindmft::theory
