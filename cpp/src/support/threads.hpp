// How many threads a call uses.
#pragma once

#include <filesystem>

namespace lindmft::support {

/// Physical cores that this process may use: those of its affinity, at most its CPU quota.
int allowed_cores();

/// The CPU time that the control groups of this process allow, in seconds per second (`--cpus` of a container), from
/// cpu.max (version 2) or cpu.cfs_quota_us and cpu.cfs_period_us (version 1); infinity without a quota. The arguments
/// are those of `control_groups`.
double cpu_quota(const std::filesystem::path& listing, const std::filesystem::path& mount);

/// The cores that a quota can keep busy: the quota rounded down, at least 1. More threads would be stopped in turn
/// until the next period, while the others wait for them.
int cores_within(int cores, double quota);

/// The number of threads that a call uses. requested > 0: that number. 0: the default, which is LINDMFT_NUM_THREADS if
/// that variable is set, else allowed_cores(). Always 1 in a forked child (GNU OpenMP cannot run there) and without
/// OpenMP. Throws std::invalid_argument for requested < 0 or above 4096, and for a variable that is no such number,
/// also where it is not needed: a typing error must not wait for the first call with the default.
int resolve_threads(int requested);

}  // namespace lindmft::support
