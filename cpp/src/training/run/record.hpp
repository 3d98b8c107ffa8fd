// The parts that all kinds of ensembles share: the description of the run, and infinity after a divergence.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "lindmft/matrix.hpp"
#include "training/run/plan.hpp"
#include "training/run/seed_run.hpp"
#include "training/run/simulate.hpp"

namespace lindmft::training {

/// A result with the fields that describe the run; entries of diverged_at are -1.
template <class Result>
Result described(const Plan& plan) {
  Result out;
  out.dim = plan.dim();
  out.samples = plan.samples;
  out.widths.assign(plan.sizes.begin() + 1, plan.sizes.end());
  out.seeds = plan.seeds;
  out.time.resize(static_cast<std::size_t>(plan.steps));
  std::iota(out.time.begin(), out.time.end(), 0.0);
  out.diverged_at.assign(plan.seeds.size(), -1);
  out.precision = plan.precision;
  out.stats.method = name(plan.schedule.method);
  return out;
}

/// Fills row `row` of a series with infinity from time `from` on; series that were not requested are empty.
inline void fill_infinity(Matrix& m, int row, int from) {
  if (!m.empty()) std::fill(m.row(row) + from, m.row(row) + m.cols(), std::numeric_limits<double>::infinity());
}

/// The same of every output or layer.
inline void fill_infinity(std::vector<Matrix>& matrices, int row, int from) {
  for (Matrix& m : matrices) fill_infinity(m, row, from);
}

}  // namespace lindmft::training
