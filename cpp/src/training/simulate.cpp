#include "training/simulate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "support/divergence.hpp"
#include "training/kernels.hpp"
#include "training/modes.hpp"
#include "training/network.hpp"
#include "training/samples.hpp"

namespace lindmft::training {
namespace {

/// Call visit(matrix) on every series the ensemble stores, seeds x n each.
template <class Visit>
void for_each_series(Ensemble& out, Visit visit) {
  visit(out.test_loss);
  visit(out.train_loss);
  for (Matrix& m : out.feature_norm) visit(m);
  for (Matrix& m : out.gradient_norm) visit(m);
  visit(out.chain_residual);
}

/// One network with its data, a step at a time.
class Run {
 public:
  Run(const Plan& plan, std::uint64_t seed)
      : modes_(plan.problem.data.spectrum, plan.sizes.front(), seed),
        samples_(make_samples(plan.problem.data, plan.sizes.front(), plan.samples, seed)),
        network_(plan.problem, plan.sizes, seed),
        v_(plan.sizes.front()),
        s_(plan.sizes.front()),
        q_(plan.sizes.front()) {}

  /// Step t in the order of theory.md section 3, g^L .. g^1 -> v -> Delta -> u -> h^1 .. h^L, with what it shows
  /// written at (row, t).
  void step(int t, bool update, int row, Ensemble& out) {
    network_.backward();
    network_.predictor(v_);
    for (int k = 0; k < v_.size(); ++k) v_[k] = modes_.target()[k] - v_[k];
    modes_.whiten(v_, s_);
    out.test_loss(row, t) = dot(s_, s_);
    out.train_loss(row, t) = samples_->gradient(t, s_, q_);
    modes_.color(q_, network_.input());
    if (update) {
      network_.forward_and_update(t);
    } else {
      network_.forward();
    }
    for (std::size_t l = 0; l < out.feature_norm.size(); ++l) {
      out.feature_norm[l](row, t) = network_.feature_norm(static_cast<int>(l) + 1);
      out.gradient_norm[l](row, t) = network_.gradient_norm(static_cast<int>(l) + 1);
    }
    out.chain_residual(row, t) = network_.chain_residual();
  }

 private:
  Modes modes_;
  std::unique_ptr<Samples> samples_;
  FiniteNetwork network_;
  PaddedVector v_;  // D  discrepancy w* - w_hat
  PaddedVector s_;  // D  the same in white coordinates, Lambda^(1/2) v / sqrt(D)
  PaddedVector q_;  // D  mean of z Delta over the samples
};

/// The largest value that does not count as divergence.
double threshold(double initial_loss) {
  return support::kDivergence * (std::isfinite(initial_loss) ? std::max(1.0, initial_loss) : 1.0);
}

bool diverged(Ensemble& out, int row, int t, double limit) {
  bool bad = false;
  for_each_series(out, [&](const Matrix& m) { bad = bad || !(m(row, t) <= limit); });  // true for nan, too
  return bad;
}

void fill_infinity(Ensemble& out, int row, int from) {
  for_each_series(out, [&](Matrix& m) {
    std::fill(m.row(row) + from, m.row(row) + m.cols(), std::numeric_limits<double>::infinity());
  });
}

}  // namespace

Ensemble allocate(const Plan& plan, const TrainOptions& options) {
  Ensemble out;
  out.dim = plan.sizes.front();
  out.samples = plan.samples;
  out.widths.assign(plan.sizes.begin() + 1, plan.sizes.end());
  out.seeds = options.seeds;
  out.time.resize(static_cast<std::size_t>(plan.steps));
  std::iota(out.time.begin(), out.time.end(), 0.0);
  out.feature_norm.resize(out.widths.size());
  out.gradient_norm.resize(out.widths.size());
  for_each_series(out, [&](Matrix& m) { m = Matrix(plan.networks, plan.steps); });
  out.diverged_at.assign(out.seeds.size(), -1);
  return out;
}

void simulate(const Plan& plan, int index, Ensemble& out, const std::function<bool(int)>& advance) {
  const auto seed_index = static_cast<std::size_t>(index);
  Run run(plan, out.seeds[seed_index]);
  double limit = 0.0;
  for (int t = 0; t < plan.steps; ++t) {
    const bool last = t + 1 == plan.steps;  // nobody looks at the weights after it
    run.step(t, !last, index, out);
    if (t == 0) limit = threshold(out.test_loss(index, 0));
    if (diverged(out, index, t, limit)) {
      out.diverged_at[seed_index] = t;
      fill_infinity(out, index, t);
      advance(plan.steps - t);
      return;
    }
    if (!advance(1)) return;
  }
}

}  // namespace lindmft::training
