// Asking before allocating.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lindmft::support {

/// Free memory in bytes, reclaimable cache included: that of the machine, or what is left of a limit on the process
/// (ulimit -v) or on a control group it is in (containers, batch systems). Infinity where the system does not say.
double free_memory();

/// The folders of control groups with a limit on memory, given what /proc/self/cgroup says and where they are mounted
/// (versions 1 and 2); and how much is left in one of them, pages of files that can be dropped included.
std::vector<std::filesystem::path> limited_groups(const std::filesystem::path& listing,
                                                  const std::filesystem::path& mount);
double left_in_group(const std::filesystem::path& folder);

/// Bytes a call may take: `limit`, or for 0 four fifths of the free memory.
/// Throws std::invalid_argument for a limit that is nan or negative.
double allowed_memory(double limit);

/// Throws MemoryLimit if `needed` exceeds `limit` (0: four fifths of the free memory); the message names `what` and
/// both sizes.
void require_memory(double needed, double limit, const std::string& what);

/// Gives free parts of the heap back to the system: results that stay can pin a lot of what was between them.
void trim_heap();

}  // namespace lindmft::support
