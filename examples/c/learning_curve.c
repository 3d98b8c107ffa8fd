/* A learning curve in theory and in training, as CSV: the test loss of infinitely
 * wide networks, and the mean over finite ones with its standard error. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "lindmft/lindmft.h"

enum { STEPS = 60, SEEDS = 16, DIM = 256 };

/* Set what differs from the defaults. The first call that fails ends it. */
static int describe(lindmft_problem* problem) {
  int status = lindmft_problem_set_double(problem, "network.depth", 2);
  if (status == LINDMFT_OK)
    status = lindmft_problem_set_double(problem, "data.alpha", 2.0);
  if (status == LINDMFT_OK)
    status = lindmft_problem_set_double(problem, "data.noise", 0.3);
  if (status == LINDMFT_OK)
    status = lindmft_problem_set_double(problem, "optimizer.lr", 0.1);
  return status;
}

static int solve(const lindmft_problem* problem, double test_loss[STEPS]) {
  lindmft_result* theory = NULL;
  int status = lindmft_solve(problem, STEPS, NULL, &theory);
  if (status == LINDMFT_OK)
    status = lindmft_result_copy(theory, "test_loss", test_loss, STEPS);
  lindmft_result_free(theory);
  return status;
}

static int train(const lindmft_problem* problem, double test_loss[SEEDS][STEPS]) {
  uint64_t seeds[SEEDS];
  for (int i = 0; i < SEEDS; ++i) seeds[i] = (uint64_t)i;
  lindmft_result* runs = NULL;
  int status = lindmft_train(problem, STEPS, DIM, seeds, SEEDS, NULL, &runs);
  if (status == LINDMFT_OK)
    status = lindmft_result_copy(runs, "test_loss", test_loss[0], SEEDS * STEPS);
  lindmft_result_free(runs);
  return status;
}

static void print_row(int t, double theory, double losses[SEEDS][STEPS]) {
  double mean = 0.0;
  double squares = 0.0;
  for (int seed = 0; seed < SEEDS; ++seed) mean += losses[seed][t] / SEEDS;
  for (int seed = 0; seed < SEEDS; ++seed)
    squares += (losses[seed][t] - mean) * (losses[seed][t] - mean);
  printf("%d,%.8g,%.8g,%.8g\n", t, theory, mean,
         sqrt(squares / (SEEDS - 1) / SEEDS));
}

int main(void) {
  static double theory[STEPS];
  static double runs[SEEDS][STEPS];
  lindmft_problem* problem = lindmft_problem_new();
  int status = describe(problem);
  if (status == LINDMFT_OK) status = solve(problem, theory);
  if (status == LINDMFT_OK) status = train(problem, runs);
  lindmft_problem_free(problem);
  if (status != LINDMFT_OK) {
    fprintf(stderr, "%s\n", lindmft_last_error());
    return 1;
  }
  puts("step,theory,training,standard_error");
  for (int t = 0; t < STEPS; ++t) print_row(t, theory[t], runs);
  return 0;
}
