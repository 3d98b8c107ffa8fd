// What ensembles of all kinds have in common: the march of one seed through time, and infinity past a divergence.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>

#include "lindmft/matrix.hpp"
#include "training/plan.hpp"
#include "training/simulate.hpp"
#include "training/trial.hpp"

namespace lindmft::training {

/// The fields that say what was trained; entries of diverged_at are -1.
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
  return out;
}

/// Row `row` of a series from time `from` on; series that were not asked for are empty.
inline void fill_infinity(Matrix& m, int row, int from) {
  if (!m.empty()) std::fill(m.row(row) + from, m.row(row) + m.cols(), std::numeric_limits<double>::infinity());
}

/// Call record(trial, t) at every time until seed `index` diverges, and then lose(t) for what is left of it.
template <class Record, class Lose>
void march(const Plan& plan, int index, std::vector<int>& diverged_at, const Advance& advance, Record record,
           Lose lose) {
  Trial trial(plan, plan.seeds[static_cast<std::size_t>(index)]);
  for (int t = 0; t < plan.steps; ++t) {
    const bool last = t + 1 == plan.steps;  // nobody looks at the weights after it
    trial.step(t, !last);
    if (trial.diverged()) {
      diverged_at[static_cast<std::size_t>(index)] = t;
      lose(t);
      advance(plan.steps - t);
      return;
    }
    record(trial, t);
    if (!advance(1)) return;
  }
}

}  // namespace lindmft::training
