#include "support/memory.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/resource.h>
#include <unistd.h>
#endif

#include "lindmft/errors.hpp"

namespace lindmft::support {
namespace {

constexpr double kShare = 0.8;       // of the free memory, unless the caller says otherwise
constexpr double kUnlimited = 1e18;  // bytes: how groups of version 1 say that there is no limit

std::string quote(double bytes) {
  std::ostringstream text;
  text.precision(3);
  text << bytes / (1024.0 * 1024.0 * 1024.0) << " GiB (" << std::fixed;
  text.precision(0);
  text << bytes << " bytes)";
  return text.str();
}

/// The number in a file, infinity for "max" and where there is none.
double number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  double number = 0.0;
  return file >> number ? number : std::numeric_limits<double>::infinity();
}

bool version_1(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "memory.limit_in_bytes");
}

double limit_of(const std::filesystem::path& folder) {
  const double limit = number_in(folder / (version_1(folder) ? "memory.limit_in_bytes" : "memory.max"));
  return limit < kUnlimited ? limit : std::numeric_limits<double>::infinity();
}

/// What is left of the limit on addresses (ulimit -v).
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

double left_in_groups() {
  static const std::vector<std::filesystem::path> groups = limited_groups("/proc/self/cgroup", "/sys/fs/cgroup");
  double left = std::numeric_limits<double>::infinity();
  for (const auto& folder : groups) left = std::min(left, left_in_group(folder));
  return left;
}

double left_on_machine() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, unit; file >> key;) {
    double kilobytes = 0.0;
    file >> kilobytes;
    std::getline(file, unit);
    if (key == "MemAvailable:") return kilobytes * 1024.0;
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace

// Its own group and all above: a limit on one of them is a limit on it. In a container the listing may have a path that
// is not there, and the mount is the container's own group.
std::vector<std::filesystem::path> limited_groups(const std::filesystem::path& listing,
                                                  const std::filesystem::path& mount) {
  std::vector<std::filesystem::path> out;
  std::ifstream file(listing);
  for (std::string line; std::getline(file, line);) {  // number:controllers:/path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const std::filesystem::path top = controllers.empty() ? mount : mount / controllers;
    std::filesystem::path folder = top / std::filesystem::path(line.substr(second + 1)).relative_path();
    for (;; folder = folder.parent_path()) {
      if (std::isfinite(limit_of(folder))) out.push_back(folder);
      if (folder.native().size() <= top.native().size()) break;
    }
  }
  return out;
}

double left_in_group(const std::filesystem::path& folder) {
  const bool first = version_1(folder);
  const double used = number_in(folder / (first ? "memory.usage_in_bytes" : "memory.current"));
  if (!std::isfinite(used)) return std::numeric_limits<double>::infinity();
  std::ifstream statistics(folder / "memory.stat");
  const std::string wanted = first ? "total_inactive_file" : "inactive_file";
  double droppable = 0.0;
  std::string key;
  for (double value = 0.0; statistics >> key >> value;) {
    if (key == wanted) droppable = value;
  }
  return std::max(0.0, limit_of(folder) - used + droppable);
}

void trim_heap() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

double free_memory() { return std::min({left_on_machine(), left_in_groups(), left_of_addresses()}); }

double allowed_memory(double limit) {
  if (!(limit >= 0.0)) {  // also nan
    std::ostringstream message;
    message << "memory_limit must be a positive number of bytes, or 0 for four fifths of the free memory, got "
            << limit;
    throw std::invalid_argument(message.str());
  }
  return limit > 0.0 ? limit : kShare * free_memory();
}

void require_memory(double needed, double limit, const std::string& what) {
  const double allowed = allowed_memory(limit);
  if (needed <= allowed) return;
  throw MemoryLimit(what + " needs " + quote(needed) + " but may take " + quote(allowed) +
                    (limit > 0.0 ? " (memory_limit)" : " (four fifths of the free memory; memory_limit= changes it)"));
}

}  // namespace lindmft::support
