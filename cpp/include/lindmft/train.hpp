// Finite-size networks, trained by the collapsed updates of theory.md section 2.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lindmft/export.h"
#include "lindmft/matrix.hpp"
#include "lindmft/options.hpp"
#include "lindmft/problem.hpp"
#include "lindmft/progress.hpp"
#include "lindmft/series.hpp"
#include "lindmft/sharpness.hpp"

namespace lindmft {

/// The numbers of weights, data and signals. Observables are doubles, random numbers the same ones, rounded.
enum class Precision { float64, float32 };

/// How weights are kept; results agree to rounding.
enum class TrainMethod {
  automatic,  ///< whichever of the others should take the least time
  shared,     ///< of networks with the same initial weights: one product for all, what each learned as factors
  factored,   ///< each network's own, as of some steps ago, and factors of what came since
  in_place    ///< each network's own, updated every step
};

/// The words for numbers and methods.
inline constexpr std::array<Word<Precision>, 2> words(Precision /*kind*/) {
  return {{{"float64", Precision::float64}, {"float32", Precision::float32}}};
}
inline constexpr std::array<Word<TrainMethod>, 4> words(TrainMethod /*kind*/) {
  return {{{"automatic", TrainMethod::automatic},
           {"shared", TrainMethod::shared},
           {"factored", TrainMethod::factored},
           {"in_place", TrainMethod::in_place}}};
}

/// Samples on which networks are trained in the place of random ones: y and x of the model y = f(x), as they are. Of a
/// problem's data, the kind, the amount, the number of outputs and Spectrum::trace_class count.
struct GivenSamples {
  Matrix inputs;       ///< P x D
  Matrix labels;       ///< P x C
  Matrix test_inputs;  ///< P' x D  samples held out, on which the test loss is measured
  Matrix test_labels;  ///< P' x C
};

/// Options of train(), train_many() and train_replicas(). A call refuses those that it does not know, unless they have
/// their default: for_each() says which call knows which.
struct TrainOptions {
  int k_init = 2;                       ///< train_replicas(): initializations of a seed
  int k_data = 2;                       ///< train_replicas(): data sets of a seed
  int dim = 256;                        ///< D, the input dimension; N_l = round(width_l D), P = round(alpha D)
  std::vector<std::uint64_t> seeds{0};  ///< one network (weights, data, noise) a seed
  int threads = 0;                      ///< 0: LINDMFT_NUM_THREADS, else the allowed cores
  double memory_limit = 0.0;            ///< bytes the call may take; 0: four fifths of the free memory
  Progress progress{};
  bool kernels = false;               ///< record Ensemble's kernel_...; two more forward passes a step; one target only
  bool updates = false;               ///< record Ensemble's feature_update and gradient_update
  bool modes = false;                 ///< record Ensemble's mode_loss and mode_learned
  std::vector<double> average{};      ///< record Ensemble's average_loss: shares as in SolveOptions::average
  std::vector<double> spectrum_at{};  ///< steps before which to compute Ensemble::spectrum; one target only
  int lanczos = 24;                   ///< steps of Lanczos' method for it; with `dim` of them it is the whole spectrum
  /// Which independent draw of the label noise, on the same weights and inputs: one, or of train_many() one a problem.
  std::vector<std::uint32_t> noise_draw{0};
  Precision precision = Precision::float64;
  TrainMethod method = TrainMethod::automatic;
  /// Stop before this step; 0: after all. Entries from there on are zero.
  int stop = 0;
  bool weights = false;                           ///< fill Ensemble::weights and Ensemble::predictor
  std::shared_ptr<const GivenSamples> samples{};  ///< of train(): train on them; null: on random samples
  bool keep_state = false;                        ///< fill Ensemble::state
  std::vector<std::string> start{};  ///< Ensemble::state of an earlier call that differs in `stop` alone; or empty

