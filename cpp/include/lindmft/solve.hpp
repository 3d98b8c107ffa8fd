// The infinite-size theory: two-time correlation and response functions by causal marching (theory.md sections 3 to
// 10).
#pragma once

#include <array>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lindmft/export.h"
#include "lindmft/matrix.hpp"
#include "lindmft/options.hpp"
#include "lindmft/problem.hpp"
#include "lindmft/progress.hpp"
#include "lindmft/series.hpp"
#include "lindmft/sharpness.hpp"

namespace lindmft {

/// Where the time points are (theory.md section 9).
enum class Grid {
  exact,     ///< every step
  adaptive,  ///< a few steps on each of growing panels, between which functions are polynomials: full batch, population
};

/// How a coarse grid continues after a fast mode that it does not resolve has become unstable.
enum class BeyondEdge {
  branch,  ///< continue as if nothing disturbed the mode
  steps    ///< from the last stable panel on every step is a node, if these are at most kMostResolvedSteps steps
};
inline constexpr int kMostResolvedSteps = 4000;

struct Solution;

/// The words for grids and for what they do beyond the edge of stability.
inline constexpr std::array<Word<BeyondEdge>, 2> words(BeyondEdge /*kind*/) {
  return {{{"branch", BeyondEdge::branch}, {"steps", BeyondEdge::steps}}};
}
inline constexpr std::array<Word<Grid>, 2> words(Grid /*kind*/) {
  return {{{"exact", Grid::exact}, {"adaptive", Grid::adaptive}}};
}

struct SolveOptions {
  Grid grid = Grid::exact;                      ///< of steps; flow() always has panels
  double rtol = 1e-6;                           ///< relative error allowed on coarse grids
  double atol = 1e-10;                          ///< absolute error allowed there, in units of the value at the start
  BeyondEdge beyond_edge = BeyondEdge::branch;  ///< on an adaptive grid
  int threads = 0;                              ///< 0: LINDMFT_NUM_THREADS, else the allowed cores
  double memory_limit = 0.0;                    ///< bytes the call may take; 0: four fifths of the free memory
  std::vector<std::string> save;                ///< two-time functions to keep: names of TwoTimeFunctions, or "all"
  int depth_nodes = 0;    ///< collocation nodes of infinite depth; 0: as many as an error estimate asks for
  bool replicas = false;  ///< also pairs of networks that share initial weights, data or neither
  bool kernels = false;   ///< also the neural tangent kernel
  bool modes = false;     ///< also the learning curves of the modes
  /// Also Solution::average_loss, of averaged weights Wbar(t) = (1 - a(t)) Wbar(t-1) + a(t) W(t): the share a(t) of
  /// every step, from 0 to 1 with a(0) = 1. Empty: none. On a grid of all steps.
  std::vector<double> average{};
  /// Times of the spectrum of the Hessian; steps, but for flow().
  std::vector<double> spectrum_at{};
  int lanczos = 24;         ///< steps of Lanczos' method for it
  bool keep_state = false;  ///< keep Solution::state, to resume from later; about as much memory again
  /// Continue this solution where it ended. It is of the same problem on the same kind of grid, kept its state and has
  /// not diverged. Without replicas, kernels, modes and averages. Must outlive the call.
  const Solution* continue_from = nullptr;
  Progress progress;

