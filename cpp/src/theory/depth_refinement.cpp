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

constexpr int kSureDepthNodes = 48;  // number of nodes with which a divergence must be confirmed
// A network of finite depth shows whether a run diverges at once.
constexpr int kFiniteDepth = 16;      // its depth
constexpr double kFiniteSteps = 200;  // number of steps for which it is solved
constexpr int kFiniteDelay = 3;       // number of steps by which it may diverge later than at infinite depth

[[noreturn]] void refuse_depth(const Problem& problem) {
  std::ostringstream message;
  message << "the profiles over depth are not resolved by " << kMostDepthNodes
          << " nodes; lower optimizer.lr or network.branch (now " << problem.network.branch
          << "), or use a finite depth";
  throw NotConverged(message.str());
}

/// Solves the steps around a divergence that was found with few nodes again with many nodes, because solutions with too
/// few nodes diverge too early. Returns nothing if there is no divergence with many nodes.
std::optional<Solution> confirm_divergence(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                           int step) {
  const Horizon around = shorter(horizon, 2 * step + 8);
  std::optional<Solution> solution = solve_at(problem, around, options, kSureDepthNodes);
  if (solution && !solution->diverged_at && around.end < horizon.end) return std::nullopt;
  return solution;
}

/// Solves at infinite depth with more and more nodes in depth.
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

// Profiles grow like exp(beta0^2 tau); the number of nodes is chosen for this growth.
int first_depth_nodes(const Problem& problem) {
  const std::vector<double>& scale = problem.network.init_scale;
  const double growth = std::pow(problem.network.branch * scale[scale.size() == 1 ? 0 : 1], 2);
  return std::min(kMostDepthNodes, 6 + static_cast<int>(1.5 * std::clamp(growth - 0.5, 0.0, 100.0)));
}

Solution refine_depth(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  try {
    return resolve(problem, horizon, options);
  } catch (const NotConverged&) {
    if (horizon.kind == Horizon::Kind::gradient_flow) throw;
    Problem finite = problem;
    finite.network.depth = kFiniteDepth;
    for (std::vector<double>* arrays : {&finite.optimizer.layer_lr, &finite.network.init_scale}) {
      if (arrays->size() < 2) continue;
      const double branches = (*arrays)[1];
      arrays->insert(arrays->begin() + 1, kFiniteDepth - 2, branches);
    }
    SolveOptions losses;
    losses.threads = options.threads;
    losses.memory_limit = options.memory_limit;
    const std::optional<int> at =
        solve_at(finite, exact_steps(std::min(horizon.end, kFiniteSteps)), losses, 0)->diverged_at;
    // Both must diverge at nearly the same step: a run that is only hard to resolve remains an error.
    for (int valid = at.value_or(0); valid > std::max(0, at.value_or(0) - kFiniteDelay); --valid) {
      try {
        Solution solution = resolve(problem, shorter(horizon, valid), options);
        if (!solution.diverged_at) solution.diverged_at = valid;
        pad(solution, horizon, options);
        return solution;
      } catch (const NotConverged&) {
        continue;  // try with one step less
      }
    }
    throw;
  }
}

}  // namespace lindmft::theory
