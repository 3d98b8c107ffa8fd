#include "training/simulate.hpp"

#include "training/kernels.hpp"
#include "training/record.hpp"

namespace lindmft::training {
namespace {

/// Call visit(matrix) on every series the ensemble may store, seeds x n each.
template <class Visit>
void for_each_series(Ensemble& out, Visit visit) {
  for (Matrix* m : {&out.test_loss, &out.train_loss, &out.chain_residual, &out.kernel_gradient, &out.kernel_target,
                    &out.kernel_scale})
    visit(*m);
  for (auto* list : {&out.test_loss_by_output, &out.train_loss_by_output, &out.feature_norm, &out.gradient_norm}) {
    for (Matrix& m : *list) visit(m);
  }
}

void record(const Trial& trial, int row, int t, Ensemble& out) {
  const Reading& seen = trial.reading(0);
  out.test_loss(row, t) = seen.test_loss;
  out.train_loss(row, t) = seen.train_loss;
  out.chain_residual(row, t) = seen.chain_residual;
  for (std::size_t c = 0; c < out.test_loss_by_output.size(); ++c) {
    const Errors& e = trial.errors(0, static_cast<int>(c));
    out.test_loss_by_output[c](row, t) = dot(e.s, e.s);
    out.train_loss_by_output[c](row, t) = e.loss;
  }
  for (std::size_t l = 0; l < out.feature_norm.size(); ++l) {
    out.feature_norm[l](row, t) = seen.feature_norm[l];
    out.gradient_norm[l](row, t) = seen.gradient_norm[l];
  }
  if (out.kernel_scale.empty()) return;
  out.kernel_gradient(row, t) = seen.kernel_gradient;
  out.kernel_target(row, t) = seen.kernel_target;
  out.kernel_scale(row, t) = seen.kernel_scale;
}

}  // namespace

Ensemble allocate(const Plan& plan) {
  auto out = described<Ensemble>(plan);
  const auto outputs = static_cast<std::size_t>(plan.outputs());
  out.test_loss_by_output.resize(outputs);
  out.train_loss_by_output.resize(outputs);
  out.feature_norm.resize(out.widths.size());
  out.gradient_norm.resize(out.widths.size());
  for_each_series(out, [&](Matrix& m) { m = Matrix(plan.runs(), plan.steps); });
  if (!plan.kernels) {
    for (Matrix* m : {&out.kernel_gradient, &out.kernel_target, &out.kernel_scale}) *m = Matrix();
  }
  return out;
}

void simulate(const Plan& plan, int index, Ensemble& out, const Advance& advance) {
  march(
      plan, index, out.diverged_at, advance, [&](const Trial& trial, int t) { record(trial, index, t, out); },
      [&](int t) { for_each_series(out, [&](Matrix& m) { fill_infinity(m, index, t); }); });
}

}  // namespace lindmft::training
