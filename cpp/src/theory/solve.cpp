#include "lindmft/solve.hpp"

#include <array>
#include <chrono>

#include "lindmft/errors.hpp"
#include "support/interruption.hpp"
#include "support/memory.hpp"
#include "theory/channel.hpp"
#include "theory/march/panel_march.hpp"
#include "theory/outputs.hpp"
#include "theory/solve_one.hpp"

namespace lindmft {

using theory::Horizon;

namespace {

/// Remembers the last report of progress. It is repeated in the middle of long steps: the numbers are not new, but the
/// callback may ask to stop.
class LongCall {
 public:
  LongCall(const Horizon& horizon, const SolveOptions& options)
      : horizon_(horizon), progress_(options.progress), options_(options) {
    last_[1] = horizon.coarse() ? theory::kProgress : horizon.times();
    if (!progress_) return;
    options_.progress = [this](int done, int total) {
      last_ = {done, total};
      return progress_(done, total);
    };
  }
  LongCall(const LongCall&) = delete;
  LongCall& operator=(const LongCall&) = delete;

  void ask() const {
    if (progress_ && !progress_(last_[0], last_[1])) throw Interrupted(describe(horizon_) + " was interrupted");
  }
  [[nodiscard]] const SolveOptions& options() const { return options_; }

 private:
  const Horizon& horizon_;
  const Progress& progress_;
  SolveOptions options_;
  std::array<int, 2> last_{};  // done, of how many
};

}  // namespace

double theory::solve_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const Problem channel = channel_problem(problem, 1.0);
  const double kept = channel_result_bytes(channel, horizon, options);
  return channel_bytes(channel, horizon, options) + kept * (static_cast<double>(distinct_targets(problem)) - 1.0);
}

double theory::result_bytes(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const auto channels = static_cast<double>(distinct_targets(problem));
  return channels * channel_result_bytes(channel_problem(problem, 1.0), horizon, options);
}

Solution theory::solve_one(const Problem& problem, const Horizon& horizon, const SolveOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  support::require_memory(solve_bytes(problem, horizon, options), options.memory_limit, describe(horizon));
  const LongCall call(horizon, options);
  const support::Interruptible interruptible([&] { call.ask(); });
  Solution solution = solve_outputs(problem, horizon, call.options());
  solution.stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.continue_from != nullptr) solution.stats.seconds += options.continue_from->stats.seconds;
  return solution;
}

double estimate_solve_memory(const Problem& problem, int steps, const SolveOptions& options) {
  return theory::solve_bytes(problem, theory::steps_horizon(problem, steps, options), options);
}

void check_solve(const Problem& problem, int steps, const SolveOptions& options) {
  static_cast<void>(theory::steps_horizon(problem, steps, options));
}

void check_flow(const Problem& problem, double time, const SolveOptions& options) {
  static_cast<void>(theory::flow_horizon(problem, time, options));
}

Solution solve(const Problem& problem, int steps, const SolveOptions& options) {
  return theory::solve_one(problem, theory::steps_horizon(problem, steps, options), options);
}

Solution flow(const Problem& problem, double time, const SolveOptions& options) {
  return theory::solve_one(problem, theory::flow_horizon(problem, time, options), options);
}

}  // namespace lindmft
