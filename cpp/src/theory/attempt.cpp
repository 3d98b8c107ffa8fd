#include "theory/attempt.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "support/memory.hpp"
#include "support/threads.hpp"
#include "theory/averaged_weights.hpp"
#include "theory/coarse_grid.hpp"
#include "theory/data/spectral_data.hpp"
#include "theory/march/edge_watch.hpp"
#include "theory/march/exact_march.hpp"
#include "theory/march/panel_march.hpp"
#include "theory/network/depth_grid.hpp"
#include "theory/network/network_side.hpp"
#include "theory/predictability.hpp"
#include "theory/replicas.hpp"
#include "theory/solved_sides.hpp"
#include "theory/tangent_kernel.hpp"
#include "time_grid/condensed_steps.hpp"
#include "time_grid/exact_steps.hpp"
#include "time_grid/output_rows.hpp"

namespace lindmft::theory {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr int kLargestPanel = 8;  // rows of the sliding window; with more rows, sweeps cost more than they save

double layers(const Problem& problem, int depth_nodes) {
  return problem.network.depth == kInfiniteDepth ? depth_nodes : problem.network.depth;
}

/// With a condensed past: the loss, relative to the start, below which errors are no longer rtol of the loss itself.
constexpr double kSmallLoss = 1e-3;

/// The blocks of rows, for panels of at most `rows` rows.
RowBlocks row_blocks(const Horizon& horizon, int rows, int outputs) {
  if (horizon.coarse()) return {rows, true};
  return {horizon.condensed() ? kMostSegmentNodes * outputs : 0, false};
}

/// Bytes of the two sides. A state keeps all of them.
double sides_bytes(const Problem& problem, const Horizon& horizon, int rows, int depth_nodes) {
  const int nodes = horizon.nodes * outputs(problem.data);
  return network_bytes(problem, nodes, rows, depth_nodes) +
         SpectralData::bytes(problem, nodes, row_blocks(horizon, rows, outputs(problem.data)));
}

void pad(std::vector<double>& series, std::size_t nodes) {
  series.resize(nodes, std::numeric_limits<double>::infinity());
}

void pad(std::vector<std::vector<double>>& layers, std::size_t nodes) {
  for (std::vector<double>& series : layers) pad(series, nodes);
}

/// Whether an attempt computes a series. Losses by output are empty, except for those of outputs that share modes: of
/// others they are made later, when channels are added up.
bool computed(Series::Part part, const SolveOptions& options) {
  if (part == Series::Part::replicas) return options.replicas;
  if (part == Series::Part::kernels) return options.kernels;
  if (part == Series::Part::modes) return options.modes;
  if (part == Series::Part::average) return !options.average.empty();
  return part == Series::Part::always || part == Series::Part::outputs;
}

/// The grid of all steps, with a row for each output that shares modes.
class StepRows {
 public:
  StepRows(const Problem& problem, int steps, int most_rows)
      : steps_(problem, steps, std::max(1, most_rows / outputs(problem.data))) {
    if (outputs(problem.data) > 1) rows_.emplace(steps_, outputs(problem.data), most_rows);
  }
  void restore(int steps) { steps_.restore(steps); }
  TimeGrid& grid() { return rows_ ? static_cast<TimeGrid&>(*rows_) : steps_; }

