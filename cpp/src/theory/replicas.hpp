// Pairs of networks that share initial weights, data or neither (theory.md section 3, replicas): their responses are
// those of one network, and their cross-correlations obey the same equations with the shared sources alone.
#pragma once

#include <functional>

#include "theory/march/exact_march.hpp"

namespace lindmft::theory {

/// Marches over the valid nodes again and computes only correlations (MarchOptions::responses_final).
using MarchAgain = std::function<void(NetworkSide&, DataSide&, Solution&)>;

/// Fills solution.replicas. Afterwards both sides hold cross-correlations instead of their correlations.
void add_replicas(const MarchAgain& march_again, NetworkSide& network, DataSide& data, Solution& solution);

}  // namespace lindmft::theory
