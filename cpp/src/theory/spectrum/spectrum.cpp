#include "theory/spectrum/spectrum.hpp"

#include <cstddef>
#include <utility>

namespace lindmft::theory {

namespace {

/// Leaves out what rounding errors have changed.
LanczosResult accurate(LanczosResult result, double at) {
  hessian::Jacobi& matrix = result.matrix;
  const std::size_t entries = hessian::accurate_entries(matrix, at);
  if (entries == matrix.diagonal.size()) return result;
  result.next = matrix.beside[entries - 1];
  matrix.diagonal.resize(entries);
  matrix.beside.resize(entries - 1);
  return result;
}

}  // namespace

// The vectors are differences of what their source gives and what the passes subtract. Both grow as the orthonormal
// polynomials do at 0. A random vector has no part in an outlier, but rounding errors give it one.
Sharpness sharpness_of(LanczosResult target, LanczosResult random) {
  target = accurate(std::move(target), 0.0);
  random = accurate(std::move(random), 0.0);
  if (!target.matrix.diagonal.empty())
    random = accurate(std::move(random), hessian::ritz(target.matrix, target.next).values.front());
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
