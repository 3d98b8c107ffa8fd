#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "lindmft/problem.hpp"
#include "support/refusals.hpp"

namespace lindmft {
namespace {

using support::refuse;
using support::require;
using support::text;

std::string entry(const std::string& field, std::size_t i) { return field + "[" + std::to_string(i) + "]"; }

/// Every entry, with the index in the message where there is more than one.
template <class Predicate>
void require_all(const std::vector<double>& values, const std::string& field, const std::string& allowed,
                 Predicate good) {
  for (std::size_t i = 0; i < values.size(); ++i)
    require(good(values[i]), values.size() == 1 ? field : entry(field, i), allowed, values[i]);
}

bool finite_not_negative(double x) { return std::isfinite(x) && x >= 0.0; }
bool finite_positive(double x) { return std::isfinite(x) && x > 0.0; }
bool positive(double x) { return x > 0.0; }  // false for nan

void validate_depth(const Network& network) {
  if (network.depth < 1) refuse("network.depth", "at least 1", std::to_string(network.depth));
  if (network.depth != kInfiniteDepth) return;
  if (network.kind == Architecture::mlp)
    refuse("network.depth", "finite for kind 'mlp' (only residual networks have a limit of infinite depth)", "inf");
  if (network.branch_scaling == BranchScaling::constant) {
    refuse("network.branch_scaling",
           "'depth' for depth = inf (constant branches have no limit: signals grow like (1 + branch^2)^depth)",
           "'constant'");
  }
}

void validate_branches(const Network& network) {
  const std::size_t widths = network.width.size();
  if (network.kind == Architecture::resnet) {
    if (widths != 1)
      refuse("network.width", "one number for kind 'resnet' (skip connections join layers of equal width)",
             std::to_string(widths) + " numbers");
    require(finite_not_negative(network.branch), "network.branch", "finite and not negative", network.branch);
    return;
  }
  constexpr const char* kNoBranches = "perceptrons have no branches";
  if (network.branch != 1.0)
    throw BadInput::conflict("network.branch", "kind 'mlp'", kNoBranches, "Leave it out, or use a 'resnet'");
  if (network.branch_scaling != BranchScaling::depth)
    throw BadInput::conflict("network.branch_scaling", "kind 'mlp'", kNoBranches, "Leave it out, or use a 'resnet'");
  if (widths != 1 && widths != static_cast<std::size_t>(network.depth)) {
    refuse("network.width", "one number, or a list of depth (" + std::to_string(network.depth) + ") numbers",
           std::to_string(widths) + " numbers");
  }
}

void validate_outputs(const Data& data) {
  const std::size_t outputs = data.targets.size();
  if (outputs == 0) refuse("data.targets", "a list with at least one entry", "an empty list");
  require_all(data.targets, "data.targets", "finite and not negative", finite_not_negative);
  if (data.rotation.empty()) return;
  if (data.rotation.size() != outputs * outputs)
    refuse("data.rotation", "a square of as many rows as targets (" + std::to_string(outputs) + ")",
           std::to_string(data.rotation.size()) + " numbers");
  for (std::size_t a = 0; a < outputs; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      const auto row = [&](std::size_t i) { return data.rotation.begin() + static_cast<std::ptrdiff_t>(i * outputs); };
      const double product = std::inner_product(row(a), row(a + 1), row(b), 0.0);
      require(std::abs(product - (a == b ? 1.0 : 0.0)) < 1e-9, "data.rotation", "orthogonal", product);
    }
  }
}

/// Targets of outputs that share modes, and their noise.
void validate_shared_modes(const Data& data) {
  const Spectrum& spectrum = data.spectrum;
  const std::size_t modes = spectrum.eigenvalues.size();
  const std::size_t numbers = spectrum.targets.size();
  if (numbers == 0) {
    if (!data.noise_factor.empty())
      throw BadInput::conflict("data.noise_covariance", "data.targets", "norms of targets come with equal noise",
                               "Give the targets of all modes, data.spectrum.targets");
    return;
  }
  if (numbers % modes != 0)
    refuse("data.spectrum.targets", "a table with a row for each of the " + std::to_string(modes) + " modes",
           std::to_string(numbers) + " numbers");
  if (data.targets.size() != 1 || data.targets.front() != 1.0 || !data.rotation.empty())
    throw BadInput::conflict("data.targets", "data.spectrum.targets", "both are targets of several outputs",
                             "Leave data.targets out");
  require_all(spectrum.targets, "data.spectrum.targets", "finite", [](double x) { return std::isfinite(x); });
  const std::size_t count = numbers / modes;
  for (std::size_t k = 0; k < modes; ++k) {
    const auto row = spectrum.targets.begin() + static_cast<std::ptrdiff_t>(k * count);
    const double power = std::inner_product(row, row + static_cast<std::ptrdiff_t>(count), row, 0.0);
    require(std::abs(power - spectrum.target_power[k]) <= 1e-9 * power, entry("data.spectrum.target_power", k),
            "the squared norm of the mode's targets, " + text(power), spectrum.target_power[k]);
  }
  const std::size_t square = (numbers / modes) * (numbers / modes);
  if (!data.noise_factor.empty() && data.noise_factor.size() != square)
    refuse("data.noise_covariance",
           "a square matrix with a row for each output (" + std::to_string(numbers / modes) + ")",
           std::to_string(data.noise_factor.size()) + " numbers");
  require_all(data.noise_factor, "data.noise_covariance", "finite", [](double x) { return std::isfinite(x); });
}

void validate(const Spectrum& spectrum) {
  const std::size_t modes = spectrum.eigenvalues.size();
  if (modes == 0) refuse("data.spectrum.eigenvalues", "a list with at least one entry", "an empty list");
  const auto same_length = [&](const std::vector<double>& values, const char* field) {
    if (values.size() != modes)
      refuse(field, "as long as eigenvalues (" + std::to_string(modes) + " entries)",
             std::to_string(values.size()) + " entries");
  };
  same_length(spectrum.target_power, "data.spectrum.target_power");
  same_length(spectrum.weights, "data.spectrum.weights");
  require_all(spectrum.eigenvalues, "data.spectrum.eigenvalues", "finite and positive", finite_positive);
  require_all(spectrum.target_power, "data.spectrum.target_power", "finite and not negative", finite_not_negative);
  require_all(spectrum.weights, "data.spectrum.weights", "finite and positive", finite_positive);
  if (spectrum.trace_class) return;
  const double sum = std::accumulate(spectrum.weights.begin(), spectrum.weights.end(), 0.0);
  if (std::abs(sum - 1.0) > 1e-9) refuse("data.spectrum.weights", "fractions that sum to 1", "a sum of " + text(sum));
}

/// The batches of one pass, which may have another size in every step.
void validate_batches(const Data& data, const std::string& field) {
  if (data.alphas.empty()) return;
  if (data.mode != DataMode::one_pass)
    refuse(field, "a number for this data.kind (only 'one_pass' has a batch for each step)",
           std::to_string(data.alphas.size()) + " numbers");
  require_all(data.alphas, field, "finite and positive in a list", finite_positive);
  if (data.alpha != data.alphas.front())
    refuse(field, "the first entry of its list (" + text(data.alphas.front()) + ")", text(amount(data)));
}

/// Every step has an entry of a schedule.
void validate_length(const std::vector<double>& schedule, const std::string& field, int steps) {
  const std::size_t entries = schedule.size();
  if (entries > 1 && entries < static_cast<std::size_t>(steps))
    refuse(field, "a number, or a list of at least steps (" + std::to_string(steps) + ") numbers",
           std::to_string(entries) + " numbers");
}

/// How users call `alpha`.
std::string amount_field(const Data& data) {
  if (!data.spectrum.trace_class) return "data.alpha";
  return data.mode == DataMode::one_pass ? "data.batch" : "data.samples";
}

void validate_amount(const Data& data) {
  const std::string field = amount_field(data);
  const bool population = data.mode == DataMode::population;
  if (!data.alpha && !population)
    throw BadInput::missing(field, data.spectrum.trace_class
                                       ? "with a trace-class spectrum the amount of data is an actual number"
                                       : "give the amount of data as a ratio to D, or infinity for the population");
  if (data.alphas.empty()) require(positive(amount(data)), field, "positive (inf is allowed)", amount(data));
  validate_batches(data, field);
  if (population && !std::isinf(amount(data)))
    throw BadInput::conflict(field, "population data", "its amount is infinite", "Leave it out");
}

void validate_second_target(const Data& data) {
  require(data.switch_at >= 0, "data.switch_at", "at least 0", data.switch_at);
  require(std::abs(data.switch_overlap) <= 1.0, "data.switch_overlap", "from -1 to 1", data.switch_overlap);
  require(finite_not_negative(data.switch_strength), "data.switch_strength", "finite and not negative",
          data.switch_strength);
}

/// The number of weight arrays, and what a list with an entry for each must be.
std::size_t arrays(const Network& network) {
  return network.depth == kInfiniteDepth ? 3 : static_cast<std::size_t>(network.depth) + 1;
}
std::string list_of_arrays(const Network& network) {
  if (network.depth == kInfiniteDepth) return "a list of 3 numbers at infinite depth: input, every branch, readout";
  return "a list of depth + 1 (" + std::to_string(arrays(network)) + ") numbers, input to readout";
}

/// Arrays may start at zero if the others carry a gradient to them.
void validate_init_scale(const Network& network) {
  const std::vector<double>& scale = network.init_scale;
  const std::string field = "network.init_scale";
  if (scale.size() == 1) return require(finite_positive(scale.front()), field, "finite and positive", scale.front());
  if (scale.size() != arrays(network))
    refuse(field, "a number, or " + list_of_arrays(network), std::to_string(scale.size()) + " numbers");
  require_all(scale, field, "finite and not negative", finite_not_negative);
  if (network.zero_readout)
    throw BadInput::conflict("network.zero_readout", "a list as network.init_scale", "the list has an entry for it",
                             "Leave it out, and give 0 as the last entry of the list");
  const auto zeros = std::count(scale.begin(), scale.end(), 0.0);
  if (network.kind == Architecture::mlp && zeros > 1)
    refuse(field, "zero for at most one array (with more no array ever gets a gradient)",
           std::to_string(zeros) + " zeros");
  if (scale.front() == 0.0 && scale.back() == 0.0)
    refuse(field, "positive for the input or the readout (otherwise no array ever gets a gradient)", "0 for both");
}

}  // namespace

