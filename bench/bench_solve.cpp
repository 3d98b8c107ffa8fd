// The marching solver: seconds a solve, products in GFLOP/s, sweeps a step.
#include <benchmark/benchmark.h>

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

}  // namespace
