// Trains the replicas of a seed and averages their overlaps, separately for each set of things that they share
// (theory.md section 3, replicas).
#include <cstddef>

#include "training/run/record.hpp"

namespace lindmft::training {
namespace {

/// The mean over pairs of networks.
struct Mean {
  double sum = 0.0;
  std::size_t count = 0;
  void add(double x) {
    sum += x;
    ++count;
  }
  void write(Matrix& m, int row, int t) const {
    if (!m.empty()) m(row, t) = sum / static_cast<double>(count);
  }
};

void record_overlaps(const SeedRun& run, int row, int t, ReplicaEnsemble& out) {
  Mean same, shared_init, shared_data, independent;
  for (int a = 0; a < out.k_init * out.k_data; ++a) {
    same.add(run.overlap(a, a));
    for (int b = 0; b < a; ++b) {
      const bool init = a % out.k_init == b % out.k_init;
      const bool data = a / out.k_init == b / out.k_init;
      Mean& kind = init ? shared_init : data ? shared_data : independent;
      kind.add(run.overlap(a, b));
    }
  }
  same.write(out.test_loss, row, t);
  shared_init.write(out.shared_init, row, t);
  shared_data.write(out.shared_data, row, t);
  independent.write(out.independent, row, t);
}

}  // namespace

ReplicaEnsemble allocate_replicas(const Plan& plan) {
  auto out = described<ReplicaEnsemble>(plan);
  out.k_init = plan.k_init;
  out.k_data = plan.k_data;
  ReplicaEnsemble::for_each_series([&](const Series& /*series*/, Matrix& m) { m = Matrix(plan.runs(), plan.steps); },
                                   out);
  if (plan.k_data == 1) out.shared_init = Matrix();
  if (plan.k_init == 1) out.shared_data = Matrix();
  if (plan.k_init == 1 || plan.k_data == 1) out.independent = Matrix();
  return out;
}

int simulate(const Plan& plan, int index, ReplicaEnsemble& out, const Advance& advance) {
  const auto run = make_seed_run(plan, plan.seeds[static_cast<std::size_t>(index)]);
  for (int t = 0; t < plan.steps; ++t) {
    run->step(t, t + 1 < plan.steps);
    for (int i = 0; i < plan.k_init * plan.k_data; ++i) {
      if (!run->diverged(i)) continue;
      out.diverged_at[static_cast<std::size_t>(index)] = t;
      ReplicaEnsemble::for_each_series([&](const Series& /*series*/, Matrix& m) { fill_infinity(m, index, t); }, out);
      advance(plan.steps - t);
      return t + 1;
    }
    record_overlaps(*run, index, t, out);
    out.averaged_loss(index, t) = run->averaged_loss();
    if (!advance(1)) return t + 1;
  }
  return plan.steps;
}

}  // namespace lindmft::training