void validate(const Network& network) {
  validate_depth(network);
  validate_branches(network);
  const std::size_t widths = network.width.size();
  require_all(network.width, "network.width", "positive (inf is allowed)", positive);
  const auto infinite =
      std::count_if(network.width.begin(), network.width.end(), [](double w) { return std::isinf(w); });
  if (infinite != 0 && static_cast<std::size_t>(infinite) != widths) {
    refuse("network.width", "all finite or all inf (the ratio of widths has no limit otherwise)",
           std::to_string(infinite) + " infinite of " + std::to_string(widths));
  }
  require(finite_not_negative(network.gamma0), "network.gamma0", "finite and not negative", network.gamma0);
  if (network.gamma0 == 0.0 && network.parameterization == Parameterization::ntk) {
    refuse("network.gamma0", "positive in NTK parameterization (its lazy limit is width = inf)", "0");
  }
  if (network.gamma0 == 0.0 && infinite == 0) {
    refuse("network.gamma0",
           "positive at finite width (the lazy limit is gamma0 = 0 with width = inf, or NTK with width = inf)", "0");
  }
  validate_init_scale(network);
}

void validate(const Data& data) {
  validate_amount(data);
  require(data.batch_fraction > 0.0 && data.batch_fraction <= 1.0, "data.batch_fraction", "in (0, 1]",
          data.batch_fraction);
  if (data.mode != DataMode::multi_pass && data.batch_fraction != 1.0) {
    throw BadInput::conflict("data.batch_fraction", "this data.kind", "only 'multi_pass' draws batches from all data",
                             "Leave it out, or use 'multi_pass'");
  }
  require(data.batches >= 1, "data.batches", "at least 1", data.batches);
  if (data.mode != DataMode::epochs && data.batches != 1) {
    throw BadInput::conflict("data.batches", "this data.kind", "only 'epochs' divides the data into batches",
                             "Leave it out, or use 'epochs'");
  }
  require(finite_not_negative(data.noise), "data.noise", "finite and not negative", data.noise);
  validate(data.spectrum);
  validate_outputs(data);
  validate_shared_modes(data);
  validate_second_target(data);
}

