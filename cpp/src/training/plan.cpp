#include "training/plan.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

#include "problem/scales.hpp"
#include "support/threads.hpp"
#include "training/network.hpp"
#include "training/samples.hpp"

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

double plan_bytes(const Plan& plan) {
  const int dim = plan.sizes.front();
  const std::vector<double> sizes(plan.sizes.begin(), plan.sizes.end());
  constexpr double kModeVectors = 5.0;  // eigenvalues, target, v, and s, q of the data
  const double one = FiniteNetwork::bytes(sizes, plan.problem.optimizer.momentum > 0.0) +
                     samples_bytes(plan.problem.data, dim, plan.samples) + kModeVectors * padded_bytes(dim);
  const double series = 3.0 + 2.0 * plan.problem.network.depth;
  return plan.threads * one + sizeof(double) * (series * plan.networks + 1.0) * plan.steps;
}

}  // namespace

Plan make_plan(const Problem& problem, int steps, const TrainOptions& options) {
  require(steps >= 1, "steps", "at least 1", steps);
  require(options.dim >= 1, "dim", "at least 1", options.dim);
  if (options.seeds.empty())
    throw std::invalid_argument("seeds must be a list with at least one entry, got an empty list");
  for (const double width : problem.network.width)
    require(std::isfinite(width), "network.width", "finite to train networks", width);
  validate(problem, steps);

  Plan plan{.problem = problem,
            .steps = steps,
            .sizes = network_sizes(problem.network, options.dim),
            .samples = sample_count(problem.data, options.dim),
            .networks = static_cast<int>(options.seeds.size()),
            .threads = std::min(support::resolve_threads(options.threads), static_cast<int>(options.seeds.size())),
            .bytes = 0.0};
  plan.bytes = plan_bytes(plan);
  return plan;
}

}  // namespace lindmft::training
