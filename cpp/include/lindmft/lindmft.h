/* The theory and the training of finite networks for C, and for every language that can call C.
 *
 * Describe a problem by setting its fields by name, solve or train it, and copy what is wanted out of the result:
 *
 *   lindmft_problem* problem = lindmft_problem_new();
 *   lindmft_result* theory = NULL;
 *   lindmft_problem_set_double(problem, "data.alpha", 2.0);
 *   if (lindmft_solve(problem, 100, NULL, &theory) != LINDMFT_OK) puts(lindmft_last_error());
 *   lindmft_result_copy(theory, "test_loss", loss, 100);
 *
 * Calls that can fail return a status; lindmft_last_error() says why. No exception leaves them. Null where something is
 * needed, unknown names, and numbers out of range are LINDMFT_INVALID_ARGUMENT, and change nothing. Divergence is a
 * result: see "diverged_at".
 *
 * Threads: the calls may be made from several threads at the same time. A handle may be read by several (solving and
 * training read the problem and the options), but no thread may use it while it is set or freed. After fork(), a child
 * computes on one thread.
 *
 * Versions with the same soname, which has the minor version in it, only add functions, names and statuses.
 */
#ifndef LINDMFT_LINDMFT_H
#define LINDMFT_LINDMFT_H

#include <stddef.h>
#include <stdint.h>

#include "lindmft/export.h"
#include "lindmft/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Statuses */

enum lindmft_status {
  LINDMFT_OK = 0,
  LINDMFT_INVALID_ARGUMENT = 1, /* bad input: the message names the field, the value and what is allowed */
  LINDMFT_MEMORY_LIMIT = 2,     /* refused before allocating, with the bytes needed and allowed; or out of memory */
  LINDMFT_NOT_CONVERGED = 3,    /* the message says where, what was reached and what to change */
  LINDMFT_INTERRUPTED = 4,      /* the progress callback asked to stop */
  LINDMFT_INTERNAL_ERROR = 5    /* a bug: please report it */
};

/* Why the last call that failed on this thread did; "" before any has. Valid until the next one fails. */
LINDMFT_EXPORT const char* lindmft_last_error(void);

/* The version of the library, such as "0.2.0"; LINDMFT_VERSION is that of the headers. */
LINDMFT_EXPORT const char* lindmft_version(void);

/* ---- Problems */

typedef struct lindmft_problem lindmft_problem;

/* A perceptron with one hidden layer that learns from isotropic data by full-batch steps: the defaults of
 * lindmft/problem.hpp. The amount of data, data.alpha, has no default and must be set, except for kind "population".
 * Null: out of memory. */
LINDMFT_EXPORT lindmft_problem* lindmft_problem_new(void);
/* Null is allowed. */
LINDMFT_EXPORT void lindmft_problem_free(lindmft_problem* problem);

/* Set a field by name. A flag is 0 or 1; whole numbers come as doubles, too; INFINITY is allowed where it has a
 * meaning. A list may be set by one number. What the fields allow together is checked when the problem is used.
 *
 *   network.kind              string   "mlp" or "resnet"
 *   network.depth             number   L, hidden layers; infinite for resnet
 *   network.width             list     nu = N / D; one, or L of them; may be infinite. The same field: network.hidden
 *   network.gamma0            number
 *   network.parameterization  string   "mup" or "ntk"
 *   network.init_scale        list     standard deviation of initial weights; one, or L + 1 of them, input to readout
 *   network.centered          flag
 *   network.zero_readout      flag
 *   network.branch            number   resnet
 *   network.branch_scaling    string   resnet: "depth" or "constant"
 *   data.kind                 string   "full_batch", "multi_pass", "one_pass", "population" or "epochs"
 *   data.alpha                number   P / D; a list for one_pass: batch / D, one, or one a step. It must be set,
 *                                      except for population. The same field: data.samples, data.batch
 *   data.batch_fraction       number   multi_pass
 *   data.batches              number   epochs: batches in each
 *   data.noise                number
 *   data.spectrum.eigenvalues, data.spectrum.target_power, data.spectrum.weights    lists of equal length
 *   data.spectrum.trace_class flag     widths and amounts of data are counts; see lindmft/problem.hpp
 *   data.spectrum.targets     list     row-major, modes x outputs: targets of outputs that share modes; target_power
 *                                      must be the squared norm of each row
 *   data.noise_factor         list     row-major, square: F of their noise covariance F F^T
 *   data.targets              list     norms of the targets of several outputs
 *   data.rotation             list     row-major, square
 *   data.switch_at            number   first step with labels of a second target; 0 for none
 *   data.switch_overlap       number   cosine of the two targets
 *   data.switch_strength      number   size of the second target in units of the first
 *   optimizer.lr              list     a rate, or one a step
 *   optimizer.momentum        list     beta, or one a step
 *   optimizer.nesterov        flag
 *   optimizer.weight_decay    number
 *   optimizer.layer_lr        list     L + 1 multipliers, input to readout
 */
