#include "support/platform.hpp"

#include <algorithm>
#include <limits>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "support/control_groups.hpp"
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <sys/sysctl.h>

#include <cstdint>
#endif

#if defined(__GLIBC__) || defined(__EMSCRIPTEN__)
#include <malloc.h>
#endif
#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace lindmft::support {
namespace {

int all_processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

#if defined(__linux__)

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string folder_of_processor(int cpu) { return "/sys/devices/system/cpu/cpu" + std::to_string(cpu); }

/// The processors that share a core with this one.
std::string siblings(int cpu) {
  const std::string list = first_line(folder_of_processor(cpu) + "/topology/thread_siblings_list");
  return list.empty() ? std::to_string(cpu) : list;
}

#elif defined(__APPLE__)

/// The number that the system has for a name; 0 if it has none.
std::int64_t system_value(const char* name) {
  std::int64_t value = 0;
  std::size_t size = sizeof value;  // values of four bytes fill the lower half, since Macs are little-endian
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

#endif

}  // namespace

const char* instruction_set() {
#ifdef LINDMFT_HAS_CLONES
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "baseline";
}

double left_on_machine() {
#if defined(__linux__)
  std::ifstream file("/proc/meminfo");
  for (std::string key, unit; file >> key;) {
    double kilobytes = 0.0;
    file >> kilobytes;
    std::getline(file, unit);
    if (key == "MemAvailable:") return kilobytes * 1024.0;
  }
#elif defined(__APPLE__)
  static const mach_port_t host = mach_host_self();
  vm_size_t page = 0;
  vm_statistics64_data_t pages{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (host_page_size(host, &page) == KERN_SUCCESS &&
      host_statistics64(host, HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages), &count) == KERN_SUCCESS) {
    return (static_cast<double>(pages.free_count) + static_cast<double>(pages.inactive_count)) *
           static_cast<double>(page);
  }
#elif defined(__EMSCRIPTEN__)
  // A browser may refuse earlier: then the call fails with "out of memory".
  return LINDMFT_WASM_BYTES - static_cast<double>(static_cast<std::size_t>(mallinfo().uordblks));
#endif
  return std::numeric_limits<double>::infinity();
}

double left_of_addresses() {
#ifdef __linux__
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const double used = number_in("/proc/self/statm") * static_cast<double>(sysconf(_SC_PAGESIZE));
    return std::max(0.0, static_cast<double>(limit.rlim_cur) - used);
  }
#endif
  return std::numeric_limits<double>::infinity();
}

void trim_heap() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

int cores_of_affinity() {
#if defined(__linux__)
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) cores.insert(siblings(cpu));
    }
    return std::max(1, static_cast<int>(cores.size()));
  }
#elif defined(__APPLE__)
  // Work is divided evenly, so that slow cores would hold up the fast ones.
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    const std::int64_t cores = system_value(name);
    if (cores > 0) return static_cast<int>(cores);
  }
#endif
  return all_processors();
}

double last_level_caches() {
#if defined(__linux__)
  // The system gives the size of each ("32768K") and the processors that share it.
  std::map<std::string, double> caches;
  for (int cpu = 0; cpu < all_processors(); ++cpu) {
    const std::string folder = folder_of_processor(cpu) + "/cache/index3/";
    const std::string size = first_line(folder + "size");
    if (!size.empty()) caches[first_line(folder + "shared_cpu_list")] = 1024.0 * std::strtod(size.c_str(), nullptr);
  }
  double sum = 0.0;
  for (const auto& [sharers, bytes] : caches) sum += bytes;
  return sum;
#elif defined(__APPLE__)
  const auto third = static_cast<double>(system_value("hw.l3cachesize"));
  return third > 0.0 ? third : static_cast<double>(system_value("hw.perflevel0.l2cachesize"));
#else
  return 0.0;
#endif
}

void after_fork(void (*handler)()) {
#if defined(__linux__) || defined(__APPLE__)
  pthread_atfork(nullptr, nullptr, handler);
#else
  static_cast<void>(handler);
#endif
}

}  // namespace lindmft::support
