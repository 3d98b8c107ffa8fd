// A list of independent jobs on several threads, with progress, interruption and exceptions handled in one place.
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
  /// Progress counts units of work, `units` in all. It is called from the thread that calls run() alone. task and
  /// unit: for the message of an interruption.
  Workers(int jobs, std::int64_t units, const Progress& progress, std::string task, std::string unit);

  /// Call job(i) once for every i < jobs. Rethrows the first exception of a job or of the callback; throws Interrupted
  /// when the callback says stop.
  void run(int threads, const std::function<void(int)>& job);

  /// From inside a job: so many units are done. False: stop early, the results will not be used.
  bool advance(std::int64_t units = 1);

 private:
  void work(const std::function<void(int)>& job);
  void wait_for_others();
  void report();
  void fail();

  const std::thread::id caller_ = std::this_thread::get_id();
  const int jobs_;
  const std::int64_t total_;
  std::int64_t reported_ = 0;  // by the calling thread, the only one to report
  const Progress& progress_;
  const std::string task_, unit_;
  std::atomic<int> next_{0};
  std::atomic<int> finished_{0};
  std::atomic<std::int64_t> done_{0};
  std::atomic<bool> stop_{false};
  std::mutex guard_;
  std::exception_ptr error_;  // the first one; under guard_
};

}  // namespace lindmft::support
