// Finite-size training: seconds for one network and step, and the fractions of the limits of the machine that the
// counted operations and bytes reach. The limits are measured here, too: a large dgemm, and a triad.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "lindmft/config.hpp"
#include "lindmft/train.hpp"

namespace {

using lindmft::Ensemble;
using lindmft::Problem;
using lindmft::TrainMethod;

Problem example() {
  Problem problem;
  problem.network.depth = 2;
  problem.data.alpha = 2.0;
  problem.data.noise = 0.3;
  return problem;
}

std::vector<std::uint64_t> seeds(int count) {
  std::vector<std::uint64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

/// Seconds for a network and step, with counted operations and bytes per second
void report(benchmark::State& state, const std::vector<Ensemble>& runs) {
  using benchmark::Counter;
  double operations = 0.0, bytes = 0.0, network_steps = 0.0;
  for (const Ensemble& e : runs) {
    operations += e.stats.operations;
    bytes += e.stats.bytes_moved;
    network_steps += static_cast<double>(e.seeds.size() * e.time.size());
  }
  state.counters["us_per_step"] = Counter(network_steps * 1e-6, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["GFLOP/s"] = Counter(operations * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = Counter(bytes * 1e-9, Counter::kIsIterationInvariantRate);
  state.SetLabel(runs.front().stats.method);
}

/// 16 learning rates, geometric from 0.01 to 0.1, on the same weights and data
void sweep(benchmark::State& state) {
  std::vector<Problem> problems(16, example());
  for (std::size_t k = 0; k < problems.size(); ++k)
    problems[k].optimizer.lr = {0.01 * std::pow(10.0, static_cast<double>(k) / 15.0)};
  lindmft::TrainOptions options{.dim = 512, .seeds = seeds(4), .threads = static_cast<int>(state.range(0))};
  options.precision = static_cast<lindmft::Precision>(state.range(1));
  std::vector<Ensemble> runs;
  for (auto _ : state) runs = lindmft::train_many(problems, 50, options);
  report(state, runs);
}
BENCHMARK(sweep)
    ->ArgNames({"threads", "single"})
    ->ArgsProduct({{1, 2}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// One network after the other, seeds side by side. The time includes drawing weights and data.
void single(benchmark::State& state) {
  Problem problem = example();
  problem.data.mode = static_cast<lindmft::DataMode>(state.range(3));
  problem.optimizer.momentum = {state.range(4) != 0 ? 0.9 : 0.0};
  const int steps = static_cast<int>(state.range(1));
  lindmft::TrainOptions options{.dim = static_cast<int>(state.range(0)), .threads = static_cast<int>(state.range(2))};
  options.method = static_cast<TrainMethod>(state.range(5));
  std::vector<Ensemble> runs(1);
  for (auto _ : state) runs[0] = lindmft::train(problem, steps, options);
  report(state, runs);
}
const std::vector<std::string> kSingle{"dim", "steps", "threads", "mode", "momentum", "method"};
BENCHMARK(single)
    ->Name("single")
    ->ArgNames(kSingle)
    ->ArgsProduct({{2048}, {50}, {1, 2}, {0}, {0}, {0}})
    ->ArgsProduct({{512, 1024}, {50}, {1, 2}, {0, 2}, {0}, {0}})
    ->ArgsProduct({{8192}, {5}, {2}, {0}, {0}, {0}})
    ->ArgsProduct({{64}, {100'000}, {1}, {0}, {0}, {0}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// The measurements for the choice of a method: networks of one seed, on one thread.
void methods(benchmark::State& state) {
  const int steps = static_cast<int>(state.range(1));
  std::vector<Problem> problems(static_cast<std::size_t>(state.range(2)), example());
  for (std::size_t k = 0; k < problems.size(); ++k)
    problems[k].optimizer.lr = {0.01 + 0.02 * static_cast<double>(k) / static_cast<double>(problems.size())};
  lindmft::TrainOptions options{.dim = static_cast<int>(state.range(0)), .threads = 1};
  options.method = static_cast<TrainMethod>(state.range(3));
  std::vector<Ensemble> runs;
  for (auto _ : state) runs = lindmft::train_many(problems, steps, options);
  report(state, runs);
}
BENCHMARK(methods)
    ->ArgNames({"dim", "steps", "networks", "method"})
    ->ArgsProduct({{64, 256, 512, 1024, 2048}, {50, 200, 2000}, {1}, {2, 3}})
    ->ArgsProduct({{64, 256, 512, 1024}, {50, 200, 2000}, {16}, {1, 2, 3}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// 1024 networks of dim 64
void many_small(benchmark::State& state) {
  std::vector<Problem> problems(1024, example());
  for (std::size_t k = 0; k < problems.size(); ++k) problems[k].optimizer.lr = {1e-4 * static_cast<double>(k + 1)};
  const lindmft::TrainOptions options{.dim = 64, .threads = static_cast<int>(state.range(0))};
  std::vector<Ensemble> runs;
  for (auto _ : state) runs = lindmft::train_many(problems, 100, options);
  report(state, runs);
}
BENCHMARK(many_small)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The bandwidth of memory: a = b + 3 c with arrays larger than all caches; the lines of a are read before they are
/// written.
void triad(benchmark::State& state) {
  const std::ptrdiff_t n = 1 << 24;
  const auto size = static_cast<std::size_t>(n);
  std::vector<double> a(size, 1.0), b(size, 2.0), c(size, 3.0);
  const int threads = static_cast<int>(state.range(0));
  for (auto _ : state) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::ptrdiff_t i = 0; i < n; ++i)
      a[static_cast<std::size_t>(i)] = b[static_cast<std::size_t>(i)] + 3.0 * c[static_cast<std::size_t>(i)];
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] =
      benchmark::Counter(24e-9 * static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(triad)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
