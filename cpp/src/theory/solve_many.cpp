// Many problems, several at a time, each solved by one thread.
#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "lindmft/errors.hpp"
#include "lindmft/solve.hpp"
#include "support/memory.hpp"
#include "support/platform.hpp"
#include "support/threads.hpp"
#include "support/workers.hpp"
#include "theory/core/saved.hpp"
#include "theory/march/panel_march.hpp"
#include "theory/solve_one.hpp"

namespace lindmft {
namespace {

using theory::Horizon;
using Check = std::function<Horizon(const Problem&, const SolveOptions&)>;

std::string named(std::size_t index, const char* message) {
  return "problems[" + std::to_string(index) + "]: " + message;
}

/// The exception in flight, its message led by the problem's index.
std::exception_ptr named_exception(std::size_t index) {
  try {
    throw;
  } catch (const NotConverged& error) {
    return std::make_exception_ptr(NotConverged(named(index, error.what())));
  } catch (const MemoryLimit& error) {
    return std::make_exception_ptr(MemoryLimit(named(index, error.what())));
  } catch (const BadInput& error) {
    return std::make_exception_ptr(error.at(index));
  } catch (...) {
    return std::current_exception();
  }
}

/// How much memory a call may take, and how many problems fit in at the same time.
struct Budget {
  std::vector<double> each;  // bytes that each solve may take: what it is predicted to, and a share of what is left
  int in_flight;
  bool tight;  // what the heap keeps between problems matters
};

Budget budget(const std::vector<double>& needed, double kept, int threads, double limit, const std::string& call) {
  std::vector<double> largest = needed;
  std::ranges::sort(largest, std::greater<>());
  const double allowed = support::allowed_memory(limit);
  int in_flight = 0;
  double total = kept;
  while (in_flight < threads && total + largest[static_cast<std::size_t>(in_flight)] <= allowed)
    total += largest[static_cast<std::size_t>(in_flight++)];
  if (in_flight == 0) support::require_memory(kept + largest.front(), limit, call);
  constexpr double kTight = 0.25;
  Budget out{needed, std::max(1, in_flight), total > kTight * allowed};
  for (double& bytes : out.each) bytes += std::max(0.0, allowed - total) / out.in_flight;
  return out;
}

class Many {
 public:
  Many(std::span<const Problem> problems, const SolveOptions& options, bool keep_going, std::string call)
      : problems_(problems), options_(options), keep_going_(keep_going), call_(std::move(call)) {}

  void check_all(const Check& check);
  std::vector<Attempt> solve(const Check& check);

 private:
  Budget estimate_memory() const;
  void solve_one(std::size_t i, double memory, support::Workers& workers);
  [[nodiscard]] bool wanted(std::size_t i) const { return keep_going_ || i < first_failed_; }
  void note_failure(std::size_t i);

