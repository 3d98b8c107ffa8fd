// Checks of a problem, its options and a start, before the theory is solved up to a time.
#include <algorithm>
#include <cmath>
#include <string>

#include "support/average.hpp"
#include "support/refusals.hpp"
#include "theory/coarse_grid.hpp"
#include "theory/core/saved.hpp"
#include "theory/core/state.hpp"
#include "theory/data/mode_lanes.hpp"
#include "theory/march/condensation.hpp"
#include "theory/outputs.hpp"
#include "theory/solve_one.hpp"

namespace lindmft::theory {
namespace {

constexpr int kMostCoarseOutputs = mode_lanes::kDenseRows / kMostOrder;
constexpr int kRoom = 1000;  // nodes of a coarse grid to begin with; pages are touched only where they are used

constexpr int kMostCondensedOutputs = mode_lanes::kDenseRows / kMostSegmentNodes;
constexpr int kMostCondensed = 1200;  // most nodes of a condensed past of one output

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

/// Refuse what a second target does not have.
void check_second_target(const Problem& problem, const SolveOptions& options, const char* coarse) {
  if (!has_second_target(problem.data)) return;
  const auto refuse_together = [](const std::string& what, const std::string& why, const std::string& instead) {
    throw BadInput::conflict("data.switch_at", what, why, instead);
  };
  if (coarse != nullptr) refuse_together(coarse, "curves are not smooth where the target changes", "Use exact steps");
  const std::string leave = "Leave one of them out";
  if (options.kernels) refuse_together("kernels", "the direction of the target changes", leave);
  if (!options.average.empty()) refuse_together("average", "an average may be over weights of both stages", leave);
  if (!options.spectrum_at.empty()) refuse_together("spectrum_at", "the direction of the target changes", leave);
}

/// Refuse what coarse grids cannot do.
void check_coarse(const Problem& problem, const SolveOptions& options, const std::string& call) {
  const DataMode mode = problem.data.mode;
  if (noisy(problem.data) && mode == DataMode::epochs) {
    throw BadInput::conflict("data.kind 'epochs'", call, "the steps of an epoch differ from each other",
                             "Use exact steps, or data.kind 'multi_pass' or 'full_batch'");
  }
  if (noisy(problem.data)) {
    throw BadInput::conflict(mode == DataMode::one_pass ? "data.kind 'one_pass'" : "data.kind 'multi_pass'", call,
                             "the noise is new in every step, so that curves are not smooth in time",
                             "Use solve with exact or adaptive steps, or data.kind 'full_batch' or 'population'");
  }
  if (!options.average.empty()) {
    throw BadInput::conflict("average", call, "an average is over the weights of every step",
                             "Use exact steps, or leave average out");
  }
  if (options.kernels) throw BadInput::conflict("kernels", call, "they are about single steps", "Use exact steps");
}

/// Most nodes of a condensed past. Where outputs share modes, functions have as many more rows and columns.
int most_condensed(const Data& data) { return kMostCondensed / (share_modes(data) ? std::min(outputs(data), 3) : 1); }

/// Refuse what needs functions at all pairs of times, of which a condensed past keeps sums.
void check_condensed(const Problem& problem, const SolveOptions& options) {
  require(!share_modes(problem.data) || outputs(problem.data) <= kMostCondensedOutputs, "data.spectrum.targets",
          "targets of at most " + std::to_string(kMostCondensedOutputs) + " outputs on adaptive grids",
          outputs(problem.data));
  const char* asked = options.kernels                ? "kernels"
                      : options.replicas             ? "replicas"
                      : !options.save.empty()        ? "save"
                      : !options.spectrum_at.empty() ? "spectrum_at"
                      : !options.average.empty()     ? "average"
                                                     : nullptr;
  if (asked == nullptr) return;
  throw BadInput::conflict(asked, "adaptive steps with random batches",
                           "the past is condensed there to what later steps need", "Use exact steps, or leave it out");
}

/// Refuse times of spectra that the solution does not have; end: the last one.
void check_spectrum(const SolveOptions& options, bool steps, double end) {
  for (const double time : options.spectrum_at) {
    const std::string allowed = std::string(steps ? "whole numbers" : "times") + " from 0 to " + support::text(end);
    require(time >= 0.0 && time <= end && (!steps || time == std::floor(time)), "spectrum_at", allowed, time);
  }
}

/// The state of a solution, or of the first of its channels.
const auto& first_state(const Solution& solution) {
  return solution.channels.empty() ? solution.state : solution.channels.front().state;
}

bool has_condensed_past(const Solution& solution) {
  return std::ranges::any_of(first_state(solution), [](const auto& kept) { return kept.first == kCondensedState; });
}

/// Refuse a start that cannot be continued; kind: of the grid; end: of time, in its units.
void check_continuation(const Problem& problem, const SolveOptions& options, Horizon::Kind kind, double end) {
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
  if (from->time.empty() || from->panels.empty() == Horizon{kind, end, 0}.coarse() ||
      (!first_state(*from).empty() && has_condensed_past(*from) != (kind == Horizon::Kind::condensed_steps)))
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
  check_second_target(problem, options, options.grid == Grid::exact ? nullptr : "grid 'adaptive'");
  check_depth_nodes(problem, options.depth_nodes);
  check_spectrum(options, true, steps - 1.0);
  if (options.grid == Grid::exact && options.beyond_edge != BeyondEdge::branch)
    throw BadInput::conflict("beyond_edge", "grid 'exact'", "it is about coarse grids", "Use grid 'adaptive'");
  Horizon horizon{Horizon::Kind::exact_steps, 1.0 * steps, steps};
  if (options.grid != Grid::exact && condensable(problem.data)) {
    check_condensed(problem, options);
    horizon = {Horizon::Kind::condensed_steps, 1.0 * steps, std::min(most_condensed(problem.data), steps)};
  } else if (options.grid != Grid::exact) {
    check_coarse(problem, options, "grid 'adaptive'");
    horizon = {Horizon::Kind::adaptive_steps, 1.0 * steps, std::min(kRoom, steps + kMostOrder)};
  }
  check_continuation(problem, options, horizon.kind, steps - 1.0);
  return horizon;
}

Horizon flow_horizon(const Problem& problem, double time, const SolveOptions& options) {
  require(time > 0.0 && std::isfinite(time), "time", "positive and finite", time);
  validate(problem);
  support::check_options(options, kFlow, "flow");
  static_cast<void>(Saved(options.save));
  check_outputs(problem, options, true);
  check_second_target(problem, options, "gradient flow");
  check_depth_nodes(problem, options.depth_nodes);
  check_coarse(problem, options, "gradient flow");
  for (const double momentum : problem.optimizer.momentum) {
    require(momentum == 0.0, "optimizer.momentum",
            "0 for gradient flow (in the limit of small learning rates it only divides time by 1 - momentum)",
            momentum);
  }
  check_continuation(problem, options, Horizon::Kind::gradient_flow, time);
  check_spectrum(options, false, time);
  return {Horizon::Kind::gradient_flow, time, kRoom};
}

}  // namespace lindmft::theory
