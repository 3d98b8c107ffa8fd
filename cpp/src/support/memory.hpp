// Asking before allocating.
#pragma once

#include <string>

namespace lindmft::support {

/// Free memory in bytes, swap and reclaimable cache included; infinity where the system does not say.
double free_memory();

/// Bytes a call may take: `limit`, or for 0 four fifths of the free memory.
/// Throws std::invalid_argument for a limit that is nan or negative.
double allowed_memory(double limit);

/// Throws MemoryLimit if `needed` exceeds `limit` (0: four fifths of the free memory); the message names `what` and
/// both sizes.
void require_memory(double needed, double limit, const std::string& what);

}  // namespace lindmft::support
