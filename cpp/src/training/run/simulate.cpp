#include "training/run/simulate.hpp"

#include <numeric>

#include "training/run/record.hpp"

namespace lindmft::training {
namespace {

/// Call visit(matrix) on every series the ensemble may store, seeds x n each.
template <class Visit>
void for_each_series(Ensemble& out, Visit visit) {
  for (Matrix* m : {&out.test_loss, &out.train_loss, &out.chain_residual, &out.kernel_gradient, &out.kernel_target,
                    &out.kernel_scale})
    visit(*m);
  for (auto* list : {&out.test_loss_by_output, &out.train_loss_by_output, &out.feature_norm, &out.gradient_norm,
                     &out.feature_update, &out.gradient_update}) {
    for (Matrix& m : *list) visit(m);
  }
}

void record(const Reading& seen, int row, int t, Ensemble& out) {
  out.test_loss(row, t) = seen.test_loss;
  out.train_loss(row, t) = seen.train_loss;
  out.chain_residual(row, t) = seen.chain_residual;
  for (std::size_t c = 0; c < out.test_loss_by_output.size(); ++c) {
    out.test_loss_by_output[c](row, t) = seen.test_losses[c];
    out.train_loss_by_output[c](row, t) = seen.train_losses[c];
  }
  for (std::size_t l = 0; l < out.feature_norm.size(); ++l) {
    out.feature_norm[l](row, t) = seen.feature_norm[l];
    out.gradient_norm[l](row, t) = seen.gradient_norm[l];
  }
  for (std::size_t l = 0; l < out.feature_update.size(); ++l) {
    out.feature_update[l](row, t) = seen.feature_update[l];
    out.gradient_update[l](row, t) = seen.gradient_update[l];
  }
  if (out.kernel_scale.empty()) return;
  out.kernel_gradient(row, t) = seen.kernel_gradient;
  out.kernel_target(row, t) = seen.kernel_target;
  out.kernel_scale(row, t) = seen.kernel_scale;
}

/// Raised when the bytes of a state change their meaning.
constexpr int kStateVersion = 1;

/// All that a state depends on, and the first step after it.
void persist(const Plan& plan, int next, Trial& trial, Archive& archive) {
  archive.value(next);
  archive.same(kStateVersion);
  archive.same(plan.steps);
  archive.same(static_cast<int>(plan.schedule.method));
  archive.same(plan.schedule.capacity);
  archive.same(plan.schedule.folds ? 1 : 0);
  archive.same(static_cast<int>(plan.scalar()));
  archive.same(plan.extras.updates ? 1 : 0);
  for (const int size : plan.sizes) archive.same(size);
  trial.persist(archive);
}

std::string state(const Plan& plan, Trial& trial) {
  std::string bytes;
  Archive archive(bytes);
  persist(plan, plan.stop, trial, archive);
  return bytes;
}

void restore(const Plan& plan, const std::string& bytes, Trial& trial) {
  Archive archive{std::string_view(bytes)};
  persist(plan, 0, trial, archive);
  archive.require(archive.at_end());
}

/// From t on nothing is known of this seed of the ensemble.
void lose(int row, int t, Ensemble& out) {
  out.diverged_at[static_cast<std::size_t>(row)] = t;
  for_each_series(out, [&](Matrix& m) { fill_infinity(m, row, t); });
}

}  // namespace

Ensemble allocate(const Plan& plan, const Member& member) {
  auto out = described<Ensemble>(plan);
  out.noise_draw = member.noise_draw;
  const auto outputs = static_cast<std::size_t>(plan.outputs());
  out.test_loss_by_output.resize(outputs);
  out.train_loss_by_output.resize(outputs);
  out.feature_norm.resize(out.widths.size());
  out.gradient_norm.resize(out.widths.size());
  if (plan.extras.updates) {
    out.feature_update.resize(out.widths.size());
    out.gradient_update.resize(out.widths.size());
  }
  if (plan.keep_state) out.state.resize(plan.seeds.size());
  for_each_series(out, [&](Matrix& m) { m = Matrix(plan.runs(), plan.steps); });
  if (!plan.extras.kernels) {
    for (Matrix* m : {&out.kernel_gradient, &out.kernel_target, &out.kernel_scale}) *m = Matrix();
  }
  return out;
}

int simulate(const Plan& plan, int index, std::vector<Ensemble>& out, const Advance& advance) {
  const auto trial = make_trial(plan, plan.seeds[static_cast<std::size_t>(index)]);
  const int begin = plan.first(index);
  if (begin > 0) restore(plan, plan.starts[static_cast<std::size_t>(index)], *trial);
  std::vector<int> left(plan.members.size());
  std::iota(left.begin(), left.end(), 0);
  const auto result = [&](int k) -> Ensemble& {
    return out[static_cast<std::size_t>(plan.members[static_cast<std::size_t>(k)].place)];
  };
  for (int t = begin; t < plan.stop; ++t) {
    trial->step(t, t + 1 < plan.steps);  // nobody looks at the weights after the last one
    std::erase_if(left, [&](int k) {
      if (!trial->diverged(k)) {
        record(trial->reading(k), index, t, result(k));
        return false;
      }
      lose(index, t, result(k));
      trial->drop(k);
      return true;
    });
    if (left.empty()) {
      advance(plan.count() * (plan.stop - t));
      return t + 1;
    }
    if (!advance(plan.count())) return t + 1;
  }
  if (plan.keep_state) result(0).state[static_cast<std::size_t>(index)] = state(plan, *trial);
  return plan.stop;
}

}  // namespace lindmft::training
