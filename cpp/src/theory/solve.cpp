#include "lindmft/solve.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "lindmft/errors.hpp"
#include "support/interruption.hpp"
#include "support/memory.hpp"
#include "theory/channel.hpp"
#include "theory/dense_output.hpp"
#include "theory/march/panel_march.hpp"
#include "theory/network/depth_grid.hpp"
#include "theory/solve_one.hpp"

namespace lindmft {

using theory::Horizon;

namespace {

constexpr int kRoom = 1000;  // nodes of a coarse grid to begin with; pages are touched only where they are used

void check_depth_nodes(const Problem& problem, int nodes) {
  if (nodes == 0) return;
  if (problem.network.depth != kInfiniteDepth)
    throw std::invalid_argument("depth_nodes must be left out at finite depth, got " + std::to_string(nodes));
  if (nodes < 2 || nodes > theory::kMostDepthNodes) {
    throw std::invalid_argument("depth_nodes must be between 2 and " + std::to_string(theory::kMostDepthNodes) +
                                ", got " + std::to_string(nodes));
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

/// What coarse grids can do.
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

/// What a solution can be continued with; end: of time, in its units.
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

Horizon theory::steps_horizon(const Problem& problem, int steps, const SolveOptions& options) {
  if (steps < 1) throw std::invalid_argument("steps must be at least 1, got " + std::to_string(steps));
  validate(problem, steps);
  check_outputs(problem);
  check_depth_nodes(problem, options.depth_nodes);
  check_continuation(problem, options, options.grid != Grid::exact, steps - 1.0);
  if (options.grid == Grid::exact) return {Horizon::Kind::exact_steps, 1.0 * steps, steps};
  check_coarse(problem, options, "grid 'adaptive'");
  return {Horizon::Kind::adaptive_steps, 1.0 * steps, kRoom};
}

Horizon theory::flow_horizon(const Problem& problem, double time, const SolveOptions& options) {
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

namespace {

/// A single output whose target is the spectrum's, times a norm.
Problem channel_problem(const Problem& problem, double norm) {
  Problem channel = problem;
  channel.data.targets = {1.0};
  channel.data.rotation.clear();
  for (double& power : channel.data.spectrum.target_power) power *= norm * norm;
  return channel;
}

/// Several outputs, decoupled (theory.md section 8).
struct Channels {
  std::vector<Solution> distinct;  // equal norms are solved once
  std::vector<int> of_target;      // C   which of them each target has
};

Channels solve_channels(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  std::vector<double> norms;
  Channels out;
  for (const double norm : problem.data.targets) {
    const auto known = std::find(norms.begin(), norms.end(), norm);
    out.of_target.push_back(static_cast<int>(known - norms.begin()));
    if (known == norms.end()) norms.push_back(norm);
  }
  int reported = 0;
  const int parts = horizon.coarse() ? theory::kProgress : horizon.nodes;
  for (std::size_t c = 0; c < norms.size(); ++c) {
    SolveOptions mine = options;
    const auto before = static_cast<double>(c);
    const auto all = static_cast<double>(norms.size());
    if (options.progress) {
      // Nodes in depth are added by solving again, and shorter: what is reported only grows.
      mine.progress = [&, before, all](int done, int total) {
        const double share = (before + static_cast<double>(done) / total) / all;
        reported = std::max(reported, static_cast<int>(share * parts));
        return options.progress(reported, parts);
      };
    }
    if (options.continue_from != nullptr && problem.data.targets.size() > 1)
      mine.continue_from = &options.continue_from->channels[c];
    out.distinct.push_back(theory::solve_channel(channel_problem(problem, norms[c]), horizon, mine));
  }
  return out;
}

void add(std::vector<double>& sum, const std::vector<double>& series) {
  sum.resize(series.size());
  for (std::size_t t = 0; t < series.size(); ++t) sum[t] += series[t];
}

void add(std::vector<std::vector<double>>& sum, const std::vector<std::vector<double>>& layers) {
  sum.resize(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) add(sum[l], layers[l]);
}

void add(SolveStats& sum, const SolveStats& stats) {
  sum.nodes = std::max(sum.nodes, stats.nodes);
  sum.panels += stats.panels;
  sum.rejected_panels += stats.rejected_panels;
  sum.sweeps += stats.sweeps;
  sum.row_sweeps += stats.row_sweeps;
  sum.flops += stats.flops;
  sum.threads = stats.threads;
  sum.chain_residual = std::max(sum.chain_residual, stats.chain_residual);
  sum.depth_error = std::max(sum.depth_error, stats.depth_error);
  sum.error_estimate = std::max(sum.error_estimate, stats.error_estimate);
}

void add(Solution& sum, const Solution& channel) {
  sum.time = channel.time;
  sum.panels = channel.panels;
  sum.depth = channel.depth;
  sum.irreducible += channel.irreducible;
  add(sum.test_loss, channel.test_loss);
  add(sum.train_loss, channel.train_loss);
  add(sum.term_target, channel.term_target);
  add(sum.term_init, channel.term_init);
  add(sum.term_data, channel.term_data);
  add(sum.feature_norm, channel.feature_norm);
  add(sum.gradient_norm, channel.gradient_norm);
  add(sum.replicas.shared_init, channel.replicas.shared_init);
  add(sum.replicas.shared_data, channel.replicas.shared_data);
  add(sum.replicas.independent, channel.replicas.independent);
  if (channel.diverged_at && (!sum.diverged_at || *channel.diverged_at < *sum.diverged_at))
    sum.diverged_at = channel.diverged_at;
}

/// Loss of output a: sum_j rotation(a, j)^2 loss of channel j, since channels are independent.
std::vector<double> rotated(const Channels& channels, std::vector<double> Solution::* loss,
                            const std::vector<double>& rotation, std::size_t a) {
  const std::size_t outputs = channels.of_target.size();
  std::vector<double> out((channels.distinct.front().*loss).size());
  for (std::size_t j = 0; j < outputs; ++j) {
    const double weight = rotation.empty() ? (a == j ? 1.0 : 0.0) : rotation[a * outputs + j];
    if (weight == 0.0) continue;  // a diverged channel is infinite
    const Solution& channel = channels.distinct[static_cast<std::size_t>(channels.of_target[j])];
    for (std::size_t t = 0; t < out.size(); ++t) out[t] += weight * weight * (channel.*loss)[t];
  }
  return out;
}

/// On coarse grids every channel has nodes of its own: all of them at those of the one that has most.
Channels at_common_times(const Channels& channels) {
  const auto most =
      std::max_element(channels.distinct.begin(), channels.distinct.end(),
                       [](const Solution& a, const Solution& b) { return a.time.size() < b.time.size(); });
  Channels out;
  out.of_target = channels.of_target;
  for (const Solution& channel : channels.distinct) {
    out.distinct.push_back(theory::at_times(channel, most->time));
    out.distinct.back().panels = most->panels;
  }
  return out;
}

/// The series of the sum.
Solution add_up(const Channels& channels, const std::vector<double>& rotation) {
  Solution sum;
  for (const int c : channels.of_target) add(sum, channels.distinct[static_cast<std::size_t>(c)]);
  for (std::size_t a = 0; a < channels.of_target.size(); ++a) {
    sum.test_loss_by_output.push_back(rotated(channels, &Solution::test_loss, rotation, a));
    sum.train_loss_by_output.push_back(rotated(channels, &Solution::train_loss, rotation, a));
  }
  return sum;
}

Solution combine(Channels channels, const std::vector<double>& rotation) {
  const bool own_times = channels.distinct.size() > 1 && !channels.distinct.front().panels.empty();
  Solution sum = own_times ? add_up(at_common_times(channels), rotation) : add_up(channels, rotation);
  for (const Solution& channel : channels.distinct) add(sum.stats, channel.stats);
  if (channels.of_target.size() == 1) {
    sum.functions = std::move(channels.distinct.front().functions);
    sum.kernels = std::move(channels.distinct.front().kernels);
    sum.state = std::move(channels.distinct.front().state);
  } else {
    for (Solution& channel : channels.distinct) {
      channel.test_loss_by_output = {channel.test_loss};
      channel.train_loss_by_output = {channel.train_loss};
    }
    sum.channels = std::move(channels.distinct);
    sum.channel = std::move(channels.of_target);
  }
  return sum;
}

/// At infinite depth all channels need the same nodes.
Channels with_equal_depth(Channels channels, const Problem& problem, const Horizon& horizon, SolveOptions options) {
  std::size_t least = theory::kMostDepthNodes;
  std::size_t most = 0;
  for (const Solution& channel : channels.distinct) {
    least = std::min(least, channel.depth.size());
    most = std::max(most, channel.depth.size());
  }
  if (least == most || problem.network.depth != kInfiniteDepth) return channels;
  options.depth_nodes = static_cast<int>(most);
  channels.distinct.clear();
  return solve_channels(problem, horizon, options);
}

/// What is reported of a call, so that it can be said again in the middle of a long step: nothing new, but the answer
/// may be to stop.
class LongCall {
 public:
  LongCall(const Horizon& horizon, const SolveOptions& options)
      : horizon_(horizon), progress_(options.progress), options_(options) {
    last_[1] = horizon.coarse() ? theory::kProgress : horizon.nodes;
    if (!progress_) return;
    options_.progress = [this](int done, int total) {
      last_ = {done, total};
      return progress_(done, total);
    };
  }
  LongCall(const LongCall&) = delete;
  LongCall& operator=(const LongCall&) = delete;

  void ask() const {
    if (progress_ && !progress_(last_[0], last_[1])) throw Interrupted(describe(horizon_) + " was interrupted");
  }
  [[nodiscard]] const SolveOptions& options() const { return options_; }

 private:
  const Horizon& horizon_;
  const Progress& progress_;
  SolveOptions options_;
  std::array<int, 2> last_{};  // done, of how many
};

std::size_t distinct_targets(const Problem& problem) {
  return std::set<double>(problem.data.targets.begin(), problem.data.targets.end()).size();
}

}  // namespace

double theory::solve_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const Problem channel = channel_problem(problem, 1.0);
  const double kept = channel_result_bytes(channel, horizon, options);
  return channel_bytes(channel, horizon, options) + kept * (static_cast<double>(distinct_targets(problem)) - 1.0);
}

double theory::result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const auto channels = static_cast<double>(distinct_targets(problem));
  return channels * channel_result_bytes(channel_problem(problem, 1.0), horizon, options);
}

Solution theory::solve_one(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  support::require_memory(solve_bytes(problem, horizon, options), options.memory_limit, describe(horizon));
  const LongCall call(horizon, options);
  const support::Interruptible interruptible([&] { call.ask(); });
  Channels channels =
      with_equal_depth(solve_channels(problem, horizon, call.options()), problem, horizon, call.options());
  Solution solution = combine(std::move(channels), problem.data.rotation);
  solution.stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return solution;
}

double estimate_solve_memory(const Problem& problem, int steps, const SolveOptions& options) {
  return theory::solve_bytes(problem, theory::steps_horizon(problem, steps, options), options);
}

Solution solve(const Problem& problem, int steps, const SolveOptions& options) {
  return theory::solve_one(problem, theory::steps_horizon(problem, steps, options), options);
}

Solution flow(const Problem& problem, double time, const SolveOptions& options) {
  return theory::solve_one(problem, theory::flow_horizon(problem, time, options), options);
}

}  // namespace lindmft
