/* The test loss of infinitely wide networks, every ten steps. */
#include <lindmft/lindmft.h>
#include <stdio.h>

int main(void) {
  double loss[50];
  lindmft_result* theory = NULL;
  lindmft_problem* problem = lindmft_problem_new();
  /* LINDMFT_OK is 0, all other statuses are not: || ends at the first error. */
  int failed = lindmft_problem_set_double(problem, "network.depth", 2) ||
               lindmft_problem_set_double(problem, "data.alpha", 2.0) ||
               lindmft_problem_set_double(problem, "data.noise", 0.3) ||
               lindmft_solve(problem, 50, NULL, &theory) ||
               lindmft_result_copy(theory, "test_loss", loss, 50);
  if (failed) fprintf(stderr, "%s\n", lindmft_last_error());
  for (int t = 0; t < 50 && !failed; t += 10)
    printf("step %2d  test loss %.4f\n", t, loss[t]);
  lindmft_result_free(theory);
  lindmft_problem_free(problem);
  return failed;
}
