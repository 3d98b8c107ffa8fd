#include "support/workers.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "lindmft/errors.hpp"
#include "support/interruption.hpp"

namespace lindmft::support {

Workers::Workers(int jobs, std::int64_t units, const Progress& progress, std::string task, std::string unit)
    : jobs_(jobs), total_(units), progress_(progress), task_(std::move(task)), unit_(std::move(unit)) {}

void Workers::run(int threads, const std::function<void(int)>& job) {
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) if (threads > 1)
  work(job);
#else
  static_cast<void>(threads);
  work(job);
#endif
  if (error_) std::rethrow_exception(error_);
  done_ = total_;  // diverged networks stop early, without counting the rest of their units
  if (reported_ < total_) report();
}

// Threads take jobs one by one, because jobs may take very different times (a diverged network stops early).
// Exceptions must not leave the parallel region, so each thread catches what its jobs throw.
void Workers::work(const std::function<void(int)>& job) {
  try {
    const Interruptible here([this] {
      if (!advance(0)) throw Interrupted(task_ + " was interrupted");
    });
    for (int i = next_++; i < jobs_ && !stop_; i = next_++) {
      job(i);
      ++finished_;
    }
    if (std::this_thread::get_id() == caller_) wait_for_others();
  } catch (...) {
    fail();
  }
}

// The calling thread keeps reporting, so that Ctrl-C works while the other threads finish.
void Workers::wait_for_others() {
  while (finished_ < jobs_ && !stop_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    report();
  }
}

bool Workers::advance(std::int64_t units) {
  done_ += units;
  if (std::this_thread::get_id() == caller_) report();
  return !stop_;
}

void Workers::report() {
  if (!progress_ || stop_) return;
  const std::int64_t done = done_;
  reported_ = done;
  const std::int64_t unit =
      total_ / std::numeric_limits<int>::max() + 1;  // larger units where an int cannot count the small ones
  if (progress_(static_cast<int>(done / unit), static_cast<int>(total_ / unit))) return;
  throw Interrupted(task_ + " interrupted after " + std::to_string(done) + " of " + std::to_string(total_) + " " +
                    unit_);
}

void Workers::fail() {
  const std::lock_guard lock(guard_);
  if (!error_) error_ = std::current_exception();
  stop_ = true;
}

}  // namespace lindmft::support
