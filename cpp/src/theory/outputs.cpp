#include "theory/outputs.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "theory/channel.hpp"
#include "theory/dense_output.hpp"
#include "theory/march/panel_march.hpp"
#include "theory/network/depth_grid.hpp"

namespace lindmft::theory {
namespace {

/// Several outputs, decoupled (theory.md section 8).
struct Channels {
  std::vector<Solution> distinct;  // one for each norm: channels of equal norms are solved once
  std::vector<int> of_target;      // C   index of the distinct channel of each target
};

Channels solve_channels(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  std::vector<double> norms;
  Channels out;
  for (const double norm : channel_norms(problem.data)) {
    const auto known = std::find(norms.begin(), norms.end(), norm);
    out.of_target.push_back(static_cast<int>(known - norms.begin()));
    if (known == norms.end()) norms.push_back(norm);
  }
  int reported = 0;
  const int parts = horizon.coarse() ? kProgress : horizon.times();
  for (std::size_t c = 0; c < norms.size(); ++c) {
    SolveOptions mine = options;
    const auto before = static_cast<double>(c);
    const auto all = static_cast<double>(norms.size());
    if (options.progress) {
      // Solving again with more nodes in depth starts from the beginning: the reported progress never decreases.
      mine.progress = [&, before, all](int done, int total) {
        const double share = (before + static_cast<double>(done) / total) / all;
        reported = std::max(reported, static_cast<int>(share * parts));
        return options.progress(reported, parts);
      };
    }
    if (options.continue_from != nullptr && channel_norms(problem.data).size() > 1)
      mine.continue_from = &options.continue_from->channels[c];
    out.distinct.push_back(solve_channel(channel_problem(problem, norms[c]), horizon, mine));
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
  sum.active_nodes = std::max(sum.active_nodes, stats.active_nodes);
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

/// The earlier of two events that may not have happened.
template <class Time>
void take_earlier(std::optional<Time>& at, const std::optional<Time>& other) {
  if (other && (!at || *other < *at)) at = other;
}

void add(Solution& sum, const Solution& channel) {
  sum.time = channel.time;
  sum.panels = channel.panels;
  sum.depth = channel.depth;
  sum.irreducible += channel.irreducible;
  Solution::for_each_series(
      [](const Series& series, auto& total, const auto& values) {
        if (series.adds_up()) add(total, values);
      },
      sum, channel);
  take_earlier(sum.diverged_at, channel.diverged_at);
  take_earlier(sum.unstable_at, channel.unstable_at);
  take_earlier(sum.predictable_until, channel.predictable_until);
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

/// On coarse grids the channels have different nodes. Interpolates all to the nodes of the channel with the most nodes.
Channels at_common_times(const Channels& channels) {
  const auto most =
      std::max_element(channels.distinct.begin(), channels.distinct.end(),
                       [](const Solution& a, const Solution& b) { return a.time.size() < b.time.size(); });
  Channels out;
  out.of_target = channels.of_target;
  for (const Solution& channel : channels.distinct) {
    out.distinct.push_back(at_times(channel, most->time));
    out.distinct.back().panels = most->panels;
  }
  return out;
}

void add(std::vector<double>& sum, const std::vector<double>& series, double weight) {
  sum.resize(series.size());
  for (std::size_t t = 0; t < series.size(); ++t) sum[t] += weight * series[t];
}

/// Learning curves of the modes: losses add up, and learned parts count by the power of the channel's target.
void add_modes(const Channels& channels, const std::vector<double>& norms, Solution& sum) {
  double power = 0.0;
  for (const double norm : norms) power += norm * norm;
  for (std::size_t j = 0; j < norms.size(); ++j) {
    const Solution& channel = channels.distinct[static_cast<std::size_t>(channels.of_target[j])];
    const double weight = power > 0.0 ? norms[j] * norms[j] / power : 1.0 / static_cast<double>(norms.size());
    sum.mode_learned.resize(channel.mode_learned.size());
    add(sum.mode_loss, channel.mode_loss);
    if (weight == 0.0) continue;  // a diverged channel is infinite
    for (std::size_t k = 0; k < channel.mode_learned.size(); ++k)
      add(sum.mode_learned[k], channel.mode_learned[k], weight);
  }
}

/// Series of the sum over channels, and losses by output.
Solution add_up(const Channels& channels, const Data& data) {
  const std::vector<double>& rotation = data.rotation;
  Solution sum;
  add_modes(channels, channel_norms(data), sum);
  for (const int c : channels.of_target) add(sum, channels.distinct[static_cast<std::size_t>(c)]);
  const Solution& only = channels.distinct.front();
  if (!only.test_loss_by_output.empty()) {  // its outputs share modes
    sum.test_loss_by_output = only.test_loss_by_output;
    sum.train_loss_by_output = only.train_loss_by_output;
    return sum;
  }
  for (std::size_t a = 0; a < channels.of_target.size(); ++a) {
    sum.test_loss_by_output.push_back(rotated(channels, &Solution::test_loss, rotation, a));
    sum.train_loss_by_output.push_back(rotated(channels, &Solution::train_loss, rotation, a));
  }
  return sum;
}

Solution combine(Channels channels, const Data& data) {
  const bool own_times = channels.distinct.size() > 1 && !channels.distinct.front().panels.empty();
  Solution sum = own_times ? add_up(at_common_times(channels), data) : add_up(channels, data);
  for (const Solution& channel : channels.distinct) add(sum.stats, channel.stats);
  if (channels.of_target.size() == 1) {
    sum.functions = std::move(channels.distinct.front().functions);
    sum.kernels = std::move(channels.distinct.front().kernels);
    sum.spectrum = std::move(channels.distinct.front().spectrum);
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

/// At infinite depth all channels must have the same nodes in depth; solves again with the largest number.
Channels with_equal_depth(Channels channels, const Problem& problem, const Horizon& horizon, SolveOptions options) {
  std::size_t least = kMostDepthNodes;
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

}  // namespace

bool share_modes(const Data& data) { return !data.spectrum.targets.empty() && outputs(data) > 1; }

std::vector<double> channel_norms(const Data& data) { return share_modes(data) ? std::vector{1.0} : data.targets; }

Problem channel_problem(const Problem& problem, double norm) {
  Problem channel = problem;
  channel.data.targets = {1.0};
  channel.data.rotation.clear();
  if (share_modes(problem.data)) return channel;
  for (double& power : channel.data.spectrum.target_power) power *= norm * norm;
  return channel;
}

std::size_t distinct_targets(const Problem& problem) {
  const std::vector<double> norms = channel_norms(problem.data);
  return std::set<double>(norms.begin(), norms.end()).size();
}

Solution solve_outputs(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  Channels channels = with_equal_depth(solve_channels(problem, horizon, options), problem, horizon, options);
  return combine(std::move(channels), problem.data);
}

}  // namespace lindmft::theory
