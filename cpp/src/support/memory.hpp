// Free memory, and the check against it before a call allocates.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lindmft::support {

/// Free memory in bytes: see lindmft::free_memory.
double free_memory();

/// The folders of the control groups of this process that limit its memory (see `control_groups`).
std::vector<std::filesystem::path> limited_groups(const std::filesystem::path& listing,
                                                  const std::filesystem::path& mount);
/// Bytes left in such a group; cached pages of files, which the system can drop, count as free.
double left_in_group(const std::filesystem::path& folder);

/// Bytes that a call may allocate: `limit`, or four fifths of the free memory if it is 0.
/// Throws std::invalid_argument for a limit that is nan or negative.
double allowed_memory(double limit);

/// Throws MemoryLimit if `needed` exceeds `limit` (0: four fifths of the free memory); the message names `what` and
/// both sizes.
void require_memory(double needed, double limit, const std::string& what);

}  // namespace lindmft::support
