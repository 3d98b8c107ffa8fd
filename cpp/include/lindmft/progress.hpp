// Long calls report how far they are and ask whether to go on.
#pragma once

#include <functional>

namespace lindmft {

/// Called between units of work, and within long ones again with the same numbers, always from the thread that made the
/// call, as progress(done, total).
/// Return false to stop: the call then throws Interrupted.
using Progress = std::function<bool(int done, int total)>;

}  // namespace lindmft
