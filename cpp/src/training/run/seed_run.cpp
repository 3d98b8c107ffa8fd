#include "training/run/seed_run.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "support/divergence.hpp"
#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"
#include "training/run/hessian_product.hpp"
#include "training/run/lanczos.hpp"
#include "training/run/spectrum.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/parts.hpp"

namespace lindmft::training {
namespace {

/// The largest value that does not count as divergence.
double threshold(double initial_loss) {
  return support::kDivergence * (std::isfinite(initial_loss) ? std::max(1.0, initial_loss) : 1.0);
}

template <class T>
class TypedSeedRun : public SeedRun {
 public:
  TypedSeedRun(const Plan& plan, std::uint64_t seed);

  void step(int t, bool update) override;
  void find_spectrum(int row, HessianSpectrum& out) override;
  [[nodiscard]] const Observables& observables(int i) const override {
    return observables_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] double overlap(int a, int b) const override;
  [[nodiscard]] double averaged_loss() const override;
  [[nodiscard]] bool diverged(int i) const override {
    return !observables(i).within(limits_[static_cast<std::size_t>(i)]);
  }
  void drop(int i) override;
  void persist(Archive& archive) override;
  void write_weights(int seed, Ensemble& out) override;

 private:
  void make_networks(const Plan& plan, std::uint64_t seed);
  void make_data(const Plan& plan, std::uint64_t seed);
  void evaluate(int i);
  void average(int t);
  void evaluate_average(int i);
  void probe_kernels();
  void observe(int i);
  void observe_modes(int i);

  [[nodiscard]] int count() const { return static_cast<int>(observables_.size()); }
  [[nodiscard]] int row(int i, int c) const { return i * outputs_ + c; }
  /// The networks that share the initialization of network i, and the index of network i among them.
  [[nodiscard]] Networks<T>& group(int i) { return networks_[static_cast<std::size_t>(i / members_ % k_init_)]; }
  [[nodiscard]] int in_group(int i) const { return i / (members_ * k_init_) * members_ + i % members_; }

