#include "training/run/simulate.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <type_traits>

#include "training/run/record.hpp"
#include "training/run/spectrum.hpp"

namespace lindmft::training {
namespace {

bool recorded(Series::Part part, const Plan& plan) {
  if (part == Series::Part::updates) return plan.extras.updates;
  if (part == Series::Part::modes) return plan.extras.modes;
  if (part == Series::Part::switched) return has_second_target(plan.data());
  if (part == Series::Part::average) return plan.extras.average;
  return part != Series::Part::kernels || plan.extras.kernels;
}

void record(const Observables& observed, int row, int t, Ensemble& out) {
  out.test_loss(row, t) = observed.test_loss;
  out.train_loss(row, t) = observed.train_loss;
  out.chain_residual(row, t) = observed.chain_residual;
  for (std::size_t c = 0; c < out.test_loss_by_output.size(); ++c) {
    out.test_loss_by_output[c](row, t) = observed.test_losses[c];
    out.train_loss_by_output[c](row, t) = observed.train_losses[c];
  }
  for (std::size_t l = 0; l < out.feature_norm.size(); ++l) {
    out.feature_norm[l](row, t) = observed.feature_norm[l];
    out.gradient_norm[l](row, t) = observed.gradient_norm[l];
  }
  for (std::size_t l = 0; l < out.feature_update.size(); ++l) {
    out.feature_update[l](row, t) = observed.feature_update[l];
    out.gradient_update[l](row, t) = observed.gradient_update[l];
  }
  for (std::size_t k = 0; k < out.mode_loss.size(); ++k) {
    out.mode_loss[k](row, t) = observed.mode_loss[k];
    out.mode_learned[k](row, t) = observed.mode_learned[k];
  }
  if (!out.first_task_loss.empty()) out.first_task_loss(row, t) = observed.first_task_loss;
  if (!out.average_loss.empty()) out.average_loss(row, t) = observed.average_loss;
  if (out.kernel_scale.empty()) return;
  out.kernel_gradient(row, t) = observed.kernel_gradient;
  out.kernel_target(row, t) = observed.kernel_target;
  out.kernel_scale(row, t) = observed.kernel_scale;
}

/// Number of matrices of a series: one for each output, mode or layer.
std::size_t entries(Series::Part part, const Plan& plan) {
  if (part == Series::Part::outputs) return static_cast<std::size_t>(plan.outputs());
  return static_cast<std::size_t>(part == Series::Part::modes ? plan.modes() : plan.depth());
}

/// Version of the format of a state; it is increased when the bytes of a state change their meaning.
constexpr int kStateVersion = 1;

/// Writes or reads everything that a state depends on, and the first step after it.
void persist(const Plan& plan, int next, SeedRun& run, Archive& archive) {
  archive.value(next);
  archive.same(kStateVersion);
  archive.same(plan.steps);
  archive.same(static_cast<int>(plan.schedule.method));
  archive.same(plan.schedule.capacity);
  archive.same(plan.schedule.folds ? 1 : 0);
  archive.same(static_cast<int>(plan.scalar()));
  archive.same(plan.extras.updates ? 1 : 0);
  for (const int size : plan.sizes) archive.same(size);
  run.persist(archive);
}

std::string state(const Plan& plan, SeedRun& run) {
  std::string bytes;
  Archive archive(bytes);
  persist(plan, plan.stop, run, archive);
  return bytes;
}

void restore(const Plan& plan, const std::string& bytes, SeedRun& run) {
  Archive archive{std::string_view(bytes)};
  persist(plan, 0, run, archive);
  archive.require(archive.at_end());
}

/// Marks a seed of the ensemble as diverged at step t, with infinite series from there on.
void lose(int row, int t, Ensemble& out) {
  out.diverged_at[static_cast<std::size_t>(row)] = t;
  Ensemble::for_each_series([&](const Series& /*series*/, auto& values) { fill_infinity(values, row, t); }, out);
  if (!out.spectrum.empty()) fill_infinity(out.spectrum[static_cast<std::size_t>(row)], t);
}

/// Computes the spectrum before step t if the plan contains that step.
void probe_spectrum(const Plan& plan, int t, int seed, SeedRun& run, Ensemble& out) {
  const auto found = std::ranges::lower_bound(plan.spectrum_at, t);
  if (found == plan.spectrum_at.end() || *found != t) return;
  run.find_spectrum(static_cast<int>(found - plan.spectrum_at.begin()), out.spectrum[static_cast<std::size_t>(seed)]);
}

/// Room for the trained weights: NaN, which stays for networks that diverge.
void allocate_weights(const Plan& plan, Ensemble& out) {
  if (!plan.weights) return;
  const auto nans = [](int rows, int cols) {
    Matrix m(rows, cols);
    std::fill_n(m.data(), m.bytes() / sizeof(double), std::numeric_limits<double>::quiet_NaN());
    return m;
  };
  for (std::size_t l = 0; l + 1 < plan.sizes.size(); ++l)
    out.weights.push_back(nans(plan.runs() * plan.sizes[l + 1], plan.sizes[l]));
  out.weights.push_back(nans(plan.runs() * plan.outputs(), plan.sizes.back()));
  out.predictor = nans(plan.runs() * plan.outputs(), plan.dim());
}

}  // namespace

Ensemble allocate(const Plan& plan, const Member& member) {
  auto out = described<Ensemble>(plan);
  out.noise_draw = member.noise_draw;
  if (plan.keep_state) out.state.resize(plan.seeds.size());
  if (plan.given != nullptr) out.test_samples = plan.given->test_inputs.rows();
  allocate_weights(plan, out);
  if (plan.extras.spectrum) {
    for (int i = 0; i < plan.runs(); ++i) out.spectrum.push_back(allocate_spectrum(plan));
  }
  const auto allocate_one = [&](Matrix& m) { m = Matrix(plan.runs(), plan.steps); };
  Ensemble::for_each_series(
      [&]<class Values>(const Series& series, Values& values) {
        if (!recorded(series.part, plan)) return;
        if constexpr (std::is_same_v<Values, Matrix>) {
          allocate_one(values);
        } else {
          values.resize(entries(series.part, plan));
          std::ranges::for_each(values, allocate_one);
        }
      },
      out);
  return out;
}

int simulate(const Plan& plan, int index, std::vector<Ensemble>& out, const Advance& advance) {
  const auto run = make_seed_run(plan, plan.seeds[static_cast<std::size_t>(index)]);
  const int begin = plan.first(index);
  if (begin > 0) restore(plan, plan.starts[static_cast<std::size_t>(index)], *run);
  std::vector<int> left(plan.members.size());
  std::iota(left.begin(), left.end(), 0);
  const auto result = [&](int k) -> Ensemble& {
    return out[static_cast<std::size_t>(plan.members[static_cast<std::size_t>(k)].index)];
  };
  for (int t = begin; t < plan.stop; ++t) {
    probe_spectrum(plan, t, index, *run, result(0));
    run->step(t, t + 1 < plan.steps);  // after the last step the weights are not needed
    std::erase_if(left, [&](int k) {
      if (!run->diverged(k)) {
        record(run->observables(k), index, t, result(k));
        return false;
      }
      lose(index, t, result(k));
      run->drop(k);
      return true;
    });
    if (left.empty()) {
      advance(plan.count() * (plan.stop - t));
      return t + 1;
    }
    if (!advance(plan.count())) return t + 1;
  }
  if (plan.weights) run->write_weights(index, result(0));
  if (plan.keep_state) result(0).state[static_cast<std::size_t>(index)] = state(plan, *run);
  return plan.stop;
}

}  // namespace lindmft::training
