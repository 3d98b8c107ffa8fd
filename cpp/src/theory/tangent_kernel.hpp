// The neural tangent kernel of the predictor as seen by single vectors x, out of the two-time functions alone.
//
// Each weight array contributes c_l b_l^2 (N_{l+1} / N_L) (|g^{l+1}|^2 / N_{l+1}) (|h_x^l|^2 / N_l), where h_x^l(t) is
// what the weights at time t make of x. For x = u that is h^l. Any other x can stand in the place of u at one node:
// what stands there moves no weights before that node, so the equations of that row give <h_x h_x> and <h_x h>.
#pragma once

#include "theory/march/exact_march.hpp"

namespace lindmft::theory {

/// Fills solution.kernels. Both sides are final, and are so again afterwards. nodes: valid ones
void add_kernels(const Problem& problem, int nodes, NetworkSide& network, const DataSide& data,
                 const MarchOptions& options, Solution& solution);

/// Bytes it takes for the moment.
[[nodiscard]] inline double kernels_bytes(int nodes) { return 8.0 * nodes * (2.0 * nodes + Scratch::kBuffers + 3.0); }

}  // namespace lindmft::theory
