// The marching solver: seconds per solve, products in GFLOP/s, sweeps per step.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "lindmft/solve.hpp"

namespace {

lindmft::Problem reference(int depth) {
  lindmft::Problem problem;
  problem.network.depth = depth;
  problem.data.alpha = 2.0;
  problem.data.noise = 0.3;
  problem.optimizer.lr = {0.1};
  return problem;
}

void solve(benchmark::State& state) {
  const lindmft::Problem problem = reference(static_cast<int>(state.range(1)));
  const auto steps = static_cast<int>(state.range(0));
  lindmft::SolveOptions options;
  options.threads = static_cast<int>(state.range(2));
  lindmft::SolveStats stats;
  double flops = 0.0;
  for (auto _ : state) {
    stats = lindmft::solve(problem, steps, options).stats;
    flops += stats.flops;
  }
  state.counters["FLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
  state.counters["sweeps/step"] = stats.row_sweeps / steps;
}

BENCHMARK(solve)
    ->ArgNames({"steps", "depth", "threads"})
    ->ArgsProduct({{100, 400, 1000}, {2}, {1, 2}})
    ->Args({400, 8, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Learning rates from 0.01 to 0.2, depth 2, 100 steps each.
void solve_many(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<lindmft::Problem> problems(count, reference(2));
  for (std::size_t i = 0; i < count; ++i)
    problems[i].optimizer.lr = {0.01 + 0.19 * static_cast<double>(i) / static_cast<double>(count)};
  lindmft::SolveOptions options;
  options.threads = static_cast<int>(state.range(1));
  double flops = 0.0;
  for (auto _ : state) {
    for (const lindmft::Solution& solution : lindmft::solve_many(problems, 100, options)) flops += solution.stats.flops;
  }
  const auto solves = static_cast<double>(count) * static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
  state.counters["solves/s"] = benchmark::Counter(solves, benchmark::Counter::kIsRate);
  state.counters["FLOP/solve"] = flops / solves;
}

BENCHMARK(solve_many)
    ->ArgNames({"problems", "threads"})
    ->ArgsProduct({{512}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Spectra of many modes, eigenvalues from 0.2 to 2.
void solve_modes(benchmark::State& state) {
  lindmft::Problem problem = reference(2);
  const auto modes = static_cast<std::size_t>(state.range(0));
  lindmft::Spectrum spectrum;
  spectrum.eigenvalues.resize(modes);
  for (std::size_t k = 0; k < modes; ++k)
    spectrum.eigenvalues[k] = 0.2 + 1.8 * static_cast<double>(k) / static_cast<double>(modes);
  spectrum.target_power.assign(modes, 1.0);
  spectrum.weights.assign(modes, 1.0 / static_cast<double>(modes));
  problem.data.spectrum = spectrum;
  lindmft::SolveOptions options;
  options.threads = static_cast<int>(state.range(2));
  lindmft::SolveStats stats;
  double flops = 0.0;
  for (auto _ : state) {
    stats = lindmft::solve(problem, static_cast<int>(state.range(1)), options).stats;
    flops += stats.flops;
  }
  state.counters["FLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
  state.counters["FLOP/solve"] = stats.flops;
  state.counters["sweeps/step"] = stats.row_sweeps / static_cast<double>(state.range(1));
}

BENCHMARK(solve_modes)
    ->ArgNames({"modes", "steps", "threads"})
    ->ArgsProduct({{8, 64, 256}, {100}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