 private:
  ExactSteps steps_;
  std::optional<OutputRows> rows_;
};

/// Rows of the sliding window: at least two steps.
int window_rows(const Problem& problem, int steps) {
  const int width = outputs(problem.data);
  return std::min(steps, std::max(width == 1 ? 1 : 2, kLargestPanel / width)) * width;
}

void lift(std::vector<double>& series) {
  for (double& value : series) value = std::max(value, 0.0);
}

void lift(std::vector<std::vector<double>>& layers) {
  for (std::vector<double>& series : layers) lift(series);
}

/// Estimate of the rate at which gradient flow starts to learn the strongest mode; it sets the length of the first
/// panel.
double initial_rate(const Problem& problem) {
  const std::vector<double>& modes = problem.data.spectrum.eigenvalues;
  const double edge = std::pow(1.0 + std::sqrt(1.0 / amount(problem.data)), 2);
  return *std::max_element(modes.begin(), modes.end()) * edge * (1.0 + layers(problem, 1));
}

/// A callback that only asks whether to continue: all steps are done, and there is no progress to report.
Progress interruptible(const Progress& progress, int steps) {
  if (!progress) return {};
  return [&progress, steps](int /*done*/, int /*total*/) { return progress(steps, steps); };
}

/// The two sides of an attempt.
struct Parts {
  Parts(const Problem& problem, int nodes, int rows, int depth_nodes, RowBlocks blocks, int threads)
      : network(make_network(problem, nodes, rows, depth_nodes)), data(problem, nodes, blocks, threads) {}
  std::unique_ptr<NetworkSide> network;
  SpectralData data;
};

/// Rows after the nodes: for vectors that pass through frozen weights, and for averaged weights.
int spare_rows(const Problem& problem, const Horizon& horizon, const SolveOptions& options, int rows) {
  const bool watched = horizon.kind == Horizon::Kind::adaptive_steps && outputs(problem.data) == 1;
  const int of_average = options.average.empty() ? 0 : rows;
  return std::max({spectrum_rows(options, rows), of_average, watched ? Lanczos::rows(rows / 2, EdgeWatch::kSteps) : 0});
}

/// The outcome of an attempt besides its solution.
struct Outcome {
  bool resolved = true;             ///< in depth
  std::string negative;             ///< see Marched
  std::optional<double> stable_at;  ///< the last look below the threshold, if a coarse grid saw an instability
};

/// Marches on a coarse grid. Returns nothing if the grid has too few nodes.
std::optional<Marched> march_coarse(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                    Parts& parts, const MarchOptions& marching, Outcome& outcome, Solution& solution) {
  const std::unique_ptr<PanelGrid> grid = coarse_grid(problem, horizon, marching.largest_panel / marching.outputs);
  if (options.continue_from != nullptr) grid->restore(options.continue_from->panels, options.continue_from->time);
  const Tolerance tolerance{options.rtol, options.atol};
  EdgeWatch edge(problem);
  const bool watched = horizon.kind == Horizon::Kind::adaptive_steps && marching.outputs == 1;
  const Marched marched = march_panels(*grid, *parts.network, parts.data, marching, tolerance, initial_rate(problem),
                                       solution, watched ? &edge : nullptr);
  const bool stopped = solution.diverged_at || !marched.resolved;
  if (!stopped && !grid->finished()) return std::nullopt;
  solution.panels = grid->edges();
  if (edge.passed()) {
    const SolvedSides solved(problem, horizon, *parts.network, parts.data, marching.spectrum_rows, solution);
    solution.unstable_at = first_unstable(solved, edge, *edge.passed());
    outcome.stable_at = edge.passed()->below;
  }
  return marched;
}

/// Whether a march with a condensed past may compute only some of the coming steps: what happens in single steps, and
/// the memory of momentum, would be missed.
bool coarse_front(const Problem& problem, const SolveOptions& options, const NetworkSide& network) {
  const Data& data = problem.data;
  const bool uniform = data.alphas.empty() && !has_second_target(data) && !has_momentum(problem.optimizer);
  return uniform && outputs(data) == 1 && !options.modes && network.exact_first_row(2);
}

/// Marches over exact steps, with a condensed past.
Marched march_condensed(const Problem& problem, const Horizon& horizon, const SolveOptions& options, Parts& parts,
                        MarchOptions marching, Solution& solution) {
  const int width = marching.outputs;
  CondensedSteps steps(problem, horizon.steps(), horizon.nodes, std::max(1, marching.largest_panel / width));
  if (options.continue_from != nullptr) {
    steps.restore(kept_state(*options.continue_from, kCondensedState));
    marching.from = steps.committed_nodes() * width;
    restore_state(*parts.network, parts.data, *options.continue_from, marching.from, width, solution);
  }
  std::optional<OutputRows> rows;
  if (width > 1) rows.emplace(steps, width, marching.largest_panel);
  TimeGrid& grid = rows ? static_cast<TimeGrid&>(*rows) : steps;
  marching.row_tolerance = std::max(marching.row_tolerance, kRowTolerance * options.rtol);
  marching.coarse_front = coarse_front(problem, options, *parts.network);
  Condensation past(steps, *parts.network, parts.data, smoothness(options.rtol), width);
  const Marched marched = march(grid, *parts.network, parts.data, marching, solution, &past);
  solution.stats.error_estimate = std::max(solution.stats.error_estimate, past.error_estimate());
  if (options.keep_state && !solution.diverged_at) {
    keep_state(*parts.network, parts.data, steps.committed_nodes() * width, solution);
    solution.state.emplace_back(kCondensedState, steps.state());
  }
  return marched;
}

/// Sets negative values to zero: quantities that are zero within the tolerance may be slightly negative.
void lift_to_zero(Solution& solution) {
  Solution::for_each_series(
      [](const Series& series, auto& values) {
        using Part = Series::Part;
        const bool of_pairs = series.part == Part::replicas || series.part == Part::kernels;
        if (!of_pairs && !series.has_sign) lift(values);
      },
      solution);
}

/// Marches over the same nodes again, and computes only correlations.
void march_again(const Problem& problem, const Horizon& horizon, const SolveOptions& options, MarchOptions marching,
                 NetworkSide& network, DataSide& data, const Solution& on, Solution& pair) {
  marching.responses_final = true;
  marching.modes = false;
  marching.second_target = false;
  marching.from = 0;
  if (horizon.coarse()) {
    const std::unique_ptr<PanelGrid> grid = coarse_grid(problem, horizon, marching.largest_panel / marching.outputs);
    march_panels_again(*grid, network, data, marching, {options.rtol, options.atol}, on, pair);
  } else {
    StepRows steps(problem, static_cast<int>(on.time.size()), marching.largest_panel);
    march(steps.grid(), network, data, marching, pair);
  }
  lift_to_zero(pair);
}

/// Adds what was asked for beside the series, from the rows of `valid` nodes.
void add_requests(const Problem& problem, const Horizon& horizon, const SolveOptions& options, Parts& parts,
                  const MarchOptions& marching, int valid, Solution& solution) {
  NetworkSide& network = *parts.network;
  SpectralData& data = parts.data;
  if (horizon.condensed()) return;  // nothing else is known for all times
  if (options.keep_state && !solution.diverged_at) keep_state(network, data, valid * marching.outputs, solution);
  if (options.kernels) add_kernels(problem, valid, network, data, marching, solution);
  if (!options.average.empty()) add_average(problem, options.average, valid, network, data, marching, solution);
  if (!options.spectrum_at.empty()) {
    const SolvedSides solved(problem, horizon, network, data, marching.spectrum_rows, solution);
    add_spectrum(solved, options, marching.progress, solution);
  }
  Saved saved(options.save);
  saved.trim(valid);
  if (options.replicas) saved.keep();
  data.release(solution.functions, saved);
  network.release(solution.functions, saved);
  if (!options.replicas || valid == 0) return;
  const auto again = [&](NetworkSide& side, DataSide& samples, Solution& pair) {
    march_again(problem, horizon, options, marching, side, samples, solution, pair);
  };
  add_replicas(again, network, data, solution);
}

/// Solves with this number of nodes in depth. If there are too few of them, the outcome is not resolved, and it returns
/// nothing. If a coarse grid has too few nodes in time, it returns nothing, too.
std::optional<Solution> solve_in_room(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                                      int depth_nodes, Outcome& outcome, double steps_from = kNever) {
  outcome = {};
  const int nodes = horizon.nodes;
  const double bytes = attempt_bytes(problem, horizon, options, depth_nodes);
  support::require_memory(bytes, options.memory_limit, describe(horizon));

  const int width = outputs(problem.data);
  const int rows = horizon.coarse() ? width * panel_order(options.rtol) : window_rows(problem, nodes);
  const int most_rows = std::max(rows, 2);  // the two starts of Lanczos' method
  const int spare = spare_rows(problem, horizon, options, most_rows);
  Parts parts(problem, nodes * width + spare, most_rows, depth_nodes, row_blocks(horizon, most_rows, width),
              support::resolve_threads(options.threads));
  NetworkSide& network = *parts.network;
  SpectralData& data = parts.data;
  Solution solution;
  solution.irreducible = noise_variance(problem.data);
  solution.stats.threads = support::resolve_threads(options.threads);
  MarchOptions marching{.threads = solution.stats.threads, .largest_panel = rows, .progress = options.progress};
  marching.outputs = width;
  marching.modes = options.modes;
  marching.second_target = has_second_target(problem.data);
  if (options.modes) data.follow_modes();
  marching.spare_rows = spare;
  marching.spectrum_rows = most_rows;
  if (options.depth_nodes == 0) marching.depth_tolerance = kDepthTolerance;
  if (horizon.coarse()) marching.rounding = options.rtol;
  if (horizon.condensed()) marching.rounding = std::max(marching.rounding, kSmallLoss * options.rtol);
  marching.steps_from = steps_from;
  if (options.continue_from != nullptr && !horizon.condensed()) {
    marching.from = static_cast<int>(options.continue_from->time.size()) * width;
    restore_state(network, data, *options.continue_from, marching.from, width, solution);
  }
  std::optional<Marched> marched;
  if (horizon.coarse()) {
    marched = march_coarse(problem, horizon, options, parts, marching, outcome, solution);
    if (!marched) return std::nullopt;
  } else if (horizon.condensed()) {
    marched = march_condensed(problem, horizon, options, parts, marching, solution);
  } else {
    StepRows steps(problem, nodes, rows);
    steps.restore(marching.from / width);
    marched = march(steps.grid(), network, data, marching, solution);
  }
  outcome.resolved = marched->resolved;
  outcome.negative = marched->negative;
  if (!outcome.resolved) return std::nullopt;
  lift_to_zero(solution);  // the recorder has refused values below zero by more than rounding
  solution.depth = network.depth();

  // The rows are final: kernels and replicas need no error estimate in depth.
  marching.depth_tolerance = std::numeric_limits<double>::infinity();
  marching.progress = interruptible(options.progress, horizon.times());
  add_requests(problem, horizon, options, parts, marching, marched->nodes, solution);
  solution.stats.flops += data.flops();
  pad(solution, horizon, options);
  return solution;
}

/// Solves again with a node at every step from the last stable time on, if that was asked for and is affordable.
void resolve_steps(const Problem& problem, Horizon horizon, const SolveOptions& options, int depth_nodes,
                   const Outcome& branch, std::optional<Solution>& solution) {
  if (options.beyond_edge != BeyondEdge::steps || !solution || !solution->unstable_at || !branch.stable_at) return;
  const double steps = horizon.end - *branch.stable_at;
  if (steps > kMostResolvedSteps) return;
  horizon.nodes = static_cast<int>(solution->time.size()) + static_cast<int>(steps) + 2 * kMostOrder;
  Outcome outcome;
  std::optional<Solution> resolved = solve_in_room(problem, horizon, options, depth_nodes, outcome, *branch.stable_at);
  if (!resolved) return;
  // The mode starts from the tolerance of the panels before, not from its own value.
  resolved->unstable_at = resolved->predictable_until = solution->unstable_at;
  resolved->stats.chain_residual = solution->stats.chain_residual;  // beyond, rounding errors are amplified
  solution = std::move(resolved);
}

}  // namespace

