#include "training/plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include "problem/scales.hpp"
#include "support/threads.hpp"
#include "training/arrays.hpp"
#include "training/network.hpp"
#include "training/samples.hpp"
#include "training/trace_class.hpp"

namespace lindmft::training {
namespace {

void require(bool good, const std::string& field, const std::string& allowed, double value) {
  if (good) return;
  std::ostringstream message;
  message << field << " must be " << allowed << ", got " << value;
  throw std::invalid_argument(message.str());
}

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
  const bool population = data.mode == DataMode::population || std::isinf(data.alpha);
  return population ? 0 : size_of(data.alpha, dim, "data.alpha", "sample");
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

/// Bytes of everything but the results, for one seed at a time.
double seed_bytes(const Plan& plan) {
  const Problem& problem = plan.problem;
  const double networks = static_cast<double>(plan.k_init) * plan.k_data;
  const double outputs = plan.outputs();
  constexpr double kErrors = 3.0;                                                // v, s, q
  const double mode_vectors = 1.0 + 3.0 * outputs + (plan.kernels ? 2.0 : 0.0);  // 3: while a rotation is applied
  const std::vector<double> sizes(plan.sizes.begin(), plan.sizes.end());
  return networks *
             (FiniteNetwork::bytes(sizes, problem, plan.kernels) + kErrors * outputs * padded_bytes(plan.dim())) +
         plan.k_data * samples_bytes(problem.data, plan.dim(), plan.samples) + mode_vectors * padded_bytes(plan.dim());
}

/// `series`: numbers that a step of a seed leaves.
double plan_bytes(const Plan& plan, double series) {
  return plan.threads * seed_bytes(plan) + sizeof(double) * (series * plan.runs() + 1.0) * plan.steps;
}

void require_finite(const Problem& problem) {
  const Network& network = problem.network;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  require(network.depth != kInfiniteDepth, "network.depth", "finite to train networks", kInfinity);
  const std::string field = problem.data.spectrum.trace_class ? "network.hidden" : "network.width";
  for (const double width : network.width) require(std::isfinite(width), field, "finite to train networks", width);
}

/// Of everything that has streams of its own there can be so many (arrays.hpp).
void require_few(const Plan& plan) {
  const auto most = [](int limit, const std::string& what) { return "at most " + std::to_string(limit) + " " + what; };
  require(plan.outputs() <= kMostOutputs, "data.targets", most(kMostOutputs, "targets to train networks"),
          plan.outputs());
  require(plan.problem.network.depth <= kLargestDepth, "network.depth", most(kLargestDepth, "to train networks"),
          plan.problem.network.depth);
  const std::string allowed = "from 1 to " + std::to_string(kMostReplicas);
  require(plan.k_init >= 1 && plan.k_init <= kMostReplicas, "k_init", allowed, plan.k_init);
  require(plan.k_data >= 1 && plan.k_data <= kMostReplicas, "k_data", allowed, plan.k_data);
}

/// What both kinds of call settle alike; bytes are left open.
template <class Options>
Plan common_plan(const Problem& problem, int steps, const Options& options) {
  require(steps >= 1, "steps", "at least 1", steps);
  require(options.dim >= 1, "dim", "at least 1", options.dim);
  if (options.seeds.empty())
    throw std::invalid_argument("seeds must be a list with at least one entry, got an empty list");
  require_finite(problem);
  validate(problem, steps);
  const bool trace_class = problem.data.spectrum.trace_class;
  const Problem ordinary = trace_class ? with_ratios(problem, options.dim) : problem;
  Plan plan{.problem = ordinary,
            .steps = steps,
            .sizes = {options.dim},
            .samples = sample_count(ordinary.data, options.dim),
            .seeds = options.seeds,
            .threads = std::min(support::resolve_threads(options.threads), static_cast<int>(options.seeds.size())),
            .k_init = 1,
            .k_data = 1,
            .kernels = false,
            .feature_scale = trace_class ? 1.0 / options.dim : 1.0,
            .bytes = 0.0};
  return plan;
}

}  // namespace

Plan make_plan(const Problem& problem, int steps, const TrainOptions& options) {
  Plan plan = common_plan(problem, steps, options);
  require_few(plan);
  if (options.kernels && plan.outputs() > 1)
    throw std::invalid_argument("kernels must be left out with several targets, got true");
  plan.kernels = options.kernels;
  plan.sizes = network_sizes(plan.problem.network, options.dim);
  constexpr double kTotals = 3.0;  // both losses, chain_residual
  constexpr double kKernels = 3.0;
  plan.bytes = plan_bytes(plan, kTotals + 2.0 * plan.depth() + 2.0 * plan.outputs() + (plan.kernels ? kKernels : 0.0));
  return plan;
}

Plan make_plan(const Problem& problem, int steps, const ReplicaOptions& options) {
  Plan plan = common_plan(problem, steps, options);
  plan.k_init = options.k_init;
  plan.k_data = options.k_data;
  require_few(plan);
  plan.sizes = network_sizes(plan.problem.network, options.dim);
  constexpr double kOverlaps = 5.0;  // four, and the averaged loss
  plan.bytes = plan_bytes(plan, kOverlaps);
  return plan;
}

}  // namespace lindmft::training
