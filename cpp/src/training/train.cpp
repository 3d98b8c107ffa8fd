#include "lindmft/train.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "support/memory.hpp"
#include "support/simd.hpp"
#include "training/plan.hpp"
#include "training/simulate.hpp"
#include "training/workers.hpp"

namespace lindmft {

namespace {

/// A seed is computed by one thread, in an order of operations that does not depend on the others: the same bits
/// always.
template <class Result>
void run(const training::Plan& plan, const Progress& progress, Result& out) {
  training::Workers workers(plan.runs(), plan.steps, progress);
  workers.run(plan.threads, [&](int index) {
    training::simulate(plan, index, out, [&](int steps_done) { return workers.advance(steps_done); });
  });
}

template <class Options, class Allocate>
auto plan_and_run(const Problem& problem, int steps, const Options& options, Allocate allocate) {
  const auto start = std::chrono::steady_clock::now();
  const training::Plan plan = training::make_plan(problem, steps, options);
  support::require_memory(plan.bytes, options.memory_limit, "training with dim = " + std::to_string(options.dim));
  auto out = allocate(plan);
  run(plan, options.progress, out);
  out.stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out.stats.threads = plan.threads;
  out.stats.instruction_set = support::instruction_set();
  return out;
}

}  // namespace

double estimate_train_memory(const Problem& problem, int steps, const TrainOptions& options) {
  return training::make_plan(problem, steps, options).bytes;
}

double estimate_replicas_memory(const Problem& problem, int steps, const ReplicaOptions& options) {
  return training::make_plan(problem, steps, options).bytes;
}

Ensemble train(const Problem& problem, int steps, const TrainOptions& options) {
  return plan_and_run(problem, steps, options, training::allocate);
}

ReplicaEnsemble train_replicas(const Problem& problem, int steps, const ReplicaOptions& options) {
  return plan_and_run(problem, steps, options, training::allocate_replicas);
}

}  // namespace lindmft
