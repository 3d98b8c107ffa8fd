#include "support/control_groups.hpp"

#include <fstream>
#include <limits>

namespace lindmft::support {
namespace {

/// Whether a list such as "cpu,cpuacct" has the name.
bool lists(const std::string& names, const std::string& name) {
  return ("," + names + ",").find("," + name + ",") != std::string::npos;
}

/// Groups of version 1 have a folder for each set of controllers, and links to it named after each of them. The set is
/// not always written in the same order in the listing.
std::filesystem::path folder_of(const std::filesystem::path& mount, const std::string& controllers,
                                const std::string& controller) {
  return std::filesystem::exists(mount / controllers) ? mount / controllers : mount / controller;
}

}  // namespace

std::vector<std::filesystem::path> control_groups(const std::filesystem::path& listing,
                                                  const std::filesystem::path& mount, const std::string& controller) {
  std::vector<std::filesystem::path> out;
  std::ifstream file(listing);
  for (std::string line; std::getline(file, line);) {  // number:controllers:/path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !lists(controllers, controller)) continue;
    const std::filesystem::path top = controllers.empty() ? mount : folder_of(mount, controllers, controller);
    std::filesystem::path folder = top / std::filesystem::path(line.substr(second + 1)).relative_path();
    for (;; folder = folder.parent_path()) {
      out.push_back(folder);
      if (folder.native().size() <= top.native().size()) break;
    }
  }
  return out;
}

double number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  double number = 0.0;
  return file >> number ? number : std::numeric_limits<double>::infinity();
}

}  // namespace lindmft::support
