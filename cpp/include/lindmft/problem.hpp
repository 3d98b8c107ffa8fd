// A problem: which network, trained on which data, by which optimizer.
// Plain value types; the conventions (scales, learning rates, widths) are those of theory.md sections 1, 2, 6 and 7.
#pragma once

#include <limits>
#include <vector>

#include "lindmft/export.h"

namespace lindmft {

enum class Architecture { mlp, resnet };
enum class Parameterization { mup, ntk };
enum class BranchScaling { depth, constant };

/// The depth of the limit L -> inf of residual networks.
inline constexpr int kInfiniteDepth = std::numeric_limits<int>::max();

/// Multilayer perceptron (theory.md section 1) or residual network (sections 4 and 5).
struct Network {
  Architecture kind = Architecture::mlp;
  int depth = 1;  ///< L, the number of hidden layers; kInfiniteDepth for residual networks
  std::vector<double> width{
      1.0};             ///< nu_l = N_l / D (trace class: N_l): one entry for equal widths, or L; may be infinite
  double gamma0 = 1.0;  ///< richness; 0 is the lazy limit
  Parameterization parameterization = Parameterization::mup;  ///< ntk: gamma0 / sqrt(width of the last hidden layer)
  double init_scale = 1.0;                                    ///< standard deviation of every initial weight
  bool centered = false;                                      ///< subtract the predictor at initialization
  double branch = 1.0;                                        ///< beta0 of residual networks
  BranchScaling branch_scaling = BranchScaling::depth;        ///< depth: branches beta0 / sqrt(L); constant: beta0
};

/// Distribution of the input covariance's eigenvalues and of the target over its modes (theory.md section 6).
/// In the trace-class normalization sums over modes replace averages: weights count modes, `Data::alpha` is the number
/// of samples P itself and `Network::width` the number of hidden units N.
struct Spectrum {
  std::vector<double> eigenvalues{1.0};   ///< lambda_k
  std::vector<double> target_power{1.0};  ///< (w*_k)^2
  std::vector<double> weights{1.0};       ///< p_k, the fraction of the modes, with sum 1 (trace class: their number)
  bool trace_class = false;               ///< actual counts instead of ratios to D
};

enum class DataMode { full_batch, multi_pass, one_pass, population };

/// How much data there is and how it is used (theory.md section 6).
struct Data {
  DataMode mode = DataMode::full_batch;
  double alpha = std::numeric_limits<double>::infinity();  ///< P / D; for one pass: batch / D (trace class: P; batch)
  double batch_fraction = 1.0;                             ///< multi pass: the probability that a step keeps a sample
  double noise = 0.0;                                      ///< sigma, the standard deviation of the label noise
  Spectrum spectrum;
  /// One entry an output channel, whose target is s_c times the spectrum's; the channels' targets are orthogonal.
  std::vector<double> targets{1.0};
  /// C x C, row-major, orthogonal: output c is sum_j rotation[c C + j] channel j. Empty: outputs are channels.
  std::vector<double> rotation{};
};

/// Any optimizer that is linear in the gradients (theory.md section 7; PyTorch's conventions).
struct Optimizer {
  std::vector<double> lr{0.1};  ///< eta: one entry for a constant rate, or one a step
  double momentum = 0.0;
  bool nesterov = false;
  double weight_decay = 0.0;  ///< W <- (1 - eta weight_decay) W + ...
  /// Multipliers of the gradient step, W^0 .. w^L; empty: all one. At infinite depth three: W^0, all branches, w^L.
  std::vector<double> layer_lr;
};

struct Problem {
  Network network;
  Data data;
  Optimizer optimizer;
};

/// Each throws std::invalid_argument naming the field, the value and what is allowed.
LINDMFT_EXPORT void validate(const Network& network);
LINDMFT_EXPORT void validate(const Data& data);
LINDMFT_EXPORT void validate(const Optimizer& optimizer);
/// The parts, and what ties them together: lengths of layer_lr and, with steps > 0, of the schedule.
LINDMFT_EXPORT void validate(const Problem& problem, int steps = 0);

}  // namespace lindmft