  /// Calls visit(option, member) with an Option and a pointer to its member, for every option that is a plain value.
  template <class Visit>
  static void for_each(Visit&& visit);
};

template <class Visit>
void SolveOptions::for_each(Visit&& visit) {
  using O = SolveOptions;
  visit(Option{"grid", kSolve | kSolveMany | kInC, "Every step, or nodes between which functions are polynomials."},
        &O::grid);
  visit(Option{"rtol", kTheory | kInC, "Relative error allowed on a coarse grid.", "between 1e-11 and 0.1", 1e-11, 0.1},
        &O::rtol);
  visit(Option{"atol", kTheory | kInC,
               "Absolute error allowed there, in units of the value at the start (of 1 where that is 0).",
               "between 1e-12 (rounding) and 0.1", 1e-12, 0.1},
        &O::atol);
  visit(Option{"beyond_edge", kSolve | kSolveMany | kInC,
               "On an adaptive grid, what to do where a mode becomes unstable that the grid does not follow."},
        &O::beyond_edge);
  visit(Option{"save", kTheory | kInC, "Two-time functions to keep, or all.", "names of two-time functions"}, &O::save);
  visit(Option{"replicas", kTheory | kInC, "Also split the test loss into bias and variances."}, &O::replicas);
  visit(Option{"kernels", kSolve | kSolveMany | kInC, "Also compute the neural tangent kernel."}, &O::kernels);
  visit(Option{"modes", kTheory | kInC, "Also compute the learning curve of each mode."}, &O::modes);
  visit(Option{"average", kSolve | kSolveMany, "Also compute the test loss of averaged weights."}, &O::average);
  visit(Option{"spectrum_at", kTheory | kInC, "Times at which to compute the spectrum of the Hessian."},
        &O::spectrum_at);
  visit(option_of_lanczos(kTheory | kInC, "a whole number from 2 to 64", 64.0), &O::lanczos);
  visit(Option{"depth_nodes", kTheory | kInC, "Collocation nodes in depth at infinite depth.", "between 2 and 64", 2.0,
               64.0, "as many as an error estimate asks for"},
        &O::depth_nodes);
  visit(Option{"keep_state", kTheory, "Keep the state from which a later call resumes."}, &O::keep_state);
  visit(option_of_threads(kTheory), &O::threads);
  visit(option_of_memory(kTheory), &O::memory_limit);
}

/// n x n, row t, column s; only the valid prefix if the run diverged. Kept only when asked for.
struct TwoTimeFunctions {
  // At infinite depth the nodes Solution::depth take the place of the layers 1 .. L.
  std::vector<Matrix> C_h;   ///< l = 0 .. L   correlation of h^l (h^0 is the data gradient u)
  std::vector<Matrix> C_g;   ///< l = 1 .. L   correlation of g^l
  std::vector<Matrix> R_hr;  ///< l = 0 .. L   response dh^l(t) / dr^l(s)
  std::vector<Matrix> R_gu;  ///< l = 1 .. L   response dg^l(t) / du^l(s)
  Matrix C_v;                ///< correlation of the discrepancy, lambda-weighted
  Matrix C_delta;            ///< correlation of the training errors Delta
  Matrix R_delta;            ///< response of the training errors

  /// Calls f(name, function...) for every function; see series.hpp.
  template <class F, class... Functions>
  static void for_each(F&& f, Functions&... of) {
    f("C_h", of.C_h...);
    f("C_g", of.C_g...);
    f("R_hr", of.R_hr...);
    f("R_gu", of.R_gu...);
    f("C_v", of.C_v...);
    f("C_delta", of.C_delta...);
    f("R_delta", of.R_delta...);
  }
};

struct SolveStats {
  int nodes = 0;
  int active_nodes = 0;     ///< with a condensed past, the most numbers that represent all times; otherwise nodes
  int panels = 0;           ///< groups of rows that became final together
  int rejected_panels = 0;  ///< attempts given up because they were too long
  int sweeps = 0;           ///< passes over the equations
  double row_sweeps = 0.0;  ///< rows swept, the measure of work: nodes times the mean number of sweeps
  double flops = 0.0;       ///< floating-point operations counted in matrix products
  double seconds = 0.0;
  int threads = 1;
  double error_estimate = 0.0;  ///< coarse grids: largest estimated relative error of a panel that was accepted
  double chain_residual =
      0.0;  ///< the chain identity (theory.md section 12 item 8): largest relative violation, an independent self-check
  double depth_error = 0.0;  ///< infinite depth: estimated relative error of the profiles over depth

