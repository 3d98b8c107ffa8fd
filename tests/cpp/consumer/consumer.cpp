// A program that uses the installed library: matching versions, results, and exceptions that can be caught by type.
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "lindmft/config.hpp"
#include "lindmft/errors.hpp"
#include "lindmft/limits.hpp"
#include "lindmft/lindmft.h"
#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"
#include "lindmft/version.h"

namespace {

int failures = 0;

void expect(bool good, const char* what) {
  if (good) return;
  ++failures;
  std::fprintf(stderr, "not so: %s\n", what);
}

template <class Error, class Call>
bool throws(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(error.what()).size() > 10;
  } catch (...) {
  }
  return false;
}

void check_exceptions(const lindmft::Problem& problem) {
  using lindmft::SolveOptions;
  expect(throws<std::invalid_argument>([&] { static_cast<void>(lindmft::solve(problem, -1)); }), "invalid_argument");
  SolveOptions small;
  small.memory_limit = 1.0;
  expect(throws<lindmft::MemoryLimit>([&] { static_cast<void>(lindmft::solve(problem, 10, small)); }), "MemoryLimit");
  SolveOptions stopped;
  stopped.progress = [](int, int) { return false; };
  expect(throws<lindmft::Interrupted>([&] { static_cast<void>(lindmft::solve(problem, 10, stopped)); }), "Interrupted");
  expect(throws<std::out_of_range>([&] {
           SolveOptions broken;
           broken.progress = [](int, int) -> bool { throw std::out_of_range("of the caller's own"); };
           static_cast<void>(lindmft::solve(problem, 10, broken));
         }),
         "an exception of the callback's");
}

}  // namespace

int main() {
  expect(lindmft::version() == std::string(LINDMFT_VERSION), "library and headers have one version");
  expect(lindmft_version() == std::string(LINDMFT_VERSION), "the C interface has the same");
  expect(!lindmft::config().blas.empty() && lindmft::error_table().size() >= 4, "config and table of errors");

  lindmft::Problem problem;
  problem.data.alpha = 2.0;
  lindmft::validate(problem);
  const lindmft::Solution theory = lindmft::solve(problem, 20);
  expect(theory.test_loss[19] < theory.test_loss[0], "the theory learns");
  expect(lindmft::flow(problem, 1.0).test_loss.size() > 2, "gradient flow");
  lindmft::TrainOptions options;
  options.dim = 64;
  const lindmft::Ensemble runs = lindmft::train(problem, 20, options);
  expect(std::abs(runs.test_loss(0, 19) - theory.test_loss[19]) < 0.5, "training is near the theory");
  check_exceptions(problem);
  return failures;
}