  /// Calls visit(option, member) with an Option and a pointer to its member, for every option that is a plain value.
  template <class Visit>
  static void for_each(Visit&& visit);
};

template <class Visit>
void TrainOptions::for_each(Visit&& visit) {
  using O = TrainOptions;
  constexpr double kLargestDim = std::numeric_limits<int>::max();
  visit(Option{"dim", kTraining, "Input dimension D, of which widths and samples are multiples.", "at least 1", 1.0,
               kLargestDim},
        &O::dim);
  visit(Option{"seeds", kTraining, "Seeds of the networks."}, &O::seeds);
  visit(Option{"k_init", kTrainReplicas, "Initializations of a seed.", "from 1 to 256", 1.0, 256.0}, &O::k_init);
  visit(Option{"k_data", kTrainReplicas, "Data sets of a seed.", "from 1 to 256", 1.0, 256.0}, &O::k_data);
  visit(Option{"kernels", kTrain | kInC, "Also record the neural tangent kernel."}, &O::kernels);
  visit(Option{"spectrum_at", kTrain, "Steps before which to compute the spectrum of the Hessian."}, &O::spectrum_at);
  visit(option_of_lanczos(kTrain, "a whole number from 2 to 4096", 4096.0), &O::lanczos);
  visit(Option{"updates", kTrain | kTrainMany | kInC, "Also record how far features and gradients have moved."},
        &O::updates);
  visit(Option{"modes", kTrain | kTrainMany | kInC, "Also record the learning curve of each mode."}, &O::modes);
  visit(Option{"average", kTrain | kTrainMany, "Also record the test loss of averaged weights."}, &O::average);
  visit(Option{"weights", kTrain, "Also keep the trained weights."}, &O::weights);
  visit(Option{"noise_draw", kTrain | kTrainMany | kInC,
               "Which independent draw of the label noise, on the same weights and inputs.",
               "a whole number from 0 to 2^32 - 1", 0.0, std::numeric_limits<std::uint32_t>::max()},
        &O::noise_draw);
  visit(Option{"precision", kTraining | kInC, "The numbers of weights, data and signals."}, &O::precision);
  visit(Option{"method", kTraining | kInC, "How weights are kept."}, &O::method);
  visit(Option{"stop", kTrain, "The step before which to stop.", "from 1 to the number of steps", 1.0, kLargestDim,
               "the last step"},
        &O::stop);
  visit(Option{"keep_state", kTrain, "Keep the states from which a later call resumes."}, &O::keep_state);
  visit(Option{"start", kTrain, "The states of the networks from which to resume."}, &O::start);
  visit(option_of_threads(kTraining), &O::threads);
  visit(option_of_memory(kTraining), &O::memory_limit);
}

struct TrainStats {
  double seconds = 0.0;  ///< of the whole call
  int threads = 1;
  std::string instruction_set;  ///< of the fused kernels: the one chosen at run time
  std::string method;           ///< "shared", "factored" or "in_place"; see TrainMethod
  double operations = 0.0;      ///< counted operations of the products with weights and data; draws are left out
  double bytes_moved = 0.0;     ///< by them if no array stays in a cache; what networks share, by equal parts

