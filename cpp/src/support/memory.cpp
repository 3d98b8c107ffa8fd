#include "support/memory.hpp"

#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include "lindmft/errors.hpp"

namespace lindmft::support {
namespace {

constexpr double kShare = 0.8;  // of the free memory, unless the caller says otherwise

std::string quote(double bytes) {
  std::ostringstream text;
  text.precision(3);
  text << bytes / (1024.0 * 1024.0 * 1024.0) << " GiB (" << std::fixed;
  text.precision(0);
  text << bytes << " bytes)";
  return text.str();
}

}  // namespace

double free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, unit; file >> key;) {
    double kilobytes = 0.0;
    file >> kilobytes;
    std::getline(file, unit);
    if (key == "MemAvailable:") return kilobytes * 1024.0;
  }
  return std::numeric_limits<double>::infinity();
}

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