bool has_second_target(const Data& data) {
  return data.switch_at > 0 && (data.switch_overlap != 1.0 || data.switch_strength != 1.0);
}

int outputs(const Data& data) {
  const Spectrum& spectrum = data.spectrum;
  if (spectrum.targets.empty()) return static_cast<int>(data.targets.size());
  return static_cast<int>(spectrum.targets.size() / spectrum.eigenvalues.size());
}

bool condensable(const Data& data) { return noisy(data) && data.mode != DataMode::epochs; }

bool noisy(const Data& data) {
  if (std::isinf(amount(data))) return false;
  return data.mode == DataMode::one_pass || (data.mode == DataMode::multi_pass && data.batch_fraction < 1.0) ||
         (data.mode == DataMode::epochs && data.batches > 1);
}

double amount(const Data& data) { return data.alpha.value_or(std::numeric_limits<double>::infinity()); }

double alpha_at(const Data& data, int step) { return data.alphas.empty() ? amount(data) : at_step(data.alphas, step); }

double noise_variance(const Data& data) {
  if (data.noise_factor.empty()) return outputs(data) * data.noise * data.noise;
  const std::vector<double>& F = data.noise_factor;
  return std::inner_product(F.begin(), F.end(), F.begin(), 0.0);
}

double init_unit(const Network& network) { return *std::ranges::max_element(network.init_scale); }

