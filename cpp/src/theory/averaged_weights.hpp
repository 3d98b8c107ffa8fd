// The test loss of averaged weights (theory.md section 18): rows after the nodes of training, with K and d of averages.
#pragma once

#include "theory/march/exact_march.hpp"

namespace lindmft::theory {

/// Fills solution.average_loss on a grid of all steps. The rows of the nodes are final and stay as they are; the sides
/// have room for marching.largest_panel more rows. shares: SolveOptions::average; nodes: number of valid nodes
void add_average(const Problem& problem, const std::vector<double>& shares, int nodes, NetworkSide& network,
                 DataSide& data, const MarchOptions& marching, Solution& solution);

}  // namespace lindmft::theory
