// Ctrl-C within long pieces of work: from deep inside they ask, now and then, whether to go on.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace lindmft::support {

/// While it lives, the interruption points of its thread call `ask`, which throws to end the work.
class Interruptible {
 public:
  explicit Interruptible(std::function<void()> ask);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  /// The innermost one of this thread, or null.
  static Interruptible*& current();
  void count(double operations);

 private:
  std::function<void()> ask_;
  Interruptible* outer_;
  double operations_ = 0.0;  // since the clock was read
  std::chrono::steady_clock::time_point asked_ = std::chrono::steady_clock::now();
};

/// So many operations are about to be done, in which nothing else is asked: a fraction of a second at most.
inline void interruption_point(double operations) {
  if (Interruptible* here = Interruptible::current()) here->count(operations);
}

/// Work that several threads share: what one of them throws ends the others at their next interruption point, and goes
/// on to the thread that began it, the only one that asks somebody else.
class SharedWork {
 public:
  /// On any thread, any number of times.
  template <class Work>
  void run(Work work) {
    if (stop_) return;
    try {
      if (std::this_thread::get_id() == caller_) {
        work();
      } else {
        const Interruptible here([this] { ask(); });
        work();
      }
    } catch (...) {
      fail();
    }
  }

  /// After the parallel region, on the thread that began it.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  struct Stopped {};

  void ask() const {
    if (stop_) throw Stopped{};
  }
  void fail();

  const std::thread::id caller_ = std::this_thread::get_id();
  std::atomic<bool> stop_{false};
  std::mutex guard_;
  std::exception_ptr error_;  // the first one; under guard_
};

}  // namespace lindmft::support