  /// Calls f(name, value) for every number and text.
  template <class F, class Stats>
  static void for_each(F&& f, Stats& of) {
    f("seconds", of.seconds);
    f("threads", of.threads);
    f("instruction_set", of.instruction_set);
    f("method", of.method);
    f("operations", of.operations);
    f("bytes_moved", of.bytes_moved);
  }
};

/// Time is counted in steps; an entry at t is before the update of step t. Past a network's divergence: infinity.
/// With C outputs (data.targets): losses and norms are sums over them.
struct Ensemble {
  int dim = 0;
  int samples = 0;                   ///< P, or the batch of one pass; 0 for the population
  std::vector<int> widths;           ///< L               N_1 .. N_L
  std::vector<std::uint64_t> seeds;  ///< seeds           as asked for
  std::vector<double> time;          ///< n               0, 1, 2, ...
  int test_samples = 0;              ///< samples held out, of TrainOptions::samples; 0 of random samples
  /// seeds x n       (1/D) sum_k lambda_k v_k^2, excess. With held-out samples their mean of (y - f)^2, noise included
  Matrix test_loss;
  Matrix train_loss;                         ///< seeds x n       (1/P) sum Delta^2, all samples; one pass: fresh batch
  Matrix average_loss;                       ///< seeds x n       test loss of averaged weights, or empty
  std::vector<Matrix> test_loss_by_output;   ///< C of seeds x n  the terms of test_loss
  std::vector<Matrix> train_loss_by_output;  ///< C of seeds x n  the terms of train_loss
  std::vector<Matrix> feature_norm;          ///< L of seeds x n  |h^l|^2 / N_l, l = 1 .. L
  std::vector<Matrix> gradient_norm;         ///< L of seeds x n  |g^l|^2 / N_l, l = 1 .. L
  std::vector<Matrix> feature_update;        ///< L of seeds x n  |h^l - h^l(0)|^2 / N_l, or empty
  std::vector<Matrix> gradient_update;       ///< L of seeds x n  |g^l - g^l(0)|^2 / N_l, or empty
  Matrix chain_residual;  ///< seeds x n       relative spread of g^l.h^l over l (theory.md section 12 item 8)
  /// Rayleigh quotients x . K x / x . x of the predictor's neural tangent kernel K (D x D: a small gradient step moves
  /// w_hat by eta K u), or empty: for the data gradient x = u, for x = Lambda w*, and for a random direction, where the
  /// mean over seeds is that of Tr K / D. NaN where x is zero: such a vector has no direction.
  Matrix kernel_gradient;  ///< seeds x n
  Matrix kernel_target;    ///< seeds x n
  Matrix kernel_scale;     ///< seeds x n
  /// Empty or, for each mode of the spectrum that is trained, seeds x n: the terms of test_loss; and the part of the
  /// target that has been learned, w_hat . w* / |w*|^2 over the coordinates of the mode, 0 without a target there.
  std::vector<Matrix> mode_loss;
  std::vector<Matrix> mode_learned;
  Matrix first_task_loss;        ///< seeds x n       test loss on the first target, or empty (Data::switch_at)
  std::vector<int> diverged_at;  ///< seeds           first step past 1e12 max(1, initial test loss), or -1
  /// seeds  or empty; infinite past a divergence, and zero at steps that this call does not do.
  std::vector<HessianSpectrum> spectrum;
  /// The weights with the losses of the last time, W^0 .. W^{L-1} and the readouts w^L (theory.md section 1), or no
  /// entries: L + 1 of (seeds N_{l+1}) x N_l, with N_{L+1} = C. NaN after a divergence.
  std::vector<Matrix> weights;
  /// (seeds C) x D  p of the trained predictors f(x) = p . x, or empty. Inputs x are in the basis of the modes.
  Matrix predictor;
  Precision precision = Precision::float64;
  std::uint32_t noise_draw = 0;
  /// seeds  bytes from which TrainOptions::start resumes, on machines with the same order of bytes. The bytes of a
  /// network that diverged are empty; without TrainOptions::keep_state the vector is.
  std::vector<std::string> state;
  TrainStats stats;

  /// Calls f(series, values...) for every series over seeds and times; see series.hpp. Lists of matrices run over the
  /// outputs (Series::Part::outputs), the modes (Series::Part::modes) or the layers.
  template <class F, class... Ensembles>
  static void for_each_series(F&& f, Ensembles&... of) {
    using Part = Series::Part;
    f(Series{"test_loss"}, of.test_loss...);
    f(Series{"train_loss"}, of.train_loss...);
    f(Series{"chain_residual"}, of.chain_residual...);
    f(Series{"feature_norm"}, of.feature_norm...);
    f(Series{"gradient_norm"}, of.gradient_norm...);
    f(Series{"test_loss_by_output", Part::outputs}, of.test_loss_by_output...);
    f(Series{"train_loss_by_output", Part::outputs}, of.train_loss_by_output...);
    f(Series{"feature_update", Part::updates}, of.feature_update...);
    f(Series{"gradient_update", Part::updates}, of.gradient_update...);
    f(Series{"kernel_scale", Part::kernels, "kernels.scale"}, of.kernel_scale...);
    f(Series{"kernel_target", Part::kernels, "kernels.target"}, of.kernel_target...);
    f(Series{"kernel_gradient", Part::kernels, "kernels.gradient"}, of.kernel_gradient...);
    f(Series{"average_loss", Part::average}, of.average_loss...);
    f(Series{"mode_loss", Part::modes}, of.mode_loss...);
    f(Series{"mode_learned", Part::modes, "mode_learned", true}, of.mode_learned...);
    f(Series{"first_task_loss", Part::switched}, of.first_task_loss...);
  }
};

/// Overlaps of the discrepancies of two networks a, b of a seed, (1/D) sum_k lambda_k v_k^a v_k^b summed over outputs
/// (theory.md section 3, replicas), averaged over the pairs of a kind; a kind without pairs is empty. Time and
/// divergence as in Ensemble: a seed has diverged once one of its networks has.
struct ReplicaEnsemble {
  int dim = 0;
  int samples = 0;                   ///< P, or the batch of one pass; 0 for the population
  int k_init = 0;                    ///< initializations of a seed
  int k_data = 0;                    ///< data sets of a seed
  std::vector<int> widths;           ///< L          N_1 .. N_L
  std::vector<std::uint64_t> seeds;  ///< seeds      as asked for
  std::vector<double> time;          ///< n          0, 1, 2, ...
  Matrix test_loss;                  ///< seeds x n  a = b: the mean test loss
  Matrix shared_init;                ///< seeds x n  the same initial weights, different data
  Matrix shared_data;                ///< seeds x n  the same data, different initial weights
  Matrix independent;                ///< seeds x n  both different
  Matrix averaged_loss;              ///< seeds x n  test loss of the prediction averaged over all networks of a seed
  std::vector<int> diverged_at;      ///< seeds      first step past 1e12 max(1, initial test loss), or -1
  Precision precision = Precision::float64;
  TrainStats stats;

