#include "theory/channel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "lindmft/errors.hpp"
#include "support/memory.hpp"
#include "support/threads.hpp"
#include "theory/depth_grid.hpp"
#include "theory/kernels.hpp"
#include "theory/march.hpp"
#include "theory/network_side.hpp"
#include "theory/replicas.hpp"
#include "theory/spectral_data.hpp"
#include "time_grid/exact_steps.hpp"

namespace lindmft::theory {
namespace {

constexpr double kDepthTolerance = 1e-6;  // last coefficient of the profiles; losses are right to about its square
constexpr int kSureDepthNodes = 48;       // nodes that a divergence must be found with
constexpr int kStandInDepth = 16;         // a finite network that tells whether a run diverges at once,
constexpr int kStandInSteps = 200;        // how long it is followed,
constexpr int kStandInSlack = 3;          // and by how many steps it may diverge later
constexpr int kLargestPanel = 8;          // rows of the sliding window; beyond, sweeps spend more than they save

/// Profiles grow like exp(beta0^2 tau): enough nodes for that.
int first_depth_nodes(const Problem& problem) {
  const double growth = std::pow(problem.network.branch * problem.network.init_scale, 2);
  return std::min(kMostDepthNodes, 6 + static_cast<int>(1.5 * std::clamp(growth - 0.5, 0.0, 100.0)));
}

[[noreturn]] void refuse_depth(const Problem& problem) {
  std::ostringstream message;
  message << "the profiles over depth are not resolved by " << kMostDepthNodes
          << " nodes; lower optimizer.lr or network.branch (now " << problem.network.branch
          << "), or use a finite depth";
  throw NotConverged(message.str());
}

int chosen_depth_nodes(const Problem& problem, const SolveOptions& options) {
  return options.depth_nodes == 0 ? first_depth_nodes(problem) : options.depth_nodes;
}

double layers(const Problem& problem, int depth_nodes) {
  return problem.network.depth == kInfiniteDepth ? depth_nodes : problem.network.depth;
}

double bytes_at(const Problem& problem, int steps, const SolveOptions& options, int depth_nodes) {
  const int rows = std::min(kLargestPanel, steps);
  double bytes = network_bytes(problem, steps, rows, depth_nodes) + SpectralData::bytes(problem, steps);
  bytes += Scratch::bytes(steps, rows) + 8.0 * steps * (rows + 16.0 + 4.0 * layers(problem, depth_nodes));
  // The training errors' functions are made for the caller where the equations do not need them.
  const Saved saved(options.save);
  if (saved.has("C_delta") || saved.has("R_delta")) bytes += 16.0 * steps * steps;
  if (options.kernels) bytes += kernels_bytes(steps);
  if (options.replicas) bytes += saved.bytes(layers(problem, depth_nodes), steps);
  return bytes;
}

void pad(std::vector<double>& series, int steps) {
  series.resize(static_cast<std::size_t>(steps), std::numeric_limits<double>::infinity());
}

/// Past a divergence every series is infinite and time goes on.
void pad(Solution& solution, int steps, const SolveOptions& options) {
  for (int t = static_cast<int>(solution.time.size()); t < steps; ++t) solution.time.push_back(t);
  for (auto* series :
       {&solution.test_loss, &solution.train_loss, &solution.term_target, &solution.term_init, &solution.term_data}) {
    pad(*series, steps);
  }
  for (auto* layers : {&solution.feature_norm, &solution.gradient_norm}) {
    for (auto& series : *layers) pad(series, steps);
  }
  Replicas& pairs = solution.replicas;
  Kernels& kernels = solution.kernels;
  for (auto* series : {&pairs.shared_init, &pairs.shared_data, &pairs.independent}) {
    if (options.replicas) pad(*series, steps);
  }
  for (auto* series : {&kernels.scale, &kernels.target, &kernels.gradient}) {
    if (options.kernels) pad(*series, steps);
  }
}

/// Asks whether to go on, and reports nothing new: all steps are done.
Progress interruptible(const Progress& progress, int steps) {
  if (!progress) return {};
  return [&progress, steps](int /*done*/, int /*total*/) { return progress(steps, steps); };
}

/// Solves with so many nodes in depth; nothing if that was too few.
std::optional<Solution> solve_at(const Problem& problem, int steps, const SolveOptions& options, int depth_nodes) {
  Saved saved(options.save);
  const double bytes = bytes_at(problem, steps, options, depth_nodes);
  support::require_memory(bytes, options.memory_limit, "solve of " + std::to_string(steps) + " steps");

  const int rows = std::min(kLargestPanel, steps);
  ExactSteps grid(problem, steps, rows);
  const std::unique_ptr<NetworkSide> network = make_network(problem, steps, rows, depth_nodes);
  SpectralData data(problem, steps);

  Solution solution;
  solution.irreducible = problem.data.noise * problem.data.noise;
  solution.stats.threads = support::resolve_threads(options.threads);
  MarchOptions marching{.threads = solution.stats.threads, .largest_panel = rows, .progress = options.progress};
  if (options.depth_nodes == 0) marching.depth_tolerance = kDepthTolerance;
  const auto [valid, resolved] = march(grid, *network, data, marching, solution);
  if (!resolved) return std::nullopt;
  solution.depth = network->depth();

  // What follows goes over rows that are known to be fine.
  marching.depth_tolerance = std::numeric_limits<double>::infinity();
  marching.progress = interruptible(options.progress, steps);
  if (options.kernels) add_kernels(problem, valid, *network, data, marching, solution);
  saved.trim(valid);
  if (options.replicas) saved.keep();
  data.release(solution.functions, saved);
  network->release(solution.functions, saved);
  if (options.replicas && valid > 0) add_replicas(problem, valid, *network, data, marching, solution);
  pad(solution, steps, options);
  return solution;
}

/// A divergence that few nodes found, looked at again with many, in the steps around it: too few diverge too early.
/// Nothing if many nodes do not find it.
std::optional<Solution> confirm_divergence(const Problem& problem, int steps, const SolveOptions& options, int step) {
  const int around = std::min(steps, 2 * step + 8);
  std::optional<Solution> solution = solve_at(problem, around, options, kSureDepthNodes);
  if (solution && !solution->diverged_at && around < steps) return std::nullopt;
  return solution;
}

/// Infinite depth, with as many nodes as it takes.
Solution resolve(const Problem& problem, int steps, const SolveOptions& options) {
  int nodes = first_depth_nodes(problem);
  while (true) {
    int next = std::min(kMostDepthNodes, nodes + std::max(2, nodes / 4));
    try {
      std::optional<Solution> solution = solve_at(problem, steps, options, nodes);
      if (solution && solution->diverged_at && nodes < kSureDepthNodes) {
        next = kSureDepthNodes;
        solution = confirm_divergence(problem, steps, options, *solution->diverged_at);
      }
      if (solution) {
        pad(*solution, steps, options);
        return *std::move(solution);
      }
    } catch (const NotConverged&) {
      if (nodes == kMostDepthNodes) throw;
    }
    if (nodes == kMostDepthNodes) refuse_depth(problem);
    nodes = next;
  }
}

/// The same where training diverges within a step or two, so fast that no number of nodes resolves it: a network of
/// finite depth says so. What comes before is solved for.
Solution resolve_or_diverge(const Problem& problem, int steps, const SolveOptions& options) {
  try {
    return resolve(problem, steps, options);
  } catch (const NotConverged&) {
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
    const std::optional<int> at = solve_at(finite, std::min(steps, kStandInSteps), losses, 0)->diverged_at;
    // Only if it does so where resolving ends: a run that merely is hard stays an error.
    for (int valid = at.value_or(0); valid > std::max(0, at.value_or(0) - kStandInSlack); --valid) {
      try {
        Solution solution = resolve(problem, valid, options);
        if (!solution.diverged_at) solution.diverged_at = valid;
        pad(solution, steps, options);
        return solution;
      } catch (const NotConverged&) {
        continue;  // one step less
      }
    }
    throw;
  }
}

}  // namespace

double channel_bytes(const Problem& problem, int steps, const SolveOptions& options) {
  return bytes_at(problem, steps, options, chosen_depth_nodes(problem, options));
}

double channel_result_bytes(const Problem& problem, int steps, const SolveOptions& options) {
  return Saved(options.save).bytes(layers(problem, chosen_depth_nodes(problem, options)), steps);
}

Solution solve_channel(const Problem& problem, int steps, const SolveOptions& options) {
  const bool settled = problem.network.depth != kInfiniteDepth || options.depth_nodes != 0;
  return settled ? *solve_at(problem, steps, options, options.depth_nodes)
                 : resolve_or_diverge(problem, steps, options);
}

}  // namespace lindmft::theory