  std::uint64_t seed_;
  int members_;
  int k_init_;
  int outputs_;
  int lanczos_;
  bool kernels_;
  bool updates_;
  std::vector<double> shares_;  // TrainOptions::average
  int threads_;
  double feature_scale_;
  Modes modes_;
  double predictor_scale_;
  std::vector<std::unique_ptr<Samples<T>>> samples_;  // k_data
  std::unique_ptr<HeldOut<T>> held_out_;              // null: the test loss is the expected one
  std::deque<Networks<T>> networks_;                  // k_init
  PaddedRows<T> s_;                                   // networks x outputs rows of D  Lambda^(1/2) v / sqrt(D)
  PaddedRows<T> average_s_;                           // s_ of averaged weights; empty without
  PaddedRows<T> q_;                                   // the same shape  mean of z Delta over the samples of a step
  std::vector<double> losses_;                        // networks x outputs  train loss
  std::vector<double> test_losses_;                   // the same  on held-out samples
  std::vector<char> active_;                          // networks
  std::vector<Observables> observables_;              // networks
  std::vector<double> limits_;                        // networks  value above which a network counts as diverged
  Padded<T> weighted_target_;                         // D  Lambda w*
  Padded<T> probe_;                                   // D  a random direction, the same at all times
};

template <class T>
TypedSeedRun<T>::TypedSeedRun(const Plan& plan, std::uint64_t seed)
    : seed_(seed),
      members_(plan.count()),
      k_init_(plan.k_init),
      outputs_(plan.outputs()),
      lanczos_(plan.lanczos),
      kernels_(plan.extras.kernels),
      updates_(plan.extras.updates),
      shares_(plan.average),
      threads_(plan.threads),
      feature_scale_(plan.feature_scale),
      modes_(plan.data(), plan.dim(), seed),
      predictor_scale_(plan.predictor_scale()) {
  make_data(plan, seed);
  make_networks(plan, seed);
  const int networks = members_ * k_init_ * plan.k_data;
  s_ = PaddedRows<T>(networks * outputs_, plan.dim());
  q_ = s_;
  if (!shares_.empty()) average_s_ = s_;
  losses_.resize(static_cast<std::size_t>(s_.rows()));
  test_losses_ = losses_;
  active_.assign(static_cast<std::size_t>(networks), 1);
  const auto depth = static_cast<std::size_t>(plan.depth());
  const auto outputs = static_cast<std::size_t>(outputs_);
  Observables empty;
  empty.feature_norm.resize(depth);
  empty.gradient_norm.resize(depth);
  if (updates_) {
    empty.feature_update.resize(depth);
    empty.gradient_update.resize(depth);
  }
  empty.test_losses.resize(outputs);
  empty.train_losses.resize(outputs);
  if (plan.extras.modes) {
    empty.mode_loss.resize(static_cast<std::size_t>(plan.modes()));
    empty.mode_learned.resize(static_cast<std::size_t>(plan.modes()));
  }
  observables_.assign(static_cast<std::size_t>(networks), empty);
  if (!kernels_) return;
  const PaddedVector target = modes_.weighted_target();
  weighted_target_ = Padded<T>(plan.dim());
  probe_ = weighted_target_;
  std::ranges::transform(target.span(), weighted_target_.data(), [](double x) { return static_cast<T>(x); });
  fill_normals({seed, kProbeArray}, 0, probe_.span());
}

template <class T>
void TypedSeedRun<T>::make_data(const Plan& plan, std::uint64_t seed) {
  if (plan.given != nullptr) {
    const auto& stored = plan.stored.get<T>();
    samples_.push_back(make_samples<T>(plan.data(), stored, {seed}, members_, plan.threads));
    held_out_ = std::make_unique<HeldOut<T>>(stored, outputs_, members_, plan.threads);
    return;
  }
  std::vector<Labels> labels;
  for (int i = 0; i < k_init_; ++i) {
    for (const Member& m : plan.members)
      labels.push_back({m.problem.data.noise, m.noise_draw, m.problem.data.noise_factor});
  }
  for (int j = 0; j < plan.k_data; ++j)
    samples_.push_back(
        make_samples<T>(plan.data(), plan.dim(), plan.samples, {seed, j}, labels, plan.threads, plan.batches));
}

template <class T>
void TypedSeedRun<T>::make_networks(const Plan& plan, std::uint64_t seed) {
  std::vector<Problem> problems;
  for (int j = 0; j < plan.k_data; ++j) {
    for (const Member& m : plan.members) problems.push_back(m.problem);
  }
  for (int i = 0; i < k_init_; ++i)
    networks_.emplace_back(problems, plan.sizes, Initialization{seed, i}, plan.schedule, plan.threads);
}

template <class T>
void TypedSeedRun<T>::step(int t, bool update) {
  modes_.place(t);
  for (Networks<T>& n : networks_) n.backward();
  for_each_part(count(), threads_, [&](int i) { evaluate(i); });
  if (held_out_) held_out_->losses(s_.view(), test_losses_);
  if (!shares_.empty()) average(t);
  if (kernels_) probe_kernels();
  const int rows = s_.rows() / static_cast<int>(samples_.size());  // on one data set
  for (std::size_t j = 0; j < samples_.size(); ++j) {
    const int first = static_cast<int>(j) * rows;
    samples_[j]->gradient(t, s_.view().middle(first, rows), q_.view().middle(first, rows),
                          std::span(losses_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)));
  }
  for_each_part(count(), threads_, [&](int i) {
    if (!active_[static_cast<std::size_t>(i)]) return;
    for (int c = 0; c < outputs_; ++c) modes_.color(q_.row(row(i, c)), group(i).input(in_group(i), c));
  });
  for (Networks<T>& n : networks_) {
    if (update) {
      n.forward_and_update(t);
    } else {
      n.forward();
    }
  }
  const bool first = limits_.empty();
  if (updates_ && first) {
    for (Networks<T>& n : networks_) n.start_updates();
  }
  for_each_part(count(), threads_, [&](int i) { observe(i); });
  if (!first) return;
  for (const Observables& r : observables_) limits_.push_back(threshold(r.test_loss));
}

template <class T>
void TypedSeedRun<T>::find_spectrum(int row, HessianSpectrum& out) {
  Networks<T>& network = networks_.front();
  network.backward();
  HessianProduct<T> hessian(modes_, network, *samples_.front(), s_.cols(), feature_scale_);
  PaddedVector random(s_.cols());
  fill_normals({seed_, kSpectrumArray}, 0, random.span());
  const Krylov from_target = lanczos(hessian.vector_of(modes_.target()), lanczos_, hessian);
  record(from_target, lanczos(hessian.vector_of(std::move(random)), lanczos_, hessian), row, out);
}

/// Computes the discrepancies of a network.
template <class T>
void TypedSeedRun<T>::evaluate(int i) {
  if (!active_[static_cast<std::size_t>(i)]) return;
  for (int c = 0; c < outputs_; ++c) {
    T* s = s_.row(row(i, c));
    group(i).predictor(in_group(i), c, s);
    modes_.whiten(s, c, s);
  }
}

/// Averages the weights before the update of step t. As long as the average is that of the weights alone, no average
/// is kept.
template <class T>
void TypedSeedRun<T>::average(int t) {
  const auto at = static_cast<std::size_t>(t);
  const bool alone = shares_[at] == 1.0;
  if (!alone || (at + 1 < shares_.size() && shares_[at + 1] < 1.0)) {
    for (Networks<T>& n : networks_) n.move_average(shares_[at]);
  }
  if (alone) {
    average_s_ = s_;
  } else {
    for_each_part(count(), threads_, [&](int i) { evaluate_average(i); });
  }
  std::vector<double> losses(static_cast<std::size_t>(s_.rows()));
  if (held_out_) held_out_->losses(average_s_.view(), losses);
  for (int i = 0; i < count(); ++i) {
    double& sum = observables_[static_cast<std::size_t>(i)].average_loss;
    sum = 0.0;
    for (int c = 0; c < outputs_; ++c) {
      const T* s = average_s_.row(row(i, c));
      sum += held_out_ ? losses[static_cast<std::size_t>(row(i, c))] : dot(s, s, average_s_.view().width());
    }
  }
}

template <class T>
void TypedSeedRun<T>::evaluate_average(int i) {
  if (!active_[static_cast<std::size_t>(i)]) return;
  for (int c = 0; c < outputs_; ++c) {
    T* s = average_s_.row(row(i, c));
    group(i).average_predictor(in_group(i), c, s);
    modes_.whiten(s, c, s);
  }
}

/// Computes the quotients that need a separate forward pass, with the weights from before the update.
template <class T>
void TypedSeedRun<T>::probe_kernels() {
  for (Networks<T>& n : networks_) {
    const std::vector<double> target = n.kernel_quotients(weighted_target_);
    const std::vector<double> scale = n.kernel_quotients(probe_);
    for (int i = 0; i < count(); ++i) {
      if (&group(i) != &n) continue;
      observables_[static_cast<std::size_t>(i)].kernel_target = target[static_cast<std::size_t>(in_group(i))];
      observables_[static_cast<std::size_t>(i)].kernel_scale = scale[static_cast<std::size_t>(in_group(i))];
    }
  }
}

template <class T>
void TypedSeedRun<T>::observe(int i) {
  if (!active_[static_cast<std::size_t>(i)]) return;
  const Networks<T>& network = group(i);
  Observables& r = observables_[static_cast<std::size_t>(i)];
  r.test_loss = 0.0;
  r.train_loss = 0.0;
  r.first_task_loss = 0.0;
  for (int c = 0; c < outputs_; ++c) {
    const auto at = static_cast<std::size_t>(c);
    const T* s = s_.row(row(i, c));
    r.test_losses[at] = held_out_ ? test_losses_[static_cast<std::size_t>(row(i, c))] : dot(s, s, s_.view().width());
    r.train_losses[at] = losses_[static_cast<std::size_t>(row(i, c))];
    r.test_loss += r.test_losses[at];
    r.train_loss += r.train_losses[at];
    if (modes_.has_second_target()) r.first_task_loss += modes_.first_task_loss(s, c);
  }
  const int n = in_group(i);
  r.chain_residual = network.chain_residual(n);
  for (std::size_t l = 0; l < r.feature_norm.size(); ++l) {
    r.feature_norm[l] = feature_scale_ * network.feature_norm(n, static_cast<int>(l) + 1);
    r.gradient_norm[l] = network.gradient_norm(n, static_cast<int>(l) + 1);
  }
  for (std::size_t l = 0; l < r.feature_update.size(); ++l) {
    r.feature_update[l] = feature_scale_ * network.feature_update(n, static_cast<int>(l) + 1);
    r.gradient_update[l] = network.gradient_update(n, static_cast<int>(l) + 1);
  }
  if (kernels_) r.kernel_gradient = network.kernel_quotient(n);
  if (!r.mode_loss.empty()) observe_modes(i);
}

/// The learning curves of the modes, summed over outputs.
template <class T>
void TypedSeedRun<T>::observe_modes(int i) {
  Observables& r = observables_[static_cast<std::size_t>(i)];
  std::vector<ModeSums> sums(r.mode_loss.size());
  for (int c = 0; c < outputs_; ++c) modes_.add_by_mode(s_.row(row(i, c)), c, sums);
  for (std::size_t k = 0; k < sums.size(); ++k) {
    r.mode_loss[k] = sums[k].loss;
    r.mode_learned[k] = sums[k].target > 0.0 ? sums[k].learned / sums[k].target : 0.0;
  }
}

template <class T>
double TypedSeedRun<T>::overlap(int a, int b) const {
  double sum = 0.0;
  for (int c = 0; c < outputs_; ++c) sum += dot(s_.row(row(a, c)), s_.row(row(b, c)), s_.view().width());
  return sum;
}

template <class T>
double TypedSeedRun<T>::averaged_loss() const {
  double loss = 0.0;
  for (int c = 0; c < outputs_; ++c) {
    PaddedVector mean(s_.cols());
    for (int i = 0; i < count(); ++i) {
      const T* s = s_.row(row(i, c));
      for (int k = 0; k < mean.size(); ++k) mean[k] += static_cast<double>(s[k]) / count();
    }
    loss += dot(mean, mean);
  }
  return loss;
}

template <class T>
void TypedSeedRun<T>::drop(int i) {
  active_[static_cast<std::size_t>(i)] = 0;
  group(i).drop(in_group(i));
  for (int c = 0; c < outputs_; ++c) std::fill_n(s_.row(row(i, c)), s_.view().width(), T{});
}

template <class T>
void TypedSeedRun<T>::persist(Archive& archive) {
  archive.values(std::span(active_));
  limits_.resize(static_cast<std::size_t>(archive.count(static_cast<int>(limits_.size()), count())));
  archive.values(std::span(limits_));
  for (Networks<T>& n : networks_) n.persist(archive);
  for (Networks<T>& n : networks_) {
    if (!shares_.empty()) n.persist_average(archive);
  }
}

template <class T>
void TypedSeedRun<T>::write_weights(int seed, Ensemble& out) {
  Networks<T>& network = networks_.front();
  network.backward();
  for (std::size_t l = 0; l + 1 < out.weights.size(); ++l) {
    const PaddedRows<T> w = network.weights(0, static_cast<int>(l));
    for (int i = 0; i < w.rows(); ++i) std::ranges::copy(w.span(i), out.weights[l].row(seed * w.rows() + i));
  }
  Padded<T> w_hat(s_.cols());
  for (int c = 0; c < outputs_; ++c) {
    const int at = seed * outputs_ + c;
    Matrix& readouts = out.weights.back();
    std::copy_n(network.readout(0, c), readouts.cols(), readouts.row(at));
    network.predictor(0, c, w_hat.data());
    for (int k = 0; k < out.predictor.cols(); ++k)
      out.predictor(at, k) = predictor_scale_ * static_cast<double>(w_hat[k]);
  }
}

}  // namespace

bool Observables::within(double limit) const {
  const auto small = [&](double x) { return x <= limit; };     // false for nan
  const auto known = [](double x) { return !std::isinf(x); };  // nan is allowed: the quotient along a zero vector
  return small(test_loss) && small(train_loss) && small(chain_residual) && std::ranges::all_of(feature_norm, small) &&
         std::ranges::all_of(gradient_norm, small) && known(kernel_gradient) && known(kernel_target) &&
         known(kernel_scale);
}

std::unique_ptr<SeedRun> make_seed_run(const Plan& plan, std::uint64_t seed) {
  if (plan.precision == Precision::float32) return std::make_unique<TypedSeedRun<float>>(plan, seed);
  return std::make_unique<TypedSeedRun<double>>(plan, seed);
}

}  // namespace lindmft::training