  /// Calls f(series, values...) for every series over seeds and times; see series.hpp.
  template <class F, class... Ensembles>
  static void for_each_series(F&& f, Ensembles&... of) {
    using Part = Series::Part;
    f(Series{"test_loss"}, of.test_loss...);
    f(Series{"shared_init", Part::replicas}, of.shared_init...);
    f(Series{"shared_data", Part::replicas}, of.shared_data...);
    f(Series{"independent", Part::replicas}, of.independent...);
    f(Series{"averaged_loss"}, of.averaged_loss...);
  }
};

/// Bytes that train(), train_many() and train_replicas() take at their peak, where that much is free: with less they
/// use fewer threads, and train_many() trains fewer networks at a time. They throw BadInput.
[[nodiscard]] LINDMFT_EXPORT double estimate_train_memory(const Problem& problem, int steps,
                                                          const TrainOptions& options);
[[nodiscard]] LINDMFT_EXPORT double estimate_train_many_memory(std::span<const Problem> problems, int steps,
                                                               const TrainOptions& options);
[[nodiscard]] LINDMFT_EXPORT double estimate_replicas_memory(const Problem& problem, int steps,
                                                             const TrainOptions& options);

/// Throw BadInput for everything that train(), train_many() or train_replicas() would refuse, without training. Of many
/// problems, BadInput::index() is that of the problem. Memory is not checked.
LINDMFT_EXPORT void check_train(const Problem& problem, int steps, const TrainOptions& options);
LINDMFT_EXPORT void check_train(std::span<const Problem> problems, int steps, const TrainOptions& options);
LINDMFT_EXPORT void check_replicas(const Problem& problem, int steps, const TrainOptions& options);

/// Train one network per seed for `steps` steps (n = steps entries, before each update).
/// The same seed gives the same trajectory bit for bit, whatever the number of threads and the other seeds.
/// Throws BadInput (also: infinite width or depth or gamma0 = 0 have no finite network), MemoryLimit,
/// Interrupted.
[[nodiscard]] LINDMFT_EXPORT Ensemble train(const Problem& problem, int steps, const TrainOptions& options);

/// Train every problem as train() would, up to rounding; one result a problem, in their order. Problems whose networks
/// have the same initial weights and inputs, seed by seed, are trained together: each array is read once for all of
/// them. They may differ in the optimizer, gamma0, parameterization, init_scale, centering, branches, and label noise.
/// Results do not depend on the number of threads, bit for bit. Throws as train(), naming the problem.
[[nodiscard]] LINDMFT_EXPORT std::vector<Ensemble> train_many(std::span<const Problem> problems, int steps,
                                                              const TrainOptions& options);

/// Train k_init x k_data networks per seed. Networks with the same data see the same samples, label noise and, of one
/// or several passes, the same batches. The first network of a seed is the one that train() trains. Throws as train().
[[nodiscard]] LINDMFT_EXPORT ReplicaEnsemble train_replicas(const Problem& problem, int steps,
                                                            const TrainOptions& options);

}  // namespace lindmft
