// Pairs of networks that share initial weights, data or neither (theory.md section 3, replicas): their responses are
// those of one network, and their cross-correlations obey the same equations with the shared sources alone.
#pragma once

#include "theory/march.hpp"

namespace lindmft::theory {

/// Fills solution.replicas. Afterwards both sides hold cross-correlations in the place of their correlations.
/// nodes: valid ones
void add_replicas(const Problem& problem, int nodes, NetworkSide& network, DataSide& data, const MarchOptions& options,
                  Solution& solution);

}  // namespace lindmft::theory