double attempt_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options, int depth_nodes) {
  const int nodes = horizon.nodes * outputs(problem.data) + spare_rows(problem, horizon, options, kMostOrder);
  const int rows = horizon.coarse() ? kMostOrder * outputs(problem.data) : window_rows(problem, horizon.nodes);
  const double sides = sides_bytes(problem, horizon, rows, depth_nodes);
  double bytes = sides + Scratch::bytes(nodes, rows) + 8.0 * nodes * (rows + 16.0 + 4.0 * layers(problem, depth_nodes));
  // The functions of the training errors are computed for the caller where the equations do not need them.
  const Saved saved(options.save);
  if (saved.has("C_delta") || saved.has("R_delta")) bytes += 16.0 * nodes * nodes;
  if (options.kernels) bytes += kernels_bytes(nodes);
  if (options.modes)
    bytes += SpectralData::modes_bytes(problem, nodes, row_blocks(horizon, rows, outputs(problem.data)));
  if (options.replicas) bytes += saved.bytes(layers(problem, depth_nodes), nodes);
  if (options.keep_state) bytes += sides;
  return bytes;
}

double attempt_result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options,
                            int depth_nodes) {
  const double depth = layers(problem, depth_nodes);
  double bytes = Saved(options.save).bytes(depth, horizon.nodes) +
                 8.0 * horizon.times() * (15.0 + 2.0 * depth + 2.0 * outputs(problem.data));
  if (options.modes) bytes += 16.0 * horizon.times() * static_cast<double>(problem.data.spectrum.eigenvalues.size());
  if (options.keep_state) bytes += sides_bytes(problem, horizon, kMostOrder * outputs(problem.data), depth_nodes);
  return bytes;
}

