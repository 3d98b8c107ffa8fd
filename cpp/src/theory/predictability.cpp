#include "theory/predictability.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lindmft/errors.hpp"
#include "theory/dense_output.hpp"
#include "theory/march/edge_watch.hpp"
#include "theory/network/depth_grid.hpp"

namespace lindmft::theory {
namespace {

constexpr double kRise = 1.01;           // growth of the training loss above its least value so far that is looked into
constexpr double kFloor = 1e-12;         // rise that is not looked into, in units of the loss at the start
constexpr double kPerturbation = 1e-12;  // relative difference of the learning rates: the error of solved rows
// Difference of losses at which rounding errors are visible: relative, and in units of the loss at the start. On coarse
// grids they are ten times the tolerances.
constexpr double kVisible = 1e-6;
constexpr double kInvisible = 1e-10;
constexpr double kTolerances = 10.0;
constexpr int kLooks = 16;  // number of times at which the sharpness is computed
constexpr int kLanczos = 12;
constexpr int kMostSteps = 4000;  // beyond these, the sharpness is not computed

/// The number of nodes before a divergence.
int valid_nodes(const Solution& solution) {
  if (!solution.diverged_at) return static_cast<int>(solution.time.size());
  const auto end = std::ranges::lower_bound(solution.time, static_cast<double>(*solution.diverged_at));
  return static_cast<int>(end - solution.time.begin());
}

bool rises(const std::vector<double>& loss, int nodes) {
  double least = std::numeric_limits<double>::infinity();
  for (int t = 0; t < nodes; ++t) {
    const double now = loss[static_cast<std::size_t>(t)];
    if (now > kRise * least + kFloor * std::max(1.0, loss.front())) return true;
    least = std::min(least, now);
  }
  return false;
}

/// The first node at which the losses of two solutions differ visibly; `nodes` if there is none.
int first_difference(const Solution& a, const Solution& b, int nodes, const SolveOptions& options) {
  const bool exact = options.grid == Grid::exact;
  const double visible = exact ? kVisible : kTolerances * options.rtol;
  const double invisible = exact ? kInvisible : kTolerances * options.atol;
  int first = nodes;
  for (const auto loss : {&Solution::test_loss, &Solution::train_loss}) {
    const std::vector<double>&x = a.*loss, &y = b.*loss;
    const double floor = invisible * std::max(1.0, x.front());
    for (int t = 0; t < first; ++t) {
      const auto at = static_cast<std::size_t>(t);
      if (std::abs(x[at] - y[at]) > visible * std::max(x[at], y[at]) + floor) first = t;
    }
  }
  return first;
}

/// The number of the first nodes that lie before a divergence in both solutions.
int common_nodes(const Solution& solution, const Solution& other, int nodes) {
  const int valid = valid_nodes(other);
  if (valid == 0) return 0;
  const double last = other.time[static_cast<std::size_t>(valid - 1)];
  while (nodes > 0 && solution.time[static_cast<std::size_t>(nodes - 1)] > last) --nodes;
  return nodes;
}

/// The options of another solution of which only losses are needed.
SolveOptions losses_alone(const SolveOptions& options) {
  SolveOptions own;
  own.grid = options.grid;
  own.rtol = options.rtol;
  own.atol = options.atol;
  own.threads = options.threads;
  own.memory_limit = options.memory_limit;
  own.depth_nodes = options.depth_nodes;
  own.continue_from = options.continue_from;
  if (options.progress) {
    // All steps are done: it only asks whether to continue.
    own.progress = [&options](int /*done*/, int total) { return options.progress(total, total); };
  }
  return own;
}

/// The predictable steps alone, with the sharpness at some of them.
std::optional<Solution> predictable_part(const Problem& problem, int last, SolveOptions own, const SolveSteps& solve) {
  own.grid = Grid::exact;
  own.lanczos = kLanczos;
  own.continue_from = nullptr;
  for (int k = 0; k < kLooks; ++k) own.spectrum_at.push_back(std::round(static_cast<double>(last) * k / (kLooks - 1)));
  return solve(problem, last + 1, own);
}

/// The step at which the threshold is passed for the last time; between the times of the spectrum it is interpolated.
std::optional<double> last_passed(const Problem& problem, const HessianSpectrum& found) {
  const EdgeWatch edge(problem);
  std::optional<double> passed;
  double before = 0.0;
  for (std::size_t k = 0; k < found.time.size(); ++k) {
    const double ratio = edge.ratio(found.time[k], found.sharpness[k]);
    if (ratio <= 1.0) {
      passed.reset();
    } else if (!passed) {
      const double share = k == 0 ? 1.0 : (1.0 - before) / (ratio - before);
      passed = k == 0 ? 0.0 : std::ceil(found.time[k - 1] + share * (found.time[k] - found.time[k - 1]));
    }
    before = ratio;
  }
  return passed;
}

}  // namespace

void judge_predictability(const Problem& problem, const SolveOptions& options, const SolveSteps& solve,
                          const std::string& negative, Solution& solution) {
  const int nodes = valid_nodes(solution);
  const bool unresolved = nodes == 0 || solution.stats.depth_error > kDepthTolerance;
  if (!negative.empty() && unresolved) throw NotConverged(negative);
  if (nodes == 0) return;
  if (solution.unstable_at) return;  // a coarse grid has found it out
  // Noise of stochastic gradients excites all modes, so that rounding errors do not matter.
  if (negative.empty() && (noisy(problem.data) || !rises(solution.train_loss, nodes))) return;
  const SolveOptions own = losses_alone(options);
  Problem shadow = problem;
  for (double& lr : shadow.optimizer.lr) lr *= 1.0 + kPerturbation;
  const auto steps = static_cast<int>(solution.time[static_cast<std::size_t>(nodes - 1)]) + 1;
  std::optional<Solution> other = solve(shadow, steps, own);
  if (!other) return;
  const int common = common_nodes(solution, *other, nodes);
  if (own.grid != Grid::exact) other = at_times(*other, {solution.time.begin(), solution.time.begin() + common});
  const int first = first_difference(solution, *other, common, own);
  if (first == nodes) {
    if (!negative.empty()) throw NotConverged(negative);
    return;
  }
  solution.predictable_until = solution.time[static_cast<std::size_t>(std::max(0, first - 1))];
  if (first < 2 || *solution.predictable_until > kMostSteps) return;
  if (noisy(problem.data) || outputs(problem.data) > 1) return;
  const auto last = static_cast<int>(*solution.predictable_until);
  if (const std::optional<Solution> part = predictable_part(problem, last, own, solve)) {
    solution.unstable_at = last_passed(problem, part->spectrum);
    solution.stats.chain_residual = part->stats.chain_residual;  // later rows are dominated by rounding errors
  }
}

}  // namespace lindmft::theory
