#include "lindmft/solve.hpp"

#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/memory.hpp"
#include "support/threads.hpp"
#include "theory/march.hpp"
#include "theory/network_side.hpp"
#include "theory/spectral_data.hpp"
#include "time_grid/exact_steps.hpp"

namespace lindmft {
namespace {

constexpr int kLargestPanel = 8;  // rows of the sliding window; beyond, sweeps spend more than they save

void pad(std::vector<double>& series, int steps) {
  series.resize(static_cast<std::size_t>(steps), std::numeric_limits<double>::infinity());
}

/// Past a divergence every series is infinite and time goes on.
void pad(Solution& solution, int steps) {
  for (int t = static_cast<int>(solution.time.size()); t < steps; ++t) solution.time.push_back(t);
  for (auto* series :
       {&solution.test_loss, &solution.train_loss, &solution.term_target, &solution.term_init, &solution.term_data}) {
    pad(*series, steps);
  }
  for (auto* layers : {&solution.feature_norm, &solution.gradient_norm}) {
    for (auto& series : *layers) pad(series, steps);
  }
}

void check_steps(int steps) {
  if (steps < 1) throw std::invalid_argument("steps must be at least 1, got " + std::to_string(steps));
}

}  // namespace

double estimate_solve_memory(const Problem& problem, int steps, const SolveOptions& options) {
  check_steps(steps);
  validate(problem, steps);
  const int rows = std::min(kLargestPanel, steps);
  double bytes = theory::network_bytes(problem, steps, rows) + theory::SpectralData::bytes(problem, steps);
  bytes += theory::Scratch::bytes(steps, rows) + 8.0 * steps * (rows + 10.0 + 4.0 * problem.network.depth);
  // The training errors' functions are made for the caller where the equations do not need them.
  const theory::Saved saved(options.save);
  if (saved.has("C_delta") || saved.has("R_delta")) bytes += 16.0 * steps * steps;
  return bytes;
}

Solution solve(const Problem& problem, int steps, const SolveOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  theory::Saved saved(options.save);
  const double bytes = estimate_solve_memory(problem, steps, options);
  support::require_memory(bytes, options.memory_limit, "solve of " + std::to_string(steps) + " steps");

  const int rows = std::min(kLargestPanel, steps);
  ExactSteps grid(problem, steps, rows);
  const std::unique_ptr<theory::NetworkSide> network = theory::make_network(problem, steps, rows);
  theory::SpectralData data(problem, steps);

  Solution solution;
  solution.irreducible = problem.data.noise * problem.data.noise;
  solution.stats.threads = support::resolve_threads(options.threads);
  const int valid = theory::march(grid, *network, data, {solution.stats.threads, rows, options.progress}, solution);
  pad(solution, steps);
  if (saved.any()) {
    saved.trim(valid);
    data.release(solution.functions, saved);
    network->release(solution.functions, saved);
  }
  solution.stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return solution;
}

}  // namespace lindmft