void pad(Solution& solution, const Horizon& horizon, const SolveOptions& options) {
  std::vector<double>& time = solution.time;
  if (!horizon.coarse()) {
    for (int t = static_cast<int>(time.size()); t < horizon.steps(); ++t) time.push_back(t);
  } else if (solution.diverged_at) {
    time.push_back(*solution.diverged_at);
    if (*solution.diverged_at + 1 < horizon.steps()) time.push_back(horizon.end - 1.0);
  }
  const std::size_t nodes = time.size();
  Solution::for_each_series(
      [&](const Series& series, auto& values) {
        const bool switched = series.part == Series::Part::switched && !values.empty();
        if (switched || computed(series.part, options)) pad(values, nodes);
      },
      solution);
}

std::optional<Solution> solve_at(const Problem& problem, Horizon horizon, const SolveOptions& options,
                                 int depth_nodes) {
  while (true) {
    Outcome outcome;
    std::optional<Solution> solution = solve_in_room(problem, horizon, options, depth_nodes, outcome);
    if (horizon.coarse()) resolve_steps(problem, horizon, options, depth_nodes, outcome, solution);
    if (solution && horizon.kind != Horizon::Kind::gradient_flow) {
      const auto solve = [&](const Problem& other, int steps, const SolveOptions& own) {
        const Horizon until = own.grid == Grid::exact ? exact_steps(steps) : shorter(horizon, steps);
        Outcome unused;
        return solve_in_room(other, until, own, depth_nodes, unused);
      };
      judge_predictability(problem, options, solve, outcome.negative, *solution);
    }
    if (solution || !outcome.resolved) return solution;
    horizon.nodes *= 2;
  }
}

}  // namespace lindmft::theory
