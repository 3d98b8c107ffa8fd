#include "theory/network/network_side.hpp"

#include <numeric>

#include "theory/network/infinite_depth.hpp"
#include "theory/network/mlp.hpp"
#include "theory/network/residual.hpp"

namespace lindmft::theory {

std::vector<double> NetworkSide::depth() const {
  std::vector<double> layer(static_cast<std::size_t>(layers()));
  std::iota(layer.begin(), layer.end(), 1.0);
  return layer;
}

std::unique_ptr<NetworkSide> make_network(const Problem& problem, int nodes, int rows, int depth_nodes) {
  if (problem.network.kind == Architecture::mlp) return std::make_unique<Mlp>(problem, nodes, rows);
  if (problem.network.depth == kInfiniteDepth)
    return std::make_unique<InfiniteDepth>(problem, nodes, rows, depth_nodes);
  return std::make_unique<Residual>(problem, nodes, rows);
}

double network_bytes(const Problem& problem, int nodes, int rows, int depth_nodes) {
  if (problem.network.kind == Architecture::mlp) return Mlp::bytes(problem, nodes, rows);
  if (problem.network.depth == kInfiniteDepth) return InfiniteDepth::bytes(nodes, rows, depth_nodes);
  return Residual::bytes(problem, nodes, rows);
}

}  // namespace lindmft::theory
