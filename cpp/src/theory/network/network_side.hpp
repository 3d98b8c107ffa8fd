// Which network side a problem has.
#pragma once

#include <memory>

#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// nodes: capacity in time; rows: the largest panel; depth_nodes: of infinite depth, else ignored
[[nodiscard]] std::unique_ptr<NetworkSide> make_network(const Problem& problem, int nodes, int rows, int depth_nodes);

/// Bytes it takes.
[[nodiscard]] double network_bytes(const Problem& problem, int nodes, int rows, int depth_nodes);

}  // namespace lindmft::theory
