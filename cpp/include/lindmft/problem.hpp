// A problem: a network, the data that it is trained on, and the optimizer.
// These are plain value types. The scales of learning rates, widths and data are defined in theory.md sections 1, 2, 6
// and 7.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "lindmft/export.h"

namespace lindmft {

enum class Architecture { mlp, resnet };
enum class Parameterization { mup, ntk };
enum class BranchScaling { depth, constant };

/// The depth that stands for the limit L -> inf of residual networks.
inline constexpr int kInfiniteDepth = std::numeric_limits<int>::max();

/// Multilayer perceptron (theory.md section 1) or residual network (sections 4 and 5).
struct Network {
  Architecture kind = Architecture::mlp;
  int depth = 1;  ///< L, the number of hidden layers; kInfiniteDepth for residual networks
  std::vector<double> width{
      1.0};  ///< nu_l = N_l / D (trace class: N_l): one entry for equal widths, or L entries; may be infinite
  double gamma0 = 1.0;                                        ///< richness; 0 is the lazy limit
  Parameterization parameterization = Parameterization::mup;  ///< ntk: gamma0 / sqrt(width of the last hidden layer)
  /// Standard deviation of the initial weights: one entry for all of them, or one for each of W^0 .. w^L (infinite
  /// depth: three, for W^0, for all branches, and for w^L). An array may start at zero.
  std::vector<double> init_scale{1.0};
  bool centered = false;                                ///< subtract the predictor at initialization
  double branch = 1.0;                                  ///< beta0 of residual networks
  BranchScaling branch_scaling = BranchScaling::depth;  ///< depth: branches beta0 / sqrt(L); constant: beta0
  bool zero_readout = false;                            ///< the readout starts at zero instead of init_scale
};

/// The largest standard deviation of initial weights, s.
LINDMFT_EXPORT double init_unit(const Network& network);

/// Distribution of the input covariance's eigenvalues and of the target over its modes (theory.md section 6).
/// In the trace-class normalization sums over modes replace averages: weights count modes, `Data::alpha` is the number
/// of samples P itself and `Network::width` the number of hidden units N.
struct Spectrum {
  std::vector<double> eigenvalues{1.0};   ///< lambda_k
  std::vector<double> target_power{1.0};  ///< (w*_k)^2
  std::vector<double> weights{1.0};       ///< p_k, the fraction of the modes, with sum 1 (trace class: their number)
  bool trace_class = false;               ///< sizes are actual numbers instead of ratios to D
  /// Outputs that share modes: the target vectors w*_k of C outputs, modes x C, row-major (theory.md section 16).
  /// target_power is then |w*_k|^2. Empty: the outputs of `Data::targets`.
  std::vector<double> targets{};
};

enum class DataMode { full_batch, multi_pass, one_pass, population, epochs };

/// The amount of data, and how each step uses them (theory.md section 6).
struct Data {
  DataMode mode = DataMode::full_batch;
  /// P / D; for one pass: batch / D (trace class: P; batch). Infinity is allowed. It must be set for all data but the
  /// population, whose amount is infinite.
  std::optional<double> alpha{};
  /// One pass: batch / D (trace class: batch) of every step, in the place of alpha, which must then be the first entry.
  /// Empty: alpha in every step.
  std::vector<double> alphas{};
  double batch_fraction = 1.0;  ///< multi pass: the probability that a step keeps a sample
  int batches = 1;              ///< epochs: the number of batches, or steps, of an epoch
  double noise = 0.0;           ///< sigma, the standard deviation of the label noise
  Spectrum spectrum;
  /// s_c, one entry for each output channel: its target is s_c times the spectrum's. The targets of channels are
  /// orthogonal.
  std::vector<double> targets{1.0};
  /// An orthogonal C x C matrix, row-major: output c is sum_j rotation[c C + j] channel j. Empty: the outputs are the
  /// channels.
  std::vector<double> rotation{};
  /// A C x C matrix F, row-major: the label noise of outputs that share modes has the covariance F F^T. Empty: equal
  /// and independent noise of standard deviation `noise`.
  std::vector<double> noise_factor{};
  /// The first step with labels of a second target, on the same inputs and with the same noise; 0: there is none. In
  /// every mode its size is switch_strength times that of the first target, and the cosine of their angle is
  /// switch_overlap (theory.md section 18).
  int switch_at = 0;
  double switch_overlap = 0.0;
  double switch_strength = 1.0;
};

/// `Data::alpha`, or infinity where it is not set.
LINDMFT_EXPORT double amount(const Data& data);
/// C, the number of outputs.
LINDMFT_EXPORT int outputs(const Data& data);
/// Whether there is a second target that differs from the first.
LINDMFT_EXPORT bool has_second_target(const Data& data);
/// The variance of the label noise, summed over outputs.
LINDMFT_EXPORT double noise_variance(const Data& data);
/// Whether the gradient has new noise in every step, from random batches of finite size.
LINDMFT_EXPORT bool noisy(const Data& data);
/// Whether adaptive steps condense the past: the batches of steps are random and independent, so that two-time
/// functions are smooth where the two steps are apart (theory.md section 19).
LINDMFT_EXPORT bool condensable(const Data& data);
/// batch / D of a step (trace class: batch); P / D if the data are not one pass.
LINDMFT_EXPORT double alpha_at(const Data& data, int step);

/// Gradient descent with schedule, momentum and weight decay, in the conventions of PyTorch (theory.md section 7).
struct Optimizer {
  std::vector<double> lr{0.1};        ///< eta: one entry for a constant rate, or one entry for each step
  std::vector<double> momentum{0.0};  ///< beta: one entry, or one entry for each step
  bool nesterov = false;
  double weight_decay = 0.0;  ///< W <- (1 - eta weight_decay) W + ...
  /// Multipliers of the gradient step for W^0 .. w^L; empty: all 1. At infinite depth there are three: for W^0, for all
  /// branches, and for w^L.
  std::vector<double> layer_lr;
};

/// The entry of a schedule for a step; one with a single entry is constant.
inline double at_step(const std::vector<double>& schedule, int step) {
  return schedule.size() == 1 ? schedule.front() : schedule[static_cast<std::size_t>(step)];
}
/// Whether some step has momentum.
LINDMFT_EXPORT bool has_momentum(const Optimizer& optimizer);

struct Problem {
  Network network;
  Data data;
  Optimizer optimizer;
};

/// Each of these throws BadInput, whose message names the field, the value and what is allowed.
LINDMFT_EXPORT void validate(const Network& network);
LINDMFT_EXPORT void validate(const Data& data);
LINDMFT_EXPORT void validate(const Optimizer& optimizer);
/// Checks the parts, and that they fit together: the length of layer_lr and, if steps > 0, that of the schedule.
LINDMFT_EXPORT void validate(const Problem& problem, int steps = 0);

}  // namespace lindmft