bool has_momentum(const Optimizer& optimizer) {
  return std::ranges::any_of(optimizer.momentum, [](double x) { return x > 0.0; });
}

void validate(const Optimizer& optimizer) {
  if (optimizer.lr.empty()) refuse("optimizer.lr", "a number or a list with at least one entry", "an empty list");
  require_all(optimizer.lr, "optimizer.lr", "finite and not negative", finite_not_negative);
  if (optimizer.momentum.empty())
    refuse("optimizer.momentum", "a number or a list with at least one entry", "an empty list");
  require_all(optimizer.momentum, "optimizer.momentum", "in [0, 1)", [](double x) { return x >= 0.0 && x < 1.0; });
  if (optimizer.nesterov && !has_momentum(optimizer)) refuse("optimizer.nesterov", "false without momentum", "true");
  require(finite_not_negative(optimizer.weight_decay), "optimizer.weight_decay", "finite and not negative",
          optimizer.weight_decay);
  require_all(optimizer.layer_lr, "optimizer.layer_lr", "finite and not negative", finite_not_negative);
}

void validate(const Problem& problem, int steps) {
  validate(problem.network);
  validate(problem.data);
  validate(problem.optimizer);
  const std::size_t multipliers = problem.optimizer.layer_lr.size();
  if (multipliers != 0 && multipliers != arrays(problem.network))
    refuse("optimizer.layer_lr", list_of_arrays(problem.network), std::to_string(multipliers) + " numbers");
  if (steps <= 0) return;
  validate_length(problem.optimizer.lr, "optimizer.lr", steps);
  validate_length(problem.optimizer.momentum, "optimizer.momentum", steps);
  validate_length(problem.data.alphas, amount_field(problem.data), steps);
}

}  // namespace lindmft
