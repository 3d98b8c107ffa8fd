// The neural tangent kernel of the predictor in the direction of single vectors x, from the two-time functions.
//
// Each weight array contributes c_l b_l^2 (N_{l+1} / N_L) (|g^{l+1}|^2 / N_{l+1}) (|h_x^l|^2 / N_l), where h_x^l(t) is
// the forward pass of x with the weights at time t. For x = u that is h^l. Any other x can replace u at one node: it
// moves no weights before that node, so the equations of that row give <h_x h_x> and <h_x h>.
#pragma once

#include "theory/march/exact_march.hpp"

namespace lindmft::theory {

/// Fills solution.kernels. Both sides must be final; they are unchanged afterwards. nodes: number of valid nodes
void add_kernels(const Problem& problem, int nodes, NetworkSide& network, const DataSide& data,
                 const MarchOptions& options, Solution& solution);

/// Bytes of temporary memory that it needs.
[[nodiscard]] inline double kernels_bytes(int nodes) { return 8.0 * nodes * (2.0 * nodes + Scratch::kBuffers + 3.0); }

}  // namespace lindmft::theory