LINDMFT_EXPORT int lindmft_problem_set_double(lindmft_problem* problem, const char* field, double value);
LINDMFT_EXPORT int lindmft_problem_set_doubles(lindmft_problem* problem, const char* field, const double* values,
                                               size_t count);
LINDMFT_EXPORT int lindmft_problem_set_string(lindmft_problem* problem, const char* field, const char* value);

/* Whether it could be solved for `steps` steps; 0 leaves the length of a schedule unchecked. */
LINDMFT_EXPORT int lindmft_problem_check(const lindmft_problem* problem, int steps);

/* ---- Options */

typedef struct lindmft_options lindmft_options;

/* Null: out of memory. */
LINDMFT_EXPORT lindmft_options* lindmft_options_new(void);
/* Null is allowed. */
LINDMFT_EXPORT void lindmft_options_free(lindmft_options* options);

/* A line for every option: its name, what it means, what it takes, and the calls that know it. */
LINDMFT_EXPORT const char* lindmft_options_list(void);

/* Set an option by name; lindmft_options_list() names and explains them. A flag is 0 or 1, a whole number comes as a
 * double, too, and words are separated by commas. An option that a call does not know is refused by that call. */
LINDMFT_EXPORT int lindmft_options_set_double(lindmft_options* options, const char* name, double value);
LINDMFT_EXPORT int lindmft_options_set_string(lindmft_options* options, const char* name, const char* value);

/* Called between units of work, from the thread that made the call. Return 0 to continue; anything else stops, and the
 * call returns LINDMFT_INTERRUPTED. It must come back: no longjmp. */
typedef int (*lindmft_progress)(int done, int total, void* user);
/* Null: no progress. */
LINDMFT_EXPORT int lindmft_options_set_progress(lindmft_options* options, lindmft_progress progress, void* user);

/* ---- Computations: null options are the defaults. *result is null after an error; else free it. */

typedef struct lindmft_result lindmft_result;

/* The theory, `steps` steps: n = steps entries, before each update.
 * LINDMFT_INVALID_ARGUMENT, LINDMFT_MEMORY_LIMIT, LINDMFT_NOT_CONVERGED, LINDMFT_INTERRUPTED. */
LINDMFT_EXPORT int lindmft_solve(const lindmft_problem* problem, int steps, const lindmft_options* options,
                                 lindmft_result** result);

/* The theory of gradient flow from 0 to `time`, which is learning rate times steps. Fails as lindmft_solve() does. */
LINDMFT_EXPORT int lindmft_flow(const lindmft_problem* problem, double time, const lindmft_options* options,
                                lindmft_result** result);

/* Finite networks of input dimension `dim`, one a seed, trained for `steps` steps.
 * LINDMFT_INVALID_ARGUMENT, LINDMFT_MEMORY_LIMIT, LINDMFT_INTERRUPTED. */
LINDMFT_EXPORT int lindmft_train(const lindmft_problem* problem, int steps, int dim, const uint64_t* seeds,
                                 size_t n_seeds, const lindmft_options* options, lindmft_result** result);

/* ---- Results: arrays of doubles by name, row-major (the last index is the fastest) */

/* The names, i = 0, 1, ...; null past the last one. They are those of lindmft::Solution and lindmft::Ensemble, for
 * example "time" and "test_loss": n, of training seeds x n; "feature_norm": L x n, of training L x seeds x n;
 * "mode_loss": modes x n, of training modes x seeds x n; "C_v": n x n, "C_h": (L + 1) x n x n; "irreducible": one
 * number. "diverged_at" is one number, of training one a seed: the step, or -1; losses from there on are infinite.
 * "replicas.", "kernels.", "stats." and "channels[0]." lead the names of their parts. The name lives as long as the
 * result.
 *
 * With the option "spectrum_at", "spectrum_time", "sharpness", "bulk_edge" and their errors are k, and "target_ritz",
 * "target_weight", "random_ritz" and "random_weight" are k x lanczos: see lindmft/sharpness.hpp.
 *
 * The values are never NaN, with two exceptions: "kernels.target" and "kernels.gradient" are NaN where the vector that
 * they are named after is zero (or, of the gradient, no larger than its rounding error) and so has no direction, and
 * Ritz values and their weights are NaN where Lanczos' method ended early. */
LINDMFT_EXPORT const char* lindmft_result_name(const lindmft_result* result, size_t i);

/* *rank is 0 for one number, at most 3; shape[i] is 1 for i >= *rank, so that their product is the number of entries.
 */
LINDMFT_EXPORT int lindmft_result_shape(const lindmft_result* result, const char* name, size_t* rank, size_t shape[3]);

/* Fill `values`, which must have just as many entries, `count`. */
LINDMFT_EXPORT int lindmft_result_copy(const lindmft_result* result, const char* name, double* values, size_t count);

/* Null is allowed. */
LINDMFT_EXPORT void lindmft_result_free(lindmft_result* result);

#ifdef __cplusplus
}
#endif

#endif
