#include "theory/network_side.hpp"

#include "theory/mlp.hpp"
#include "theory/residual.hpp"

namespace lindmft::theory {

std::unique_ptr<NetworkSide> make_network(const Problem& problem, int nodes, int rows) {
  if (problem.network.kind == Architecture::mlp) return std::make_unique<Mlp>(problem, nodes, rows);
  return std::make_unique<Residual>(problem, nodes, rows);
}

double network_bytes(const Problem& problem, int nodes, int rows) {
  if (problem.network.kind == Architecture::mlp) return Mlp::bytes(problem, nodes, rows);
  return Residual::bytes(problem, nodes, rows);
}

}  // namespace lindmft::theory
