#include "lindmft/train.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support/memory.hpp"
#include "support/platform.hpp"
#include "support/workers.hpp"
#include "training/run/plan.hpp"
#include "training/run/simulate.hpp"

namespace lindmft {

namespace {

using training::Call;
using training::Plan;

/// One seed of one plan.
struct Job {
  std::size_t plan;
  int seed;
};

/// Runs all seeds of all plans, and returns the number of steps that each seed of each plan did. The order of
/// operations in a seed depends neither on other seeds nor on the number of threads, so that results are the same to
/// the last bit.
template <class Results>
std::vector<std::vector<int>> run(const Call& call, const Progress& progress, Results& out) {
  std::vector<Job> jobs;
  std::vector<std::vector<int>> done;
  std::int64_t units = 0;
  for (std::size_t p = 0; p < call.plans.size(); ++p) {
    const Plan& plan = call.plans[p];
    done.emplace_back(plan.seeds.size());
    for (int i = 0; i < plan.runs(); ++i) {
      jobs.push_back({p, i});
      units += static_cast<std::int64_t>(plan.count()) * (plan.stop - plan.first(i));
    }
  }
  support::Workers workers(static_cast<int>(jobs.size()), units, progress, "training", "steps");
  workers.run(call.threads, [&](int index) {
    const auto [p, seed] = jobs[static_cast<std::size_t>(index)];
    done[p][static_cast<std::size_t>(seed)] =
        training::simulate(call.plans[p], seed, out, [&](int steps_done) { return workers.advance(steps_done); });
  });
  return done;
}

/// Adds the work of one member of the plan to its stats: an equal share for each member.
void count_work(const Plan& plan, const std::vector<int>& steps_done, TrainStats& stats) {
  for (int i = 0; i < plan.runs(); ++i) {
    const training::Work work = plan.work(steps_done[static_cast<std::size_t>(i)]);
    const int first = plan.first(i);
    const training::Work before = first > 0 ? plan.work(first) : training::Work{};
    stats.operations += (work.operations - before.operations) / plan.count();
    stats.bytes_moved += (work.bytes - before.bytes) / plan.count();
  }
}

/// Measures the time of a call and writes it to the stats.
class Clock {
 public:
  void write(const Call& call, TrainStats& stats) const {
    stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    stats.threads = call.total_threads();
    stats.instruction_set = support::instruction_set();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void require_room(const Call& call, const TrainOptions& options) {
  support::require_memory(call.bytes, options.memory_limit, "training with dim = " + std::to_string(options.dim));
}

std::vector<Ensemble> run_all(Call& call, const TrainOptions& options, std::size_t problems) {
  const Clock clock;
  require_room(call, options);
  if (options.samples) {
    const training::Stored stored = training::stored(*options.samples, options.precision);
    for (Plan& plan : call.plans) plan.stored = stored;
  }
  std::vector<Ensemble> out(problems);
  for (const Plan& plan : call.plans) {
    for (const training::Member& m : plan.members) out[static_cast<std::size_t>(m.index)] = training::allocate(plan, m);
  }
  const std::vector<std::vector<int>> done = run(call, options.progress, out);
  for (std::size_t p = 0; p < call.plans.size(); ++p) {
    for (const training::Member& m : call.plans[p].members) {
      TrainStats& stats = out[static_cast<std::size_t>(m.index)].stats;
      count_work(call.plans[p], done[p], stats);
      clock.write(call, stats);
    }
  }
  return out;
}

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

}  // namespace

double estimate_train_memory(const Problem& problem, int steps, const TrainOptions& options) {
  return training::make_call(problem, steps, options, kUnlimited).bytes;
}

double estimate_train_many_memory(std::span<const Problem> problems, int steps, const TrainOptions& options) {
  return training::make_call(problems, steps, options, kUnlimited).bytes;
}

double estimate_replicas_memory(const Problem& problem, int steps, const TrainOptions& options) {
  return training::make_replica_call(problem, steps, options, kUnlimited).bytes;
}

void check_train(const Problem& problem, int steps, const TrainOptions& options) {
  static_cast<void>(training::make_call(problem, steps, options, kUnlimited));
}

void check_train(std::span<const Problem> problems, int steps, const TrainOptions& options) {
  static_cast<void>(training::make_call(problems, steps, options, kUnlimited));
}

void check_replicas(const Problem& problem, int steps, const TrainOptions& options) {
  static_cast<void>(training::make_replica_call(problem, steps, options, kUnlimited));
}

Ensemble train(const Problem& problem, int steps, const TrainOptions& options) {
  Call call = training::make_call(problem, steps, options, support::allowed_memory(options.memory_limit));
  return std::move(run_all(call, options, 1).front());
}

std::vector<Ensemble> train_many(std::span<const Problem> problems, int steps, const TrainOptions& options) {
  Call call = training::make_call(problems, steps, options, support::allowed_memory(options.memory_limit));
  return run_all(call, options, problems.size());
}

ReplicaEnsemble train_replicas(const Problem& problem, int steps, const TrainOptions& options) {
  const Clock clock;
  const Call call = training::make_replica_call(problem, steps, options, support::allowed_memory(options.memory_limit));
  require_room(call, options);
  const Plan& plan = call.plans.front();
  ReplicaEnsemble out = training::allocate_replicas(plan);
  const std::vector<std::vector<int>> done = run(call, options.progress, out);
  count_work(plan, done.front(), out.stats);
  clock.write(call, out.stats);
  return out;
}

}  // namespace lindmft