  std::span<const Problem> problems_;
  const SolveOptions& options_;
  bool keep_going_;
  std::string call_;
  std::vector<Horizon> horizons_;
  std::vector<Attempt> attempts_;
  std::atomic<std::size_t> first_failed_{std::numeric_limits<std::size_t>::max()};
};

void Many::check_all(const Check& check) {
  if (options_.continue_from != nullptr)
    throw BadInput::conflict("continue_from", "several problems", "it is a solution of one", "Use solve or flow");
  static_cast<void>(theory::Saved(options_.save));  // a wrong name is no fault of the first problem
  for (std::size_t i = 0; i < problems_.size(); ++i) {
    try {
      horizons_.push_back(check(problems_[i], options_));
    } catch (...) {
      std::rethrow_exception(named_exception(i));
    }
  }
}

Budget Many::estimate_memory() const {
  std::vector<double> needed;  // beyond the result
  double kept = 0.0;
  for (std::size_t i = 0; i < problems_.size(); ++i) {
    const double result = theory::result_bytes(problems_[i], horizons_[i], options_);
    kept += result;
    needed.push_back(std::max(0.0, theory::solve_bytes(problems_[i], horizons_[i], options_) - result));
  }
  const int threads = std::min(support::resolve_threads(options_.threads), static_cast<int>(problems_.size()));
  Budget out = budget(needed, kept, threads, options_.memory_limit,
                      call_ + " of " + std::to_string(problems_.size()) + " problems");
  for (std::size_t i = 0; i < problems_.size(); ++i)
    out.each[i] += theory::result_bytes(problems_[i], horizons_[i], options_);
  return out;
}

void Many::note_failure(std::size_t i) {
  std::size_t first = first_failed_;
  while (i < first && !first_failed_.compare_exchange_weak(first, i)) {
  }
}

/// Problems before one that failed are still solved, so that the first failure in order does not depend on the threads.
void Many::solve_one(std::size_t i, double memory, support::Workers& workers) {
  if (!wanted(i)) return;
  SolveOptions mine = options_;
  mine.threads = 1;
  mine.memory_limit = memory;
  int reported = 0;
  bool stopped = false;  // from outside
  const int units = horizons_[i].coarse() ? theory::kProgress : horizons_[i].times();
  mine.progress = [&](int done, int total) {
    const int share = total == units ? done : static_cast<int>(static_cast<double>(done) / total * units);
    stopped = true;  // unless this comes back
    const bool go_on = workers.advance(std::max(0, share - reported)) && wanted(i);
    stopped = !go_on;
    reported = std::max(reported, share);
    return go_on;
  };
  try {
    attempts_[i].solution = theory::solve_one(problems_[i], horizons_[i], mine);
  } catch (...) {
    if (stopped && wanted(i)) throw;
    if (stopped) return;
    attempts_[i].error = named_exception(i);
    note_failure(i);
  }
  static_cast<void>(workers.advance(std::max(0, units - reported)));  // of one that failed or diverged
}

std::vector<Attempt> Many::solve(const Check& check) {
  check_all(check);
  if (problems_.empty()) return {};
  const Budget budget = estimate_memory();
  attempts_.resize(problems_.size());
  const int units = horizons_.front().coarse() ? theory::kProgress : horizons_.front().times();
  support::Workers workers(static_cast<int>(problems_.size()), static_cast<std::int64_t>(problems_.size()) * units,
                           options_.progress, call_, "steps");
  workers.run(budget.in_flight, [&](int job) {
    const auto i = static_cast<std::size_t>(job);
    solve_one(i, budget.each[i], workers);
    if (budget.tight) support::trim_heap();
  });
  if (!keep_going_ && first_failed_ < attempts_.size()) std::rethrow_exception(attempts_[first_failed_].error);
  return std::move(attempts_);
}

Check check_of_steps(int steps) {
  return [steps](const Problem& p, const SolveOptions& o) { return theory::steps_horizon(p, steps, o); };
}

Check check_of_flow(double time) {
  return [time](const Problem& p, const SolveOptions& o) { return theory::flow_horizon(p, time, o); };
}

std::vector<Attempt> attempt_steps(std::span<const Problem> problems, int steps, const SolveOptions& options,
                                   bool keep_going) {
  return Many(problems, options, keep_going, "solve_many").solve(check_of_steps(steps));
}

std::vector<Attempt> attempt_flow(std::span<const Problem> problems, double time, const SolveOptions& options,
                                  bool keep_going) {
  return Many(problems, options, keep_going, "flow_many").solve(check_of_flow(time));
}

std::vector<Solution> solutions(std::vector<Attempt>&& attempts) {
  std::vector<Solution> out;
  out.reserve(attempts.size());
  for (Attempt& attempt : attempts) out.push_back(std::move(attempt.solution));
  return out;
}

}  // namespace

void check_solve(std::span<const Problem> problems, int steps, const SolveOptions& options) {
  Many(problems, options, false, "solve_many").check_all(check_of_steps(steps));
}

void check_flow(std::span<const Problem> problems, double time, const SolveOptions& options) {
  Many(problems, options, false, "flow_many").check_all(check_of_flow(time));
}

std::vector<Attempt> try_solve_many(std::span<const Problem> problems, int steps, const SolveOptions& options) {
  return attempt_steps(problems, steps, options, true);
}

std::vector<Attempt> try_flow_many(std::span<const Problem> problems, double time, const SolveOptions& options) {
  return attempt_flow(problems, time, options, true);
}

std::vector<Solution> solve_many(std::span<const Problem> problems, int steps, const SolveOptions& options) {
  return solutions(attempt_steps(problems, steps, options, false));
}

std::vector<Solution> flow_many(std::span<const Problem> problems, double time, const SolveOptions& options) {
  return solutions(attempt_flow(problems, time, options, false));
}

}  // namespace lindmft
