#include "support/threads.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "support/control_groups.hpp"
#include "support/platform.hpp"
#include "support/refusals.hpp"

namespace lindmft::support {
namespace {

constexpr const char* kVariable = "LINDMFT_NUM_THREADS";

#ifdef _OPENMP
std::atomic<bool> forked{false};

// GNU OpenMP's worker threads do not survive fork(): a parallel region in the child would wait for them for ever.
[[maybe_unused]] const bool fork_is_watched = [] {
  after_fork([] { forked = true; });
  return true;
}();
#endif

/// The quota of one group; a file that is not there, "max" and -1 (version 1) are no quota.
double quota_of(const std::filesystem::path& folder) {
  std::ifstream file(folder / "cpu.max");  // "200000 100000": microseconds in each period, and its length
  double quota = 0.0, period = 0.0;
  if (!(file >> quota >> period)) {
    quota = number_in(folder / "cpu.cfs_quota_us");
    period = number_in(folder / "cpu.cfs_period_us");
  }
  const bool limited = quota > 0.0 && std::isfinite(quota) && period > 0.0 && std::isfinite(period);
  return limited ? quota / period : std::numeric_limits<double>::infinity();
}

/// The number in LINDMFT_NUM_THREADS; 0 if the variable is not set or empty.
int threads_of_environment(const Option& option) {
  const char* set = std::getenv(kVariable);
  const std::string_view text = set == nullptr ? "" : set;
  if (text.empty()) return 0;
  int threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  require(whole && threads != 0 && option.allows(threads), kVariable, option.allowed, "'" + std::string(text) + "'");
  return threads;
}

}  // namespace

int allowed_cores() {
  // Once, because reading the files of the system takes longer than a small solve.
  static const int cores = cores_within(cores_of_affinity(), cpu_quota(kGroupListing, kGroupMount));
  return cores;
}

double cpu_quota(const std::filesystem::path& listing, const std::filesystem::path& mount) {
  double quota = std::numeric_limits<double>::infinity();
  for (const auto& folder : control_groups(listing, mount, "cpu")) quota = std::min(quota, quota_of(folder));
  return quota;
}

int cores_within(int cores, double quota) {
  return std::max(1, static_cast<int>(std::min<double>(cores, std::floor(quota))));
}

int resolve_threads(int requested) {
  const Option option = option_of_threads(0);
  require_allowed(option, requested);
  const int preset = threads_of_environment(option);
#ifdef _OPENMP
  if (forked) return 1;
  if (requested > 0) return requested;
  return preset > 0 ? preset : allowed_cores();
#else
  static_cast<void>(preset);
  return 1;
#endif
}

}  // namespace lindmft::support
