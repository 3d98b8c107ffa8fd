#include "training/run/plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>

#include "problem/scales.hpp"
#include "support/average.hpp"
#include "support/refusals.hpp"
#include "support/threads.hpp"
#include "training/data/samples.hpp"
#include "training/data/stored.hpp"
#include "training/data/trace_class.hpp"
#include "training/network/network.hpp"
#include "training/random/arrays.hpp"
#include "training/run/grouping.hpp"
#include "training/run/lanczos.hpp"

namespace lindmft::training {
namespace {

using support::require;

constexpr double kLargestSize = 1 << 30;  // so that sums of sizes and loop steps fit an int

/// round(ratio * dim), refused where a finite system cannot have it.
int size_of(double ratio, int dim, const std::string& field, const std::string& what) {
  const double size = std::round(ratio * dim);
  const std::string with_dim = " with dim = " + std::to_string(dim);
  require(size >= 1.0, field, "large enough for one " + what + with_dim, ratio);
  require(size <= kLargestSize, field, "small enough for at most 2^30 " + what + "s" + with_dim, ratio);
  return static_cast<int>(size);
}

int sample_count(const Data& data, int dim) {
  const bool population = data.mode == DataMode::population || std::isinf(amount(data));
  if (population) return 0;
  const int count = size_of(amount(data), dim, "data.alpha", "sample");
  require(data.batches <= count, "data.batches", "at most the number of samples (" + std::to_string(count) + ")",
          data.batches);
  return count;
}

/// The batches of one pass in the steps of a run, where they are given one by one.
std::vector<int> batch_sizes(const Data& data, int dim, int steps) {
  std::vector<int> sizes;
  const bool listed = data.alphas.size() > 1;
  for (int t = 0; t < steps && listed; ++t)
    sizes.push_back(size_of(alpha_at(data, t), dim, "data.alpha[" + std::to_string(t) + "]", "sample"));
  return sizes;
}

std::vector<int> network_sizes(const Network& network, int dim) {
  const std::vector<double> widths = layer_widths(network);
  std::vector<int> sizes{dim};
  for (std::size_t l = 0; l < widths.size(); ++l) {
    std::string field = "network.width";
    if (network.width.size() > 1) field += '[' + std::to_string(l) + ']';
    sizes.push_back(size_of(widths[l], dim, field, "hidden unit"));
  }
  return sizes;
}

void require_finite(const Problem& problem) {
  const Network& network = problem.network;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  require(network.depth != kInfiniteDepth, "network.depth", "finite to train networks", kInfinity);
  const std::string field = problem.data.spectrum.trace_class ? "network.hidden" : "network.width";
  for (const double width : network.width) require(std::isfinite(width), field, "finite to train networks", width);
}

/// Everything with separate streams of random numbers has a largest number (arrays.hpp).
void require_few(const Plan& plan) {
  const auto most = [](int limit, const std::string& what) { return "at most " + std::to_string(limit) + " " + what; };
  require(plan.outputs() <= kMostOutputs, "data.targets", most(kMostOutputs, "targets to train networks"),
          plan.outputs());
  const int depth = plan.members.front().problem.network.depth;
  require(depth <= kLargestDepth, "network.depth", most(kLargestDepth, "to train networks"), depth);
}

/// Steps and options, which all problems have in common.
void require_common(int steps, const TrainOptions& options, Calls call, const std::string& name) {
  require(steps >= 1, "steps", "at least 1", steps);
  support::check_options(options, call, name);
  support::check_average(options.average, steps);
  require(!options.seeds.empty(), "seeds", "a list with at least one entry", "an empty list");
}

Extras extras(const TrainOptions& options) {
  return {.kernels = options.kernels,
          .updates = options.updates,
          .spectrum = !options.spectrum_at.empty(),
          .modes = options.modes,
          .average = !options.average.empty()};
}

/// Numbers that a step of a network leaves
double series(const Plan& plan) {
  constexpr double kTotals = 3.0;   // both losses, chain_residual
  constexpr double kKernels = 3.0;  // in three directions
  const double layers = plan.extras.updates ? 4.0 : 2.0;
  const double modes = plan.extras.modes ? 2.0 * plan.modes() : 0.0;
  return kTotals + layers * plan.depth() + 2.0 * plan.outputs() + (plan.extras.kernels ? kKernels : 0.0) + modes +
         (plan.extras.average ? 1.0 : 0.0);
}

/// Samples of unknown distribution have no target direction, and no noise that could be drawn anew.
void require_plain(const TrainOptions& options) {
  const auto refuse = [](const char* option, const char* why) {
    throw BadInput::conflict(option, "samples", why, std::string("Leave ") + option + " out");
  };
  if (options.kernels) refuse("kernels", "given samples have no known target");
  if (options.modes) refuse("modes", "given samples have no known target");
  if (!options.spectrum_at.empty()) refuse("spectrum_at", "given samples have no known target");
  if (std::ranges::any_of(options.noise_draw, [](auto draw) { return draw != 0; }))
    refuse("noise_draw", "given labels contain their noise");
}

/// Refuses options that cannot be combined with a second target.
void require_second_target(const Data& data, const TrainOptions& options) {
  if (!has_second_target(data)) return;
  const auto refuse = [](const char* option, const char* why) {
    throw BadInput::conflict("data.switch_at", option, why, "Leave one of them out");
  };
  if (options.samples) refuse("samples", "given samples have one label each");
  if (options.kernels) refuse("kernels", "the direction of the target changes");
  if (!options.spectrum_at.empty()) refuse("spectrum_at", "the direction of the target changes");
}

/// One problem alone, without a method yet
Plan plan_of(const Problem& given, int steps, const TrainOptions& options) {
  require_finite(given);
  validate(given, steps);
  if (options.samples) require_plain(options);
  const Problem problem = options.samples ? on_samples(given, *options.samples, options.dim) : given;
  const bool trace_class = problem.data.spectrum.trace_class;
  Plan plan{.members = {{.problem = trace_class ? with_ratios(problem, options.dim) : problem}},
            .steps = steps,
            .sizes = {options.dim},
            .samples = 0,
            .seeds = options.seeds,
            .extras = extras(options),
            .feature_scale = trace_class ? 1.0 / options.dim : 1.0,
            .precision = options.precision,
            .stop = steps,
            .average = options.average};
  require_few(plan);
  plan.samples = sample_count(plan.data(), options.dim);
  plan.batches = batch_sizes(plan.data(), options.dim, steps);
  if (!plan.batches.empty()) plan.samples = *std::ranges::max_element(plan.batches);
  require_second_target(plan.data(), options);
  plan.given = options.samples.get();
  if (plan.given != nullptr)
    require(plan.samples == plan.given->inputs.rows(), trace_class ? "data.samples" : "data.alpha",
            "that of the given samples (P = " + std::to_string(plan.given->inputs.rows()) + ")", plan.samples);
  plan.sizes = network_sizes(plan.members.front().problem.network, options.dim);
  plan.series = series(plan);
  return plan;
}

/// Return call(). A refusal in it is one of the problem `index`.
template <class Function>
auto at_index(std::size_t index, Function call) {
  try {
    return call();
  } catch (const BadInput& error) {
    throw error.at(index);
  }
}

bool any_momentum(const Plan& plan) {
  return std::ranges::any_of(plan.members, [](const Member& m) { return has_momentum(m.problem.optimizer); });
}

/// Several outputs have several kernels.
void require_one_target(const Plan& plan, const std::string& option) {
  if (plan.outputs() > 1)
    throw BadInput::conflict(option, "several targets", "each output has a different kernel",
                             "Leave " + option + " out");
}

/// Takes the steps whose spectrum is asked for: in ascending order, each once.
void add_spectrum(const TrainOptions& options, Plan& plan) {
  if (options.spectrum_at.empty()) return;
  require_one_target(plan, "spectrum_at");
  const std::string last = std::to_string(plan.steps - 1);
  for (const double t : options.spectrum_at) {
    require(t >= 0.0 && t < plan.steps && t == std::floor(t), "spectrum_at",
            "whole numbers from 0 to the last step (" + last + ")", t);
    plan.spectrum_at.push_back(static_cast<int>(t));
  }
  std::ranges::sort(plan.spectrum_at);
  plan.spectrum_at.erase(std::unique(plan.spectrum_at.begin(), plan.spectrum_at.end()), plan.spectrum_at.end());
  require(options.lanczos <= options.dim, "lanczos", "at most dim (" + std::to_string(options.dim) + ")",
          options.lanczos);
  plan.lanczos = options.lanczos;
}

/// In the first steps, of which each reads its batch
int mean_samples(const Plan& plan, int steps) {
  if (plan.batches.empty() || steps < 1) return plan.samples;
  const auto end = plan.batches.begin() + steps;
  return static_cast<int>(std::accumulate(plan.batches.begin(), end, std::int64_t{0}) / steps);
}

/// Of the networks with one initialization
Shape shape(const Plan& plan, int steps) {
  return {.sizes = plan.sizes,
          .samples = mean_samples(plan, steps),
          .networks = plan.count() * plan.k_data,
          .outputs = plan.outputs(),
          .steps = steps,
          .momentum = any_momentum(plan),
          .scalar = plan.scalar()};
}

/// At most, of one seed
double state_bytes(const Plan& plan) {
  return networks_bytes(plan.sizes, plan.schedule, plan.count(), plan.outputs(), any_momentum(plan), plan.extras,
                        plan.scalar());
}

/// Bytes of Lanczos' method, and of the products that it needs
double spectrum_bytes(const Plan& plan) {
  if (!plan.extras.spectrum) return 0.0;
  constexpr double kVectors = 2.0;
  return lanczos_bytes(plan.dim(), plan.lanczos) + padded_bytes(kVectors, plan.dim(), plan.scalar() + sizeof(double)) +
         padded_bytes(1.0, std::max(plan.samples, plan.dim()), plan.scalar());
}

/// Bytes of the residuals of held-out samples
double held_out_bytes(const Plan& plan, double vectors) {
  return plan.given == nullptr ? 0.0 : padded_bytes(vectors, plan.given->test_inputs.rows(), plan.scalar());
}

double seed_bytes(const Plan& plan) {
  const double networks = static_cast<double>(plan.count()) * plan.k_data;
  const double outputs = plan.outputs();
  const double mode_vectors =
      1.0 + 3.0 * outputs + (plan.extras.kernels ? 2.0 : 0.0);  // 3: while a rotation is applied
  const double errors = plan.extras.average ? 3.0 : 2.0;        // s, q
  return plan.k_init * (networks_bytes(plan.sizes, plan.schedule, networks, outputs, any_momentum(plan), plan.extras,
                                       plan.scalar()) +
                        padded_bytes(errors * networks * outputs, plan.dim(), plan.scalar())) +
         plan.k_data * samples_bytes(plan.data(), plan.dim(), plan.samples, plan.count() * plan.k_init, plan.scalar(),
                                     plan.given != nullptr) +
         held_out_bytes(plan, networks * outputs) + padded_bytes(mode_vectors, plan.dim(), sizeof(double)) +
         spectrum_bytes(plan);
}

void settle_method(Plan& plan, Method method) {
  const Shape s = shape(plan, plan.steps);
  // An average reads all weights in every step, which only arrays in place have at hand.
  if (method == Method::automatic && plan.extras.average) method = Method::in_place;
  plan.schedule = method == Method::automatic ? choose(s) : schedule_of(s, method);
  plan.seed_bytes = seed_bytes(plan);
}

/// Bytes of the trained weights and predictors
double weight_bytes(const Plan& plan) {
  if (!plan.weights) return 0.0;
  double numbers = plan.outputs() * (static_cast<double>(plan.sizes.back()) + plan.dim());
  for (std::size_t l = 0; l + 1 < plan.sizes.size(); ++l)
    numbers += static_cast<double>(plan.sizes[l]) * plan.sizes[l + 1];
  return sizeof(double) * plan.runs() * numbers;
}

/// Bytes of the results, and of given samples
double common_bytes(const std::vector<Plan>& plans) {
  const GivenSamples* given = plans.front().given;
  double sum = given == nullptr ? 0.0 : stored_bytes(*given, plans.front().scalar());
  for (const Plan& p : plans) {
    sum += sizeof(double) * p.count() * (p.series * p.runs() + 1.0) * p.steps + weight_bytes(p);
    constexpr double kNumbers = 3.0;  // time, sharpness and its error
    constexpr double kArrays = 4.0;   // values and weights from two start vectors
    sum += sizeof(double) * p.runs() * static_cast<double>(p.spectrum_at.size()) * (kNumbers + kArrays * p.lanczos);
  }
  return sum;
}

/// As many members at a time as fit into the memory, by equal parts.
std::vector<Plan> batches(const Plan& whole, Method method, double room) {
  std::vector<Plan> out;
  for (int parts = 1; parts <= whole.count(); ++parts) {
    const int size = (whole.count() + parts - 1) / parts;
    if (parts > 1 && size == (whole.count() + parts - 2) / (parts - 1)) continue;  // no smaller than before
    Plan batch = whole;
    batch.members.resize(static_cast<std::size_t>(size));
    settle_method(batch, method);
    if (batch.seed_bytes > room && size > 1) continue;
    for (int first = 0; first < whole.count(); first += size) {
      Plan& next = out.emplace_back(whole);
      const auto from = whole.members.begin() + first;
      next.members.assign(from, from + std::min(size, whole.count() - first));
      settle_method(next, method);
    }
    break;
  }
  return out;
}

/// A step with enough work for several threads. They synchronize about ten times in it, and where another program uses
/// a core, each time may cost as much as that program's time slice: small steps gain microseconds and may lose
/// milliseconds.
bool is_large(const Plan& plan) {
  constexpr double kOperations = 3e7;
  const Work one = work(shape(plan, 1), plan.schedule);
  return plan.k_init * one.operations > kOperations;
}

/// Seeds side by side while there are enough of them, and it fits; else large ones one by one, each with all threads.
Call call_of(std::vector<Plan> plans, Method method, int requested_threads, double limit) {
  const double results = common_bytes(plans);
  std::vector<Plan> all;
  for (const Plan& plan : plans) {
    for (Plan& batch : batches(plan, method, limit - results)) all.push_back(std::move(batch));
  }
  int jobs = 0;
  double largest = 0.0;
  bool large = false;
  for (const Plan& p : all) {
    jobs += p.runs();
    largest = std::max(largest, p.seed_bytes);
    large = large || is_large(p);
  }
  const int threads = support::resolve_threads(requested_threads);
  int at_a_time = std::min(threads, jobs);
  if (at_a_time * largest > limit - results) at_a_time = std::max(1, static_cast<int>((limit - results) / largest));
  if (large && at_a_time < threads) {
    at_a_time = 1;
    for (Plan& p : all) p.threads = threads;
  }
  return {.plans = std::move(all), .threads = at_a_time, .bytes = results + at_a_time * largest};
}

}  // namespace

Work Plan::work(int steps_done) const {
  const Work one = training::work(shape(*this, steps_done), schedule);
  const double inputs = static_cast<double>(samples) * dim() * steps_done * scalar();
  // A data set is read once for the networks of all initializations.
  return {k_init * one.operations, k_init * one.bytes + (k_data - k_init) * inputs};
}

int Plan::first(int seed) const {
  const std::string& start = starts.empty() ? std::string() : starts[static_cast<std::size_t>(seed)];
  if (start.empty()) return 0;
  int first = 0;
  Archive(std::string_view(start)).value(first);
  require(first >= 0 && first <= stop, "stop", "at least the first step of every start (" + support::text(first) + ")",
          stop);
  return first;
}

Call make_call(const Problem& problem, int steps, const TrainOptions& options, double limit) {
  require_common(steps, options, kTrain, "train");
  require(options.stop <= steps, "stop", "from 1 to the number of steps", options.stop);
  const std::size_t starts = options.start.size();
  require(starts == 0 || starts == options.seeds.size(), "start", "one entry a seed", starts);
  require(options.noise_draw.size() == 1, "noise_draw", "one number",
          std::to_string(options.noise_draw.size()) + " of them");
  Plan plan = plan_of(problem, steps, options);
  if (options.kernels) require_one_target(plan, "kernels");
  plan.weights = options.weights;
  add_spectrum(options, plan);
  plan.members.front().noise_draw = options.noise_draw.front();
  plan.keep_state = options.keep_state;
  plan.starts = options.start;
  Call call = call_of({plan}, options.method, options.threads, limit);
  Plan& settled = call.plans.front();
  settled.stop = options.stop > 0 ? options.stop : steps;
  if (options.keep_state || starts > 0) call.bytes += 2.0 * settled.runs() * state_bytes(settled);  // old and new
  return call;
}

Call make_call(std::span<const Problem> problems, int steps, const TrainOptions& options, double limit) {
  require_common(steps, options, kTrainMany, "train_many");
  require(!problems.empty(), "problems", "a list with at least one entry", "an empty list");
  const std::size_t draws = options.noise_draw.size();
  require(draws == 1 || draws == problems.size(), "noise_draw",
          "one number, or one a problem (" + std::to_string(problems.size()) + ")", draws);
  std::vector<Plan> groups;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    Plan plan = at_index(i, [&] { return plan_of(problems[i], steps, options); });
    plan.members.front().noise_draw = options.noise_draw[draws == 1 ? 0 : i];
    plan.members.front().index = static_cast<int>(i);
    add_to_groups(std::move(plan), groups);
  }
  return call_of(std::move(groups), options.method, options.threads, limit);
}

Call make_replica_call(const Problem& problem, int steps, const TrainOptions& options, double limit) {
  require_common(steps, options, kTrainReplicas, "train_replicas");
  if (options.samples) throw BadInput::unknown_option("samples", "train_replicas");
  Plan plan = plan_of(problem, steps, options);
  plan.k_init = options.k_init;
  plan.k_data = options.k_data;
  require_few(plan);
  constexpr double kOverlaps = 5.0;  // four, and the averaged loss
  plan.series = kOverlaps;
  return call_of({plan}, options.method, options.threads, limit);
}

}  // namespace lindmft::training
