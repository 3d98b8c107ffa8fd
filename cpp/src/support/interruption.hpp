// Ctrl-C during long work: interruption points deep inside the work ask from time to time whether to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace lindmft::support {

/// While an object of this class lives, the interruption points of its thread call `ask`, which throws to end the work.
class Interruptible {
 public:
  explicit Interruptible(std::function<void()> ask);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  /// The innermost object of this thread, or null.
  static Interruptible*& current();
  /// Calls `ask` if enough operations and time have passed since the last call.
  void count(double operations);

 private:
  std::function<void()> ask_;
  Interruptible* outer_;
  double operations_ = 0.0;  // since the clock was last read
  std::chrono::steady_clock::time_point asked_ = std::chrono::steady_clock::now();
};

/// Call this before work of about `operations` operations that has no interruption point itself. Keep such work well
/// below a second.
inline void interruption_point(double operations) {
  if (Interruptible* here = Interruptible::current()) here->count(operations);
}

/// Work that several threads share. An exception in one thread stops the others at their next interruption point, and
/// is rethrown on the thread that began the work. Only that thread calls the `ask` of an outer Interruptible.
class SharedWork {
 public:
  /// Does a part of the work. May be called on any thread, any number of times.
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

  /// Throws the first exception of all parts. Call it after the parallel region, on the thread that began it.
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
  std::exception_ptr error_;  // the first exception; protected by guard_
};

}  // namespace lindmft::support
