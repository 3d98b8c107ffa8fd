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
#include "theory/data/spectral_data.hpp"
#include "theory/march/exact_march.hpp"
#include "theory/march/panel_march.hpp"
#include "theory/network/depth_grid.hpp"
#include "theory/network/network_side.hpp"
#include "theory/replicas.hpp"
#include "theory/tangent_kernel.hpp"
#include "time_grid/adaptive_steps.hpp"
#include "time_grid/exact_steps.hpp"
#include "time_grid/gradient_flow.hpp"

namespace lindmft::theory {
namespace {

constexpr double kDepthTolerance = 1e-6;  // last coefficient of the profiles; losses are right to about its square
constexpr int kSureDepthNodes = 48;       // nodes that a divergence must be found with
constexpr int kStandInDepth = 16;         // a finite network that tells whether a run diverges at once,
constexpr double kStandInSteps = 200;     // how long it is followed,
constexpr int kStandInSlack = 3;          // and by how many steps it may diverge later
constexpr int kMostOrder = 10;            // nodes of a coarse grid's panel
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

/// Of the two sides, all of which is a state.
double sides_bytes(const Problem& problem, const Horizon& horizon, int rows, int depth_nodes) {
  return network_bytes(problem, horizon.nodes, rows, depth_nodes) +
         SpectralData::bytes(problem, horizon.nodes, horizon.coarse());
}

double bytes_at(const Problem& problem, const Horizon& horizon, const SolveOptions& options, int depth_nodes) {
  const int nodes = horizon.nodes;
  const int rows = horizon.coarse() ? kMostOrder : std::min(kLargestPanel, nodes);
  const double sides = sides_bytes(problem, horizon, rows, depth_nodes);
  double bytes = sides + Scratch::bytes(nodes, rows) + 8.0 * nodes * (rows + 16.0 + 4.0 * layers(problem, depth_nodes));
  // The training errors' functions are made for the caller where the equations do not need them.
  const Saved saved(options.save);
  if (saved.has("C_delta") || saved.has("R_delta")) bytes += 16.0 * nodes * nodes;
  if (options.kernels) bytes += kernels_bytes(nodes);
  if (options.replicas) bytes += saved.bytes(layers(problem, depth_nodes), nodes);
  if (options.keep_state) bytes += sides;
  return bytes;
}

void pad(std::vector<double>& series, std::size_t nodes) {
  series.resize(nodes, std::numeric_limits<double>::infinity());
}

/// Past a divergence every series is infinite and time goes on: step by step, or on a coarse grid right to the end.
void pad(Solution& solution, const Horizon& horizon, const SolveOptions& options) {
  std::vector<double>& time = solution.time;
  if (!horizon.coarse()) {
    for (int t = static_cast<int>(time.size()); t < horizon.steps(); ++t) time.push_back(t);
  } else if (solution.diverged_at) {
    time.push_back(*solution.diverged_at);
    if (*solution.diverged_at + 1 < horizon.steps()) time.push_back(horizon.end - 1.0);
  }
  const std::size_t nodes = time.size();
  for (auto* series :
       {&solution.test_loss, &solution.train_loss, &solution.term_target, &solution.term_init, &solution.term_data}) {
    pad(*series, nodes);
  }
  for (auto* layers : {&solution.feature_norm, &solution.gradient_norm}) {
    for (auto& series : *layers) pad(series, nodes);
  }
  Replicas& pairs = solution.replicas;
  Kernels& kernels = solution.kernels;
  for (auto* series : {&pairs.shared_init, &pairs.shared_data, &pairs.independent}) {
    if (options.replicas) pad(*series, nodes);
  }
  for (auto* series : {&kernels.scale, &kernels.target, &kernels.gradient}) {
    if (options.kernels) pad(*series, nodes);
  }
}

Horizon exact_steps(double steps) { return {Horizon::Kind::exact_steps, steps, static_cast<int>(steps)}; }

/// The same kind of time, ending earlier.
Horizon shorter(const Horizon& horizon, int steps) {
  const double end = std::min(horizon.end, static_cast<double>(steps));
  return horizon.coarse() ? Horizon{horizon.kind, end, horizon.nodes} : exact_steps(end);
}

/// Nodes of a coarse grid's panels: what they gain in length they cost in work, and rounding ends it.
int panel_order(double rtol) { return rtol > 3e-5 ? 6 : rtol > 3e-8 ? 8 : kMostOrder; }

/// About the rate at which gradient flow begins to learn the strongest mode: a first guess of a panel's length.
double initial_rate(const Problem& problem) {
  const std::vector<double>& modes = problem.data.spectrum.eigenvalues;
  const double edge = std::pow(1.0 + std::sqrt(1.0 / problem.data.alpha), 2);
  return *std::max_element(modes.begin(), modes.end()) * edge * (1.0 + layers(problem, 1));
}

/// Asks whether to go on, and reports nothing new: all steps are done.
Progress interruptible(const Progress& progress, int steps) {
  if (!progress) return {};
  return [&progress, steps](int /*done*/, int /*total*/) { return progress(steps, steps); };
}

/// What a solve is made of.
struct Parts {
  Parts(const Problem& problem, int nodes, int rows, int depth_nodes, bool coarse, int threads)
      : network(make_network(problem, nodes, rows, depth_nodes)), data(problem, nodes, coarse, threads) {}
  std::unique_ptr<NetworkSide> network;
  SpectralData data;
};

std::unique_ptr<PanelGrid> make_grid(const Problem& problem, const Horizon& horizon, int order) {
  if (horizon.kind == Horizon::Kind::gradient_flow)
    return std::make_unique<GradientFlow>(problem, horizon.end, horizon.nodes, order);
  return std::make_unique<AdaptiveSteps>(problem, horizon.steps(), horizon.nodes, order);
}

/// Marches on a coarse grid; nothing if the grid had too little room.
std::optional<Marched> march_coarse(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                    Parts& parts, const MarchOptions& marching, Solution& solution) {
  const std::unique_ptr<PanelGrid> grid = make_grid(problem, horizon, marching.largest_panel);
  if (options.continue_from != nullptr) grid->restore(options.continue_from->panels, options.continue_from->time);
  const Tolerance tolerance{options.rtol, options.atol};
  const Marched marched =
      march_panels(*grid, *parts.network, parts.data, marching, tolerance, initial_rate(problem), solution);
  const bool stopped = solution.diverged_at || !marched.resolved;
  if (!stopped && !grid->finished()) return std::nullopt;
  solution.panels = grid->edges();
  return marched;
}

/// Losses that are zero within the tolerance can come out below it.
void lift_to_zero(Solution& solution) {
  for (auto* loss : {&solution.test_loss, &solution.train_loss}) {
    for (double& value : *loss) value = std::max(value, 0.0);
  }
}

/// The same nodes once more, for correlations alone.
void march_again(const Problem& problem, const Horizon& horizon, const SolveOptions& options, MarchOptions marching,
                 NetworkSide& network, DataSide& data, const Solution& on, Solution& pair) {
  marching.responses_final = true;
  marching.from = 0;
  if (horizon.coarse()) {
    const std::unique_ptr<PanelGrid> grid = make_grid(problem, horizon, marching.largest_panel);
    march_panels_again(*grid, network, data, marching, {options.rtol, options.atol}, on, pair);
  } else {
    ExactSteps grid(problem, static_cast<int>(on.time.size()), marching.largest_panel);
    march(grid, network, data, marching, pair);
  }
}

/// Solves with so many nodes in depth. Sets `resolved` to false, and returns nothing, if that was too few; nothing else
/// comes back if a coarse grid had too little room.
std::optional<Solution> solve_in_room(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                      int depth_nodes, bool& resolved) {
  resolved = true;
  Saved saved(options.save);
  const int nodes = horizon.nodes;
  const double bytes = bytes_at(problem, horizon, options, depth_nodes);
  support::require_memory(bytes, options.memory_limit, describe(horizon));

  const int rows = horizon.coarse() ? panel_order(options.rtol) : std::min(kLargestPanel, nodes);
  Parts parts(problem, nodes, rows, depth_nodes, horizon.coarse(), support::resolve_threads(options.threads));
  NetworkSide& network = *parts.network;
  SpectralData& data = parts.data;
  Solution solution;
  solution.irreducible = problem.data.noise * problem.data.noise;
  solution.stats.threads = support::resolve_threads(options.threads);
  MarchOptions marching{.threads = solution.stats.threads, .largest_panel = rows, .progress = options.progress};
  if (options.depth_nodes == 0) marching.depth_tolerance = kDepthTolerance;
  if (horizon.coarse()) marching.rounding = options.rtol;
  if (options.continue_from != nullptr) {
    restore_state(network, data, *options.continue_from, solution);
    marching.from = static_cast<int>(options.continue_from->time.size());
  }
  Marched marched{};
  if (horizon.coarse()) {
    const std::optional<Marched> done = march_coarse(problem, horizon, options, parts, marching, solution);
    if (!done) return std::nullopt;
    marched = *done;
  } else {
    ExactSteps grid(problem, nodes, rows);
    grid.restore(marching.from);
    marched = march(grid, network, data, marching, solution);
  }
  const int valid = marched.nodes;
  resolved = marched.resolved;
  if (!resolved) return std::nullopt;
  if (horizon.coarse()) lift_to_zero(solution);
  solution.depth = network.depth();

  // What follows goes over rows that are known to be fine.
  marching.depth_tolerance = std::numeric_limits<double>::infinity();
  marching.progress = interruptible(options.progress, nodes);
  if (options.keep_state && !solution.diverged_at) keep_state(network, data, valid, solution);
  if (options.kernels) add_kernels(problem, valid, network, data, marching, solution);
  saved.trim(valid);
  if (options.replicas) saved.keep();
  data.release(solution.functions, saved);
  network.release(solution.functions, saved);
  if (options.replicas && valid > 0) {
    const auto again = [&](NetworkSide& side, DataSide& samples, Solution& pair) {
      march_again(problem, horizon, options, marching, side, samples, solution, pair);
    };
    add_replicas(again, network, data, solution);
  }
  solution.stats.flops += data.flops();
  pad(solution, horizon, options);
  return solution;
}

/// The same with as much room as it takes, one attempt after the other; nothing if the nodes in depth were too few.
std::optional<Solution> solve_at(const Problem& problem, Horizon horizon, const SolveOptions& options,
                                 int depth_nodes) {
  while (true) {
    bool resolved = true;
    std::optional<Solution> solution = solve_in_room(problem, horizon, options, depth_nodes, resolved);
    if (solution || !resolved) return solution;
    horizon.nodes *= 2;
  }
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

/// The same where training diverges within a step or two, so fast that no number of nodes resolves it: a network of
/// finite depth says so. What comes before is solved for.
Solution resolve_or_diverge(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
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

/// From where a solution ended, with its nodes in depth.
Solution go_on(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const bool endless = problem.network.depth == kInfiniteDepth;
  const int depth_nodes = endless ? static_cast<int>(options.continue_from->depth.size()) : 0;
  std::optional<Solution> solution = solve_at(problem, horizon, options, depth_nodes);
  if (solution) return *std::move(solution);
  throw NotConverged("continue_from has too few nodes in depth (" + std::to_string(depth_nodes) +
                     ") for what comes after it; solve from the start");
}

}  // namespace

std::string describe(const Horizon& horizon) {
  std::ostringstream text;
  if (horizon.kind == Horizon::Kind::gradient_flow) {
    text << "gradient flow on " << horizon.nodes << " nodes";
  } else {
    text << "solve of " << horizon.steps() << " steps";
    if (horizon.coarse()) text << " on " << horizon.nodes << " nodes";
  }
  return text.str();
}

double channel_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  return bytes_at(problem, horizon, options, chosen_depth_nodes(problem, options));
}

double channel_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const int depth_nodes = chosen_depth_nodes(problem, options);
  const double depth = layers(problem, depth_nodes);
  double bytes = Saved(options.save).bytes(depth, horizon.nodes) + 8.0 * horizon.nodes * (14.0 + 2.0 * depth);
  if (options.keep_state) bytes += sides_bytes(problem, horizon, kMostOrder, depth_nodes);
  return bytes;
}

Solution solve_channel(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  if (options.continue_from != nullptr) return go_on(problem, horizon, options);
  const bool settled = problem.network.depth != kInfiniteDepth || options.depth_nodes != 0;
  return settled ? *solve_at(problem, horizon, options, options.depth_nodes)
                 : resolve_or_diverge(problem, horizon, options);
}

}  // namespace lindmft::theory
