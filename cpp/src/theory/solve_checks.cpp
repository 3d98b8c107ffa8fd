// Checks of a problem, its options and a start, before the theory is solved up to a time.
#include <algorithm>
#include <cmath>
#include <string>

#include "support/average.hpp"
#include "support/refusals.hpp"
#include "theory/coarse_grid.hpp"
#include "theory/core/saved.hpp"
#include "theory/data/mode_lanes.hpp"
#include "theory/outputs.hpp"
#include "theory/solve_one.hpp"

namespace lindmft::theory {
namespace {

constexpr int kMostCoarseOutputs = mode_lanes::kDenseRows / kMostOrder;
constexpr int kRoom = 1000;  // nodes of a coarse grid to begin with; pages are touched only where they are used

using support::refuse;
using support::require;

void check_depth_nodes(const Problem& problem, int nodes) {
  if (nodes != 0 && problem.network.depth != kInfiniteDepth)
    throw BadInput::conflict("depth_nodes", "a finite depth", "every layer is solved there", "Leave depth_nodes out");
}

/// Norms of targets do not say how outputs share the leading modes of a trace-class spectrum, where features that one
/// output learns serve the others. It does not matter where features do not move.
void check_trace_class(const Problem& problem) {
  const Data& data = problem.data;
  if (!data.spectrum.trace_class || data.targets.size() == 1 || problem.network.gamma0 == 0.0) return;
  throw BadInput::conflict("data.targets", "a trace-class spectrum",
                           "norms of targets do not say how the outputs share its leading modes",
                           "Give the target vectors of all modes, data.spectrum.targets");
}

/// Refuse what outputs that share modes do not have yet.
void check_outputs(const Problem& problem, const SolveOptions& options, bool coarse) {
  check_trace_class(problem);
  if (!share_modes(problem.data)) return;
  const auto refuse_together = [](const std::string& what, const std::string& why, const std::string& instead) {
    throw BadInput::conflict(what, "outputs that share modes", why, instead);
  };
  if (coarse) {
    require(outputs(problem.data) <= kMostCoarseOutputs, "data.spectrum.targets",
            "targets of at most " + std::to_string(kMostCoarseOutputs) + " outputs on coarse grids",
            outputs(problem.data));
  }
  if (options.kernels) refuse_together("kernels", "the tangent kernel couples the outputs", "Leave it out");
  if (!options.save.empty()) refuse_together("save", "functions depend on pairs of outputs, too", "Leave it out");
  if (!options.spectrum_at.empty()) refuse_together("spectrum_at", "the Hessian couples the outputs", "Leave it out");
}

/// Refuse what shuffled epochs do not have.
void check_epochs(const Problem& problem, const SolveOptions& options) {
  if (problem.data.mode != DataMode::epochs || !noisy(problem.data) || options.spectrum_at.empty()) return;
  throw BadInput::conflict("spectrum_at", "data.kind 'epochs'",
                           "the samples of an epoch that were visited differ from the others", "Leave it out");
}

/// Refuse what coarse grids cannot do.
void check_coarse(const Problem& problem, const SolveOptions& options, const std::string& call) {
  const DataMode mode = problem.data.mode;
  if (noisy(problem.data)) {
    const std::string kind = mode == DataMode::one_pass ? "'one_pass'"
                             : mode == DataMode::epochs ? "'epochs'"
                                                        : "'multi_pass'";
    throw BadInput::conflict("data.kind " + kind, call,
                             "the noise is new in every step, so that curves are not smooth in time",
                             "Use exact steps, or data.kind 'full_batch' or 'population'");
  }
  if (!options.average.empty()) {
    throw BadInput::conflict("average", call, "an average is over the weights of every step",
                             "Use exact steps, or leave average out");
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
  if (options.replicas || options.kernels || options.modes || !options.average.empty()) {
    throw BadInput::conflict("continue_from",
                             options.replicas  ? "replicas"
                             : options.kernels ? "kernels"
                             : options.modes   ? "modes"
                                               : "average",
                             "such a computation goes over all times", "Leave one of them out");
  }
  if (from->diverged_at) refuse("continue_from", "a solution that has not diverged", "one that has");
  if (from->time.empty() || from->panels.empty() == coarse)
    refuse("continue_from", "a solution on the same kind of grid", "one on another grid");
  const bool several = channel_norms(problem.data).size() > 1;
  if (several ? from->channels.size() != distinct_targets(problem) : from->state.empty())
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
  support::check_average(options.average, steps);
  check_outputs(problem, options, options.grid != Grid::exact);
  check_epochs(problem, options);
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
  check_outputs(problem, options, true);
  check_depth_nodes(problem, options.depth_nodes);
  check_coarse(problem, options, "gradient flow");
  for (const double momentum : problem.optimizer.momentum) {
    require(momentum == 0.0, "optimizer.momentum",
            "0 for gradient flow (in the limit of small learning rates it only divides time by 1 - momentum)",
            momentum);
  }
  check_continuation(problem, options, true, time);
  check_spectrum(options, false, time);
  return {Horizon::Kind::gradient_flow, time, kRoom};
}

}  // namespace lindmft::theory
