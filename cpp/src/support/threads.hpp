// How many threads a call uses.
#pragma once

namespace lindmft::support {

/// Physical cores this process may run on.
int allowed_cores();

/// requested > 0: as asked; 0: allowed_cores(). Always 1 in a forked child (GNU OpenMP cannot run there) and without
/// OpenMP. Throws std::invalid_argument for requested < 0 or above 4096.
int resolve_threads(int requested);

}  // namespace lindmft::support