  /// Calls f(name, number...) for every number.
  template <class F, class... Stats>
  static void for_each(F&& f, Stats&... of) {
    f("nodes", of.nodes...);
    f("active_nodes", of.active_nodes...);
    f("panels", of.panels...);
    f("rejected_panels", of.rejected_panels...);
    f("sweeps", of.sweeps...);
    f("row_sweeps", of.row_sweeps...);
    f("flops", of.flops...);
    f("seconds", of.seconds...);
    f("threads", of.threads...);
    f("error_estimate", of.error_estimate...);
    f("chain_residual", of.chain_residual...);
    f("depth_error", of.depth_error...);
  }
};

/// C_v^{ab}(t,t) of two networks a and b that share weights or data (theory.md section 3, replicas); n entries each.
/// Sharing data is sharing samples, label noise and the choice of samples in every step.
struct Replicas {
  std::vector<double> shared_init;  ///< the same initial weights, other data
  std::vector<double> shared_data;  ///< the same data, other initial weights
  std::vector<double> independent;  ///< other weights and other data: the bias
};

/// x^T NTK x / x^T x of the neural tangent kernel NTK of the predictor, D x D: d w_hat = eta NTK u for a small step
/// along the data gradient u. n entries each. An entry is NaN where the vector x is zero, and where u is no larger than
/// its rounding error: such a vector has no direction.
struct Kernels {
  std::vector<double> scale;     ///< x random: the mean eigenvalue
  std::vector<double> target;    ///< x = Lambda w*, the direction of the target's gradient
  std::vector<double> gradient;  ///< x = u, the direction in which training moves
};

/// Time is counted in steps (flow: in units of 1 / learning rate); an entry at t is before the update of step t. Past a
/// divergence: infinity. With several outputs, series are sums over them and functions are those of the channels.
struct Solution {
  std::vector<double> time;  ///< n
  std::vector<int> panels;   ///< coarse grids: first nodes of the panels, and n; a panel's functions are polynomials
  std::vector<double> test_loss;                   ///< n   C_v(t,t), excess over the irreducible sigma^2
  std::vector<double> train_loss;                  ///< n   C_Delta(t,t)
  std::vector<double> average_loss;                ///< n   test loss of averaged weights; empty unless asked for
  std::vector<double> term_target;                 ///< n   the three terms of C_v(t,t): target (the bias),
  std::vector<double> term_init;                   ///< n     initial weights at finite width,
  std::vector<double> term_data;                   ///< n     finite data
  std::vector<double> depth;                       ///< L       layers l = 1 .. L; infinite depth: nodes tau in [0, 1]
  std::vector<std::vector<double>> feature_norm;   ///< L x n   C_h^l(t,t), l = 1 .. L
  std::vector<std::vector<double>> gradient_norm;  ///< L x n   C_g^l(t,t), l = 1 .. L
  double irreducible = 0.0;                        ///< sigma^2
  std::optional<int> diverged_at;                  ///< the first step whose loss passes the threshold
  /// The time from which learning rate times sharpness exceeds stability_threshold(), where the solution does not
  /// follow the instability: on a coarse grid the rest is the unstable branch, on which fast modes stay at rest.
  std::optional<double> unstable_at;
  /// Exact steps: the last step before rounding errors, amplified by an instability, change the losses visibly. The
  /// rest is one possible continuation.
  std::optional<double> predictable_until;
  TwoTimeFunctions functions;
  Replicas replicas;                                      ///< empty unless asked for
  Kernels kernels;                                        ///< empty unless asked for
  HessianSpectrum spectrum;                               ///< empty unless asked for; of several outputs: of channels
  std::vector<std::vector<double>> test_loss_by_output;   ///< C x n
  std::vector<std::vector<double>> train_loss_by_output;  ///< C x n
  /// modes x n, empty unless asked for: the contribution of each mode to test_loss, p_k lambda_k <v_k v_k>(t,t).
  std::vector<std::vector<double>> mode_loss;
  /// modes x n, empty unless asked for: the mean fraction of each mode's target that has been learned, 1 - (H_k 1)(t).
  /// It is 0 for modes without a target (theory.md section 6).
  std::vector<std::vector<double>> mode_learned;
  /// n, empty without a second target (Data::switch_at): the test loss on the first one at all times.
  std::vector<double> first_task_loss;
  std::vector<Solution> channels;  ///< one a distinct target; empty if there is one output
  std::vector<int> channel;        ///< C   index of the channel of each target
  /// With keep_state, everything that the solver needs to resume, by name: n x n, or 1 x n.
  std::vector<std::pair<std::string, Matrix>> state;
  SolveStats stats;

