// Finite-size training: seconds for one network and step.
#include <benchmark/benchmark.h>

#include <numeric>

#include "lindmft/train.hpp"

namespace {

void train(benchmark::State& state) {
  lindmft::Problem problem;
  problem.network.depth = 2;
  problem.data.alpha = 2.0;
  problem.data.noise = 0.3;
  problem.data.mode = static_cast<lindmft::DataMode>(state.range(1));
  lindmft::TrainOptions options;
  options.dim = static_cast<int>(state.range(0));
  options.threads = static_cast<int>(state.range(2));
  options.seeds.resize(static_cast<std::size_t>(options.threads));
  std::iota(options.seeds.begin(), options.seeds.end(), 0U);
  const int steps = 50;
  for (auto _ : state) benchmark::DoNotOptimize(lindmft::train(problem, steps, options));
  const auto networks = static_cast<double>(options.seeds.size());
  state.counters["network-steps"] = benchmark::Counter(networks * steps, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(train)
    ->ArgNames({"dim", "mode", "threads"})
    ->ArgsProduct({{256, 512, 1024}, {0, 2}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
