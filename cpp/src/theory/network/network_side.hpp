// Creates the network side of a problem.
#pragma once

#include <memory>

#include "theory/core/sides.hpp"

namespace lindmft::theory {

/// nodes: capacity in time; rows: the largest panel; depth_nodes: nodes in depth, ignored at finite depth
[[nodiscard]] std::unique_ptr<NetworkSide> make_network(const Problem& problem, int nodes, int rows, int depth_nodes);

/// Bytes that the network side takes.
[[nodiscard]] double network_bytes(const Problem& problem, int nodes, int rows, int depth_nodes);

}  // namespace lindmft::theory
