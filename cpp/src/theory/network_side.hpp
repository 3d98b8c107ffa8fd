// Which network side a problem has.
#pragma once

#include <memory>

#include "theory/sides.hpp"

namespace lindmft::theory {

/// nodes: capacity; rows: the largest panel
[[nodiscard]] std::unique_ptr<NetworkSide> make_network(const Problem& problem, int nodes, int rows);

/// Bytes it takes.
[[nodiscard]] double network_bytes(const Problem& problem, int nodes, int rows);

}  // namespace lindmft::theory
