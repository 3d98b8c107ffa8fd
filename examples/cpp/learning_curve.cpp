// A learning curve in theory and in training, as CSV: the test loss of infinitely
// large networks, and the mean over finite ones with its standard error.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <numeric>
#include <vector>

#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"

namespace {

constexpr int kSteps = 60;
constexpr int kSeeds = 16;

lindmft::Problem noisy_perceptron() {
  lindmft::Problem problem;
  problem.network.depth = 2;
  problem.data.alpha = 2.0;
  problem.data.noise = 0.3;
  problem.optimizer.lr = {0.1};
  return problem;
}

lindmft::Ensemble train(const lindmft::Problem& problem) {
  lindmft::TrainOptions options;
  options.dim = 256;
  options.seeds.resize(kSeeds);
  std::iota(options.seeds.begin(), options.seeds.end(), 0);
  return lindmft::train(problem, kSteps, options);
}

void print_row(int t, double theory, const lindmft::Matrix& losses) {
  double mean = 0.0;
  for (int seed = 0; seed < kSeeds; ++seed) mean += losses(seed, t) / kSeeds;
  double squares = 0.0;
  for (int seed = 0; seed < kSeeds; ++seed)
    squares += (losses(seed, t) - mean) * (losses(seed, t) - mean);
  const double error = std::sqrt(squares / (kSeeds - 1) / kSeeds);
  std::printf("%d,%.8g,%.8g,%.8g\n", t, theory, mean, error);
}

}  // namespace

int main() {
  try {
    const lindmft::Problem problem = noisy_perceptron();
    const lindmft::Solution theory = lindmft::solve(problem, kSteps);
    const lindmft::Ensemble runs = train(problem);
    std::puts("step,theory,training,standard_error");
    for (int t = 0; t < kSteps; ++t)
      print_row(t, theory.test_loss[static_cast<std::size_t>(t)], runs.test_loss);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
