#include "theory/channel.hpp"

#include <optional>
#include <string>
#include <utility>

#include "lindmft/errors.hpp"
#include "theory/attempt.hpp"
#include "theory/depth_refinement.hpp"

namespace lindmft::theory {
namespace {

int chosen_depth_nodes(const Problem& problem, const SolveOptions& options) {
  return options.depth_nodes == 0 ? first_depth_nodes(problem) : options.depth_nodes;
}

/// Continues a solution from where it ended, with its nodes in depth.
Solution resume(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const bool infinite_depth = problem.network.depth == kInfiniteDepth;
  const int depth_nodes = infinite_depth ? static_cast<int>(options.continue_from->depth.size()) : 0;
  std::optional<Solution> solution = solve_at(problem, horizon, options, depth_nodes);
  if (solution) return *std::move(solution);
  throw NotConverged("continue_from has too few nodes in depth (" + std::to_string(depth_nodes) +
                     ") for what comes after it; solve from the start");
}

}  // namespace

double channel_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  return attempt_bytes(problem, horizon, options, chosen_depth_nodes(problem, options));
}

double channel_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  return attempt_result_bytes(problem, horizon, options, chosen_depth_nodes(problem, options));
}

Solution solve_channel(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  if (options.continue_from != nullptr) return resume(problem, horizon, options);
  const bool fixed_depth_nodes = problem.network.depth != kInfiniteDepth || options.depth_nodes != 0;
  return fixed_depth_nodes ? *solve_at(problem, horizon, options, options.depth_nodes)
                           : refine_depth(problem, horizon, options);
}

}  // namespace lindmft::theory
