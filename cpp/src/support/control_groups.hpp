// Control groups of Linux, by which containers and batch systems limit what their processes may use.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lindmft::support {

/// Where the system lists the groups of this process, and where it shows their files.
inline constexpr const char* kGroupListing = "/proc/self/cgroup";
inline constexpr const char* kGroupMount = "/sys/fs/cgroup";

/// The folders of the groups that this process is in for a controller ("memory" or "cpu"), versions 1 and 2: the
/// innermost group first, then all groups around it, whose limits count as well. Folders need not exist: in a container
/// the listing can have a path of the host, while the mount itself is the container's group.
std::vector<std::filesystem::path> control_groups(const std::filesystem::path& listing,
                                                  const std::filesystem::path& mount, const std::string& controller);

/// The number that a file begins with; infinity for "max", and if there is no such file.
double number_in(const std::filesystem::path& path);

}  // namespace lindmft::support
