// Independent jobs on several threads, with their progress, interruption and exceptions.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "lindmft/progress.hpp"

namespace lindmft::support {

class Workers {
 public:
  /// Progress counts units of work, `units` in all; it is only called on the thread that calls run(). The message of an
  /// interruption names `task` and `unit`.
  Workers(int jobs, std::int64_t units, const Progress& progress, std::string task, std::string unit);

  /// Calls job(i) once for every i < jobs. Rethrows the first exception of a job or of the callback; throws Interrupted
  /// if the callback returns false.
  void run(int threads, const std::function<void(int)>& job);

  /// A job calls this when `units` more units are done. If it returns false, the job should end at once: its results
  /// will not be used.
  bool advance(std::int64_t units = 1);

 private:
  void work(const std::function<void(int)>& job);
  void wait_for_others();
  void report();
  void fail();

  const std::thread::id caller_ = std::this_thread::get_id();
  const int jobs_;
  const std::int64_t total_;
  std::int64_t reported_ = 0;  // only the calling thread reports and uses it
  const Progress& progress_;
  const std::string task_, unit_;
  std::atomic<int> next_{0};
  std::atomic<int> finished_{0};
  std::atomic<std::int64_t> done_{0};
  std::atomic<bool> stop_{false};
  std::mutex guard_;
  std::exception_ptr error_;  // the first exception; protected by guard_
};

}  // namespace lindmft::support
