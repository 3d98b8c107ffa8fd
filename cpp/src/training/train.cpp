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

double estimate_train_memory(const Problem& problem, int steps, const TrainOptions& options) {
  return training::make_plan(problem, steps, options).bytes;
}

Ensemble train(const Problem& problem, int steps, const TrainOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const training::Plan plan = training::make_plan(problem, steps, options);
  support::require_memory(plan.bytes, options.memory_limit, "training with dim = " + std::to_string(options.dim));

  Ensemble out = training::allocate(plan, options);
  // A seed is computed by one thread, in an order of operations that does not depend on the others: the same bits
  // always.
  training::Workers workers(plan.networks, plan.steps, options.progress);
  workers.run(plan.threads, [&](int index) {
    training::simulate(plan, index, out, [&](int steps_done) { return workers.advance(steps_done); });
  });

  out.stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out.stats.threads = plan.threads;
  out.stats.instruction_set = support::instruction_set();
  return out;
}

}  // namespace lindmft
