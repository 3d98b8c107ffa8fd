// Checks of a problem, its options and a start, before the theory is solved up to a time.
#include <cmath>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "theory/network/depth_grid.hpp"
#include "theory/solve_one.hpp"

namespace lindmft::theory {
namespace {

constexpr int kRoom = 1000;  // nodes of a coarse grid to begin with; pages are touched only where they are used

void check_depth_nodes(const Problem& problem, int nodes) {
  if (nodes == 0) return;
  if (problem.network.depth != kInfiniteDepth)
    throw std::invalid_argument("depth_nodes must be left out at finite depth, got " + std::to_string(nodes));
  if (nodes < 2 || nodes > kMostDepthNodes) {
    throw std::invalid_argument("depth_nodes must be between 2 and " + std::to_string(kMostDepthNodes) + ", got " +
                                std::to_string(nodes));
  }
}

void require(bool good, const std::string& field, const std::string& allowed, double value) {
  if (good) return;
  std::ostringstream message;
  message << field << " must be " << allowed << ", got " << value;
  throw std::invalid_argument(message.str());
}

/// Targets with random signs overlap in a few leading modes, so that features which one output learns serve the others;
/// channels are independent only where very many modes share the targets, or features do not move.
void check_outputs(const Problem& problem) {
  const Data& data = problem.data;
  if (!data.spectrum.trace_class || data.targets.size() == 1 || problem.network.gamma0 == 0.0) return;
  throw std::invalid_argument(
      "data.targets must be a single target with a trace-class spectrum (several outputs share its leading modes, and "
      "the theory takes outputs as independent: train instead, or solve the lazy limit), got " +
      std::to_string(data.targets.size()) + " of them");
}

/// Refuse what coarse grids cannot do.
void check_coarse(const Problem& problem, const SolveOptions& options, const std::string& call) {
  require(options.rtol >= 1e-11 && options.rtol <= 0.1, "rtol", "between 1e-11 and 0.1", options.rtol);
  require(options.atol >= 1e-12 && options.atol <= 0.1, "atol", "between 1e-12 (rounding) and 0.1", options.atol);
  const DataMode mode = problem.data.mode;
  const bool noisy = mode == DataMode::one_pass ? !std::isinf(problem.data.alpha)
                                                : mode == DataMode::multi_pass && problem.data.batch_fraction < 1.0;
  if (noisy) {
    throw std::invalid_argument(call + " needs data.kind 'full_batch' or 'population', got '" +
                                (mode == DataMode::one_pass ? "one_pass" : "multi_pass") +
                                "': fresh noise in every step is no smooth function of time; use exact steps");
  }
  if (options.kernels) {
    throw std::invalid_argument("kernels must be left out for " + call +
                                ": they look at single steps; use exact steps");
  }
}

/// Refuse a start that cannot be continued; end: of time, in its units.
void check_continuation(const Problem& problem, const SolveOptions& options, bool coarse, double end) {
  const Solution* from = options.continue_from;
  if (from == nullptr) return;
  const auto refuse = [](const std::string& why) { throw std::invalid_argument("continue_from must be " + why); };
  if (options.replicas || options.kernels) refuse("left out with replicas and kernels, which go over all times");
  if (from->diverged_at) refuse("a solution that has not diverged");
  if (from->time.empty() || from->panels.empty() == coarse) refuse("a solution on the same kind of grid");
  const std::set<double> norms(problem.data.targets.begin(), problem.data.targets.end());
  const bool several = problem.data.targets.size() > 1;
  if (several ? from->channels.size() != norms.size() : from->state.empty())
    refuse("a solution of the same problem that kept its state (keep_state)");
  if (!(from->time.back() < end)) {
    std::ostringstream message;
    message << "a solution that ends earlier: it has time " << from->time.back() << ", asked for is " << end;
    refuse(message.str());
  }
}

}  // namespace

Horizon steps_horizon(const Problem& problem, int steps, const SolveOptions& options) {
  if (steps < 1) throw std::invalid_argument("steps must be at least 1, got " + std::to_string(steps));
  validate(problem, steps);
  check_outputs(problem);
  check_depth_nodes(problem, options.depth_nodes);
  check_continuation(problem, options, options.grid != Grid::exact, steps - 1.0);
  if (options.grid == Grid::exact) return {Horizon::Kind::exact_steps, 1.0 * steps, steps};
  check_coarse(problem, options, "grid 'adaptive'");
  return {Horizon::Kind::adaptive_steps, 1.0 * steps, kRoom};
}

Horizon flow_horizon(const Problem& problem, double time, const SolveOptions& options) {
  require(time > 0.0 && std::isfinite(time), "time", "positive and finite", time);
  validate(problem);
  check_outputs(problem);
  check_depth_nodes(problem, options.depth_nodes);
  check_coarse(problem, options, "gradient flow");
  require(problem.optimizer.momentum == 0.0, "optimizer.momentum",
          "0 for gradient flow (in the limit of small learning rates it only divides time by 1 - momentum)",
          problem.optimizer.momentum);
  check_continuation(problem, options, true, time);
  return {Horizon::Kind::gradient_flow, time, kRoom};
}

}  // namespace lindmft::theory
