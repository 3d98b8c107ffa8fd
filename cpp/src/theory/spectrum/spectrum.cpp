#include "theory/spectrum/spectrum.hpp"

namespace lindmft::theory {

Sharpness sharpness_of(const LanczosResult& target, const LanczosResult& random) {
  Sharpness out{{0.0, 0.0}, {0.0, 0.0}, {}, {}};
  if (!random.matrix.diagonal.empty()) {
    out.random = hessian::ritz(random.matrix, random.next);
    out.bulk_edge = hessian::upper_edge(random.matrix, out.random);
  }
  out.sharpness = out.bulk_edge;
  if (target.matrix.diagonal.empty()) return out;
  out.target = hessian::ritz(target.matrix, target.next);
  if (out.target.values.front() > out.bulk_edge.value) out.sharpness = {out.target.values.front(), out.target.residual};
  return out;
}

}  // namespace lindmft::theory
