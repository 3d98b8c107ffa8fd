// The function by which long calls report their progress and can be stopped.
#pragma once

#include <functional>

namespace lindmft {

/// Called as progress(done, total) between units of work, always on the thread that made the call. During a long unit
/// it is called again with the same numbers. Return false to stop: the call then throws Interrupted.
using Progress = std::function<bool(int done, int total)>;

}  // namespace lindmft