  /// Calls f(series, values...) for every series over the times; see series.hpp. Unless it has a sign, a series is a
  /// mean of squares, or a quotient of two, and never negative.
  template <class F, class... Solutions>
  static void for_each_series(F&& f, Solutions&... of) {
    using Part = Series::Part;
    f(Series{"test_loss"}, of.test_loss...);
    f(Series{"train_loss"}, of.train_loss...);
    f(Series{"term_target"}, of.term_target...);
    f(Series{"term_init"}, of.term_init...);
    f(Series{"term_data"}, of.term_data...);
    f(Series{"feature_norm"}, of.feature_norm...);
    f(Series{"gradient_norm"}, of.gradient_norm...);
    f(Series{"test_loss_by_output", Part::outputs}, of.test_loss_by_output...);
    f(Series{"train_loss_by_output", Part::outputs}, of.train_loss_by_output...);
    f(Series{"shared_init", Part::replicas, "replicas.shared_init"}, of.replicas.shared_init...);
    f(Series{"shared_data", Part::replicas, "replicas.shared_data"}, of.replicas.shared_data...);
    f(Series{"independent", Part::replicas, "replicas.independent"}, of.replicas.independent...);
    f(Series{"kernel_scale", Part::kernels, "kernels.scale"}, of.kernels.scale...);
    f(Series{"kernel_target", Part::kernels, "kernels.target"}, of.kernels.target...);
    f(Series{"kernel_gradient", Part::kernels, "kernels.gradient"}, of.kernels.gradient...);
    f(Series{"average_loss", Part::average}, of.average_loss...);
    f(Series{"mode_loss", Part::modes}, of.mode_loss...);
    f(Series{"mode_learned", Part::modes, "mode_learned", true}, of.mode_learned...);
    f(Series{"first_task_loss", Part::switched}, of.first_task_loss...);
  }
};

/// Bytes that solve() takes at its peak. Throws BadInput.
[[nodiscard]] LINDMFT_EXPORT double estimate_solve_memory(const Problem& problem, int steps,
                                                          const SolveOptions& options = {});

/// Throw BadInput for everything that solve() or flow() would refuse, without computing anything. Memory is not
/// checked.
LINDMFT_EXPORT void check_solve(const Problem& problem, int steps, const SolveOptions& options = {});
LINDMFT_EXPORT void check_flow(const Problem& problem, double time, const SolveOptions& options = {});
/// The same for solve_many() and flow_many(): BadInput::index() is that of the problem.
LINDMFT_EXPORT void check_solve(std::span<const Problem> problems, int steps, const SolveOptions& options = {});
LINDMFT_EXPORT void check_flow(std::span<const Problem> problems, double time, const SolveOptions& options = {});

/// Solve for `steps` exact steps (n = steps entries, before each update).
/// Throws BadInput, MemoryLimit, NotConverged, Interrupted. Divergence is a result: diverged_at.
[[nodiscard]] LINDMFT_EXPORT Solution solve(const Problem& problem, int steps, const SolveOptions& options = {});

/// Gradient flow dW/dt = G from 0 to `time`: the limit of small learning rates, at time = learning rate times steps.
/// optimizer.lr plays no role; full batch or population, without momentum. Throws as solve does.
[[nodiscard]] LINDMFT_EXPORT Solution flow(const Problem& problem, double time, const SolveOptions& options = {});

/// The result or the error of one problem of many.
struct Attempt {
  Solution solution;         ///< empty after an error
  std::exception_ptr error;  ///< what solve() would have thrown, with "problems[i]: " before its message; null: none
};

/// Solve each of many problems, which share the options. The results are in the problems' order, and to the last bit
/// what solve() gives. options.threads is the number of problems that are solved at the same time, each of them by one
/// thread. Progress counts the steps of all problems (coarse grids: a thousand parts each). The memory is that of all
/// results and of the problems in flight, which are fewer than the threads where more would not fit.
///
/// Everything is checked before any work: throws BadInput, whose index() is that of the problem, and MemoryLimit. A
/// problem that fails later ends the call; the error of the first one in order is thrown ("problems[3]: ...").
[[nodiscard]] LINDMFT_EXPORT std::vector<Solution> solve_many(std::span<const Problem> problems, int steps,
                                                              const SolveOptions& options = {});
/// The same for flow(). Throws as solve_many() does.
[[nodiscard]] LINDMFT_EXPORT std::vector<Solution> flow_many(std::span<const Problem> problems, double time,
                                                             const SolveOptions& options = {});

/// The same, but the other problems are solved if one fails. What is checked before any work still throws, and so does
/// Interrupted.
[[nodiscard]] LINDMFT_EXPORT std::vector<Attempt> try_solve_many(std::span<const Problem> problems, int steps,
                                                                 const SolveOptions& options = {});
[[nodiscard]] LINDMFT_EXPORT std::vector<Attempt> try_flow_many(std::span<const Problem> problems, double time,
                                                                const SolveOptions& options = {});

}  // namespace lindmft
