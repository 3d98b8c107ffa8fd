#include "support/threads.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>

#include <fstream>
#endif

namespace lindmft::support {
namespace {

constexpr int kMostThreads = 4096;

#ifdef _OPENMP
std::atomic<bool> forked{false};

#ifdef __linux__
// GNU OpenMP's worker threads do not survive fork(): a parallel region in the child would wait for them for ever.
[[maybe_unused]] const int fork_watch = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif
#endif

#ifdef __linux__
std::string siblings(int cpu) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
  std::string list;
  if (!std::getline(file, list)) list = std::to_string(cpu);
  return list;
}
#endif

}  // namespace

int allowed_cores() {
#ifdef __linux__
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) cores.insert(siblings(cpu));
    }
    return std::max(1, static_cast<int>(cores.size()));
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int resolve_threads(int requested) {
  if (requested < 0 || requested > kMostThreads) {
    throw std::invalid_argument("threads must be between 1 and " + std::to_string(kMostThreads) +
                                ", or 0 for the allowed cores, got " + std::to_string(requested));
  }
#ifdef _OPENMP
  if (forked) return 1;
  static const int cores = allowed_cores();
  return requested == 0 ? cores : requested;
#else
  return 1;
#endif
}

}  // namespace lindmft::support
