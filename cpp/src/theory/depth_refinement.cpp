#include "theory/depth_refinement.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "lindmft/errors.hpp"
#include "theory/attempt.hpp"
#include "theory/network/depth_grid.hpp"

namespace lindmft::theory {
namespace {

constexpr int kSureDepthNodes = 48;    // nodes that a divergence must be found with
constexpr int kStandInDepth = 16;      // a finite network that tells whether a run diverges at once,
constexpr double kStandInSteps = 200;  // how long it is followed,
constexpr int kStandInSlack = 3;       // and by how many steps it may diverge later

[[noreturn]] void refuse_depth(const Problem& problem) {
  std::ostringstream message;
  message << "the profiles over depth are not resolved by " << kMostDepthNodes
          << " nodes; lower optimizer.lr or network.branch (now " << problem.network.branch
          << "), or use a finite depth";
  throw NotConverged(message.str());
}

/// A divergence that few nodes found, looked at again with many, in the steps around it: too few diverge too early.
/// Nothing if many nodes do not find it.
std::optional<Solution> confirm_divergence(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                           int step) {
  const Horizon around = shorter(horizon, 2 * step + 8);
  std::optional<Solution> solution = solve_at(problem, around, options, kSureDepthNodes);
  if (solution && !solution->diverged_at && around.end < horizon.end) return std::nullopt;
  return solution;
}

/// Infinite depth, with as many nodes as it takes.
Solution resolve(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  int nodes = first_depth_nodes(problem);
  while (true) {
    int next = std::min(kMostDepthNodes, nodes + std::max(2, nodes / 4));
    try {
      std::optional<Solution> solution = solve_at(problem, horizon, options, nodes);
      if (solution && solution->diverged_at && nodes < kSureDepthNodes) {
        next = kSureDepthNodes;
        solution = confirm_divergence(problem, horizon, options, *solution->diverged_at);
      }
      if (solution) {
        pad(*solution, horizon, options);
        return *std::move(solution);
      }
    } catch (const NotConverged&) {
      if (nodes == kMostDepthNodes) throw;
    }
    if (nodes == kMostDepthNodes) refuse_depth(problem);
    nodes = next;
  }
}

}  // namespace

// Profiles grow like exp(beta0^2 tau): enough nodes for that.
int first_depth_nodes(const Problem& problem) {
  const double growth = std::pow(problem.network.branch * problem.network.init_scale, 2);
  return std::min(kMostDepthNodes, 6 + static_cast<int>(1.5 * std::clamp(growth - 0.5, 0.0, 100.0)));
}

Solution refine_depth(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  try {
    return resolve(problem, horizon, options);
  } catch (const NotConverged&) {
    if (horizon.kind == Horizon::Kind::gradient_flow) throw;
    Problem finite = problem;
    finite.network.depth = kStandInDepth;
    if (!finite.optimizer.layer_lr.empty()) {
      const std::vector<double> lr = problem.optimizer.layer_lr;
      finite.optimizer.layer_lr.assign(kStandInDepth + 1, lr[1]);
      finite.optimizer.layer_lr.front() = lr.front();
      finite.optimizer.layer_lr.back() = lr.back();
    }
    SolveOptions losses;
    losses.threads = options.threads;
    losses.memory_limit = options.memory_limit;
    const std::optional<int> at =
        solve_at(finite, exact_steps(std::min(horizon.end, kStandInSteps)), losses, 0)->diverged_at;
    // Only if it does so where resolving ends: a run that merely is hard stays an error.
    for (int valid = at.value_or(0); valid > std::max(0, at.value_or(0) - kStandInSlack); --valid) {
      try {
        Solution solution = resolve(problem, shorter(horizon, valid), options);
        if (!solution.diverged_at) solution.diverged_at = valid;
        pad(solution, horizon, options);
        return solution;
      } catch (const NotConverged&) {
        continue;  // one step less
      }
    }
    throw;
  }
}

}  // namespace lindmft::theory
