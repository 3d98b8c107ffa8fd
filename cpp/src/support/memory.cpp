#include "support/memory.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "lindmft/errors.hpp"
#include "support/control_groups.hpp"
#include "support/platform.hpp"
#include "support/refusals.hpp"

namespace lindmft::support {
namespace {

constexpr double kShare = 0.8;       // fraction of the free memory that a call may use, unless the caller sets a limit
constexpr double kUnlimited = 1e18;  // bytes: groups of version 1 have larger values where there is no limit

std::string quote(double bytes) {
  std::ostringstream text;
  text.precision(3);
  text << bytes / (1024.0 * 1024.0 * 1024.0) << " GiB (" << std::fixed;
  text.precision(0);
  text << bytes << " bytes)";
  return text.str();
}

bool version_1(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "memory.limit_in_bytes");
}

double limit_of(const std::filesystem::path& folder) {
  const double limit = number_in(folder / (version_1(folder) ? "memory.limit_in_bytes" : "memory.max"));
  return limit < kUnlimited ? limit : std::numeric_limits<double>::infinity();
}

double left_in_groups() {
  static const std::vector<std::filesystem::path> groups = limited_groups(kGroupListing, kGroupMount);
  double left = std::numeric_limits<double>::infinity();
  for (const auto& folder : groups) left = std::min(left, left_in_group(folder));
  return left;
}

}  // namespace

std::vector<std::filesystem::path> limited_groups(const std::filesystem::path& listing,
                                                  const std::filesystem::path& mount) {
  std::vector<std::filesystem::path> groups = control_groups(listing, mount, "memory");
  std::erase_if(groups, [](const auto& folder) { return !std::isfinite(limit_of(folder)); });
  return groups;
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

double free_memory() { return std::min({left_on_machine(), left_in_groups(), left_of_addresses()}); }

double allowed_memory(double limit) {
  require_allowed(option_of_memory(0), limit);
  return limit > 0.0 ? limit : kShare * free_memory();
}

void require_memory(double needed, double limit, const std::string& what) {
  const double allowed = allowed_memory(limit);
  if (needed <= allowed) return;
  throw MemoryLimit(what + " needs " + quote(needed) + " but may take " + quote(allowed) +
                    (limit > 0.0 ? " (memory_limit)" : " (four fifths of the free memory; memory_limit= changes it)"));
}

}  // namespace lindmft::support
