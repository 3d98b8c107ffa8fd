#include "theory/solved_sides.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lindmft/errors.hpp"
#include "theory/coarse_grid.hpp"
#include "theory/spectrum/frozen_weights.hpp"

namespace lindmft::theory {
namespace {

void write(const std::vector<double>& values, Matrix& to, int row, double missing) {
  std::fill_n(to.row(row), to.cols(), missing);
  std::ranges::copy(values, to.row(row));
}

/// Writes one time; values that do not exist are `missing`.
void write(const Sharpness& at, int row, double missing, HessianSpectrum& out) {
  out.sharpness.push_back(at.sharpness.value);
  out.sharpness_error.push_back(at.sharpness.error);
  out.bulk_edge.push_back(at.bulk_edge.value);
  out.bulk_edge_error.push_back(at.bulk_edge.error);
  write(at.target.values, out.target_ritz, row, missing);
  write(at.target.weights, out.target_weight, row, missing);
  write(at.random.values, out.random_ritz, row, missing);
  write(at.random.weights, out.random_weight, row, missing);
}

}  // namespace

/// A divergence may lie in the last panel, of which not all nodes are valid then.
std::vector<int> SolvedSides::valid_panels() const {
  std::vector<int> edges = solution_.panels;
  while (edges.size() > 1 && edges.back() > static_cast<int>(solution_.time.size())) edges.pop_back();
  return edges;
}

std::vector<Sharpness> SolvedSides::spectrum_at(const std::vector<double>& times, int steps,
                                                const Progress& progress) const {
  std::vector<FrozenWeights> weights;
  std::vector<double> decay;
  PanelMap map(static_cast<int>(solution_.time.size()) + Lanczos::rows(rows_ / 2, steps));
  for (int t = 0; t < static_cast<int>(solution_.time.size()); ++t) map.set({t, t + 1});
  if (horizon_.coarse()) {
    const std::vector<int> edges = valid_panels();
    const std::unique_ptr<PanelGrid> grid = coarse_grid(problem_, horizon_, kMostOrder);
    weights = weights_at(*grid, edges, solution_.time, times);
    grid->write_panels(map, !(network_.exact_first_row(2) && data_.exact_first_row()));
    const double* d = grid->committed({0, edges.back()}).decay;
    decay.assign(d, d + edges.back());
  } else {
    weights = weights_at(problem_, times);
    decay = decay_at_steps(problem_, static_cast<int>(solution_.time.size()));
  }
  const int nodes = static_cast<int>(decay.size());
  linalg::PanelAlgebra algebra(map, solution_.stats.threads);
  Scratch scratch(rows_, nodes + Lanczos::rows(rows_ / 2, steps));
  std::vector<Sharpness> out;
  const auto together = static_cast<std::ptrdiff_t>(rows_ / 2);
  for (auto from = weights.begin(); from != weights.end();) {
    const auto to = weights.end() - from > together ? from + together : weights.end();
    const TrainedSides sides{network_, data_, nodes, decay};
    const std::vector<LanczosResult> found = Lanczos(sides, map, algebra, scratch).run({from, to}, steps);
    for (std::size_t i = 0; i < found.size(); i += 2) out.push_back(sharpness_of(found[i], found[i + 1]));
    from = to;
    if (progress && !progress(1, 1)) throw Interrupted("solve was interrupted while computing spectra");
  }
  return out;
}

int spectrum_rows(const SolveOptions& options, int rows) {
  return options.spectrum_at.empty() ? 0 : Lanczos::rows(rows / 2, options.lanczos);
}

void add_spectrum(const SolvedSides& solved, const SolveOptions& options, const Progress& progress,
                  Solution& solution) {
  HessianSpectrum& out = solution.spectrum;
  out.time = options.spectrum_at;
  std::ranges::sort(out.time);
  out.time.erase(std::unique(out.time.begin(), out.time.end()), out.time.end());
  std::vector<double> valid = out.time;
  if (solution.diverged_at) std::erase_if(valid, [&](double t) { return t >= *solution.diverged_at; });
  for (Matrix* m : {&out.target_ritz, &out.target_weight, &out.random_ritz, &out.random_weight})
    *m = Matrix(static_cast<int>(out.time.size()), options.lanczos);
  int row = 0;
  for (const Sharpness& at : solved.spectrum_at(valid, options.lanczos, progress))
    write(at, row++, std::numeric_limits<double>::quiet_NaN(), out);
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  while (row < static_cast<int>(out.time.size()))
    write({{kInfinite, kInfinite}, {kInfinite, kInfinite}, {}, {}}, row++, kInfinite, out);
}

double first_unstable(const SolvedSides& solved, const EdgeWatch& edge, EdgeWatch::Passed between) {
  constexpr int kInner = 4;  // times of one round
  while (between.above - between.below > 1.0) {
    std::vector<double> times;
    for (int k = 1; k <= kInner; ++k) {
      const double time = std::round(between.below + (between.above - between.below) * k / (kInner + 1.0));
      if (time > between.below && time < between.above && (times.empty() || time > times.back())) times.push_back(time);
    }
    const std::vector<Sharpness> found = solved.spectrum_at(times, EdgeWatch::kSteps);
    for (std::size_t k = 0; k < times.size(); ++k) {
      if (edge.ratio(times[k], found[k].sharpness.value) > 1.0) {
        between.above = times[k];
        break;
      }
      between.below = times[k];
    }
  }
  return between.above;
}

}  // namespace lindmft::theory
