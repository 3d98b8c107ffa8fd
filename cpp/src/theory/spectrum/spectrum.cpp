#include "theory/spectrum/spectrum.hpp"

#include <algorithm>
#include <limits>

#include "lindmft/errors.hpp"

namespace lindmft::theory {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// Number of times that are computed together: each has two starts.
int together(const SolveOptions& options, int rows) {
  return std::max(1, std::min(static_cast<int>(options.spectrum_at.size()), rows / 2));
}

void write(const std::vector<double>& values, Matrix& to, int row) {
  std::fill_n(to.row(row), to.cols(), kMissing);
  std::copy(values.begin(), values.end(), to.row(row));
}

void write(const Sharpness& at, double time, int row, HessianSpectrum& out) {
  out.time.push_back(time);
  out.sharpness.push_back(at.sharpness.value);
  out.sharpness_error.push_back(at.sharpness.error);
  out.bulk_edge.push_back(at.bulk_edge.value);
  out.bulk_edge_error.push_back(at.bulk_edge.error);
  write(at.target.values, out.target_ritz, row);
  write(at.target.weights, out.target_weight, row);
  write(at.random.values, out.random_ritz, row);
  write(at.random.weights, out.random_weight, row);
}

}  // namespace

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

int spectrum_rows(const SolveOptions& options, int rows) {
  return options.spectrum_at.empty() ? 0 : Lanczos::rows(together(options, rows), options.lanczos);
}

void add_spectrum(const SolveOptions& options, const std::vector<FrozenWeights>& weights, TrainedSides sides, int rows,
                  Solution& solution) {
  const int times = static_cast<int>(weights.size());
  const int batch = together(options, rows);
  const int nodes = sides.nodes + Lanczos::rows(batch, options.lanczos);
  PanelMap map(nodes);
  for (int t = 0; t < sides.nodes; ++t) map.set({t, t + 1});
  for (std::size_t k = 0; k + 1 < solution.panels.size(); ++k) map.set({solution.panels[k], solution.panels[k + 1]});
  linalg::PanelAlgebra algebra(map, solution.stats.threads);
  Scratch scratch(2 * batch, nodes);
  HessianSpectrum& out = solution.spectrum;
  for (Matrix* m : {&out.target_ritz, &out.target_weight, &out.random_ritz, &out.random_weight})
    *m = Matrix(times, options.lanczos);
  for (int first = 0; first < times; first += batch) {
    const std::vector<FrozenWeights> now(weights.begin() + first, weights.begin() + std::min(times, first + batch));
    const std::vector<LanczosResult> found = Lanczos(sides, map, algebra, scratch).run(now, options.lanczos);
    for (std::size_t i = 0; i < now.size(); ++i)
      write(sharpness_of(found[2 * i], found[2 * i + 1]), now[i].time, first + static_cast<int>(i), out);
    if (options.progress && !options.progress(1, 1)) throw Interrupted("solve was interrupted while computing spectra");
  }
  solution.stats.flops += algebra.flops();
}

}  // namespace lindmft::theory
