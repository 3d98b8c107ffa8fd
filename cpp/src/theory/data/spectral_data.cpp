#include "theory/data/spectral_data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "theory/core/panel_rows.hpp"

namespace lindmft::theory {

using linalg::View;

namespace {

Matrix identity(int n) {
  Matrix m(n, n);
  for (int t = 0; t < n; ++t) m(t, t) = 1.0;
  return m;
}

/// Correlation of the errors Delta = x . v / sqrt(D) + sigma eps on samples that the network has not been trained on.
Matrix infinite_sample_correlation(const Matrix& C_v, const LabelNoise& noise, int outputs) {
  Matrix C(C_v.rows(), C_v.cols());
  for (int t = 0; t < C.rows(); ++t) {
    for (int s = 0; s < C.cols(); ++s) C(t, s) = C_v(t, s) + noise.covariance(t % outputs, s % outputs);
  }
  return C;
}

}  // namespace

SpectralData::SpectralData(const Problem& problem, int nodes, RowBlocks blocks, int threads)
    : scales_(scales(problem)),
      outputs_(outputs(problem.data)),
      classes_(problem.data),
      given_modes_(static_cast<int>(problem.data.spectrum.eigenvalues.size())),
      mode_(problem.data.mode),
      centered_(problem.network.centered),
      long_panels_(blocks.long_panels),
      init_unit_(init_unit(problem.network)),
      label_noise_(problem.data, outputs_),
      inverse_alpha_(1.0 / amount(problem.data)),
      sample_noise_(problem.data, outputs_, nodes),
      error_sum_(output_sums(outputs_, nodes)),
      RH_sum_(static_cast<std::size_t>(nodes)),
      train_loss_(static_cast<std::size_t>(nodes)),
      data_power_(static_cast<std::size_t>(nodes)),
      terms_(static_cast<std::size_t>(nodes)) {
  if (stored_samples() && !finite_data()) mode_ = DataMode::population;
  for (const double alpha : problem.data.alphas) batch_noise_.push_back(amount(problem.data) / alpha);
  const Spectrum spectrum = staged(problem.data);
  make_modes(spectrum);
  driven_ = driven_ || (noise_variance(problem.data) > 0.0 && finite_data());
  if (!single()) {
    batch_ = ModeBatch(spectrum, classes_, nodes, threads);
    BtR_ = ModeOperator(nodes, batch_.lanes(), blocks.dense);
    if (sums_small_terms()) RBt_ = ModeOperator(nodes, batch_.lanes(), blocks.dense);
  }
  allocate(nodes);
}

void SpectralData::make_modes(const Spectrum& spectrum) {
  const bool sharing = !spectrum.targets.empty();
  for (std::size_t k = 0; k < spectrum.eigenvalues.size(); ++k) {
    const double power = sharing ? 1.0 : spectrum.target_power[k];
    modes_.push_back({spectrum.eigenvalues[k], power, spectrum.weights[k], {}, {}, {1.0}});
    const auto targets = spectrum.targets.begin() + static_cast<std::ptrdiff_t>(sharing ? k : 0) * classes_.count();
    if (sharing) modes_.back().pattern.assign(targets, targets + classes_.count());
    m1_ += spectrum.weights[k] * spectrum.eigenvalues[k];
    m2_ += spectrum.weights[k] * spectrum.eigenvalues[k] * spectrum.eigenvalues[k];
    driven_ = driven_ || spectrum.target_power[k] > 0.0;
  }
}

/// Makes the functions that the problem needs.
void SpectralData::allocate(int nodes) {
  if (single()) {
    modes_.front().H = Matrix(nodes, nodes);
    modes_.front().target.resize(static_cast<std::size_t>(nodes));
  }
  for (Matrix* m : {&Bt_, &init_, &C_v_, &C_h0_, &R_hr0_}) *m = Matrix(nodes, nodes);
  if (stored_samples()) R_delta_ = Matrix(nodes, nodes);
  if (finite_data()) C_e_ = Matrix(nodes, nodes);
  if (finite_data() && separate_sources()) data_ = Matrix(nodes, nodes);
  if (single() && long_panels_) RH_ = Matrix(nodes, nodes);
  if (single()) return;
  for (Matrix* m : {&H1_, &C_v2_}) *m = Matrix(nodes, nodes);
  if (sums_small_terms()) GC_e_ = Matrix(nodes, nodes);
  if (!finite_data() || sums_small_terms()) return;
  for (Matrix* m : {&H2_, &X_}) *m = Matrix(nodes, nodes);
}

double SpectralData::bytes(const Problem& problem, int nodes, RowBlocks blocks) {
  const int modes = staged_modes(problem.data);
  const bool finite = !std::isinf(amount(problem.data));
  const int width = outputs(problem.data);
  double matrices = 5.0 + (finite ? 2.0 : 0.0);
  const double series = 8.0 + 3.0 * width + SampleNoise::bytes(problem.data, width, nodes) / nodes / 8.0;
  const bool epochs = problem.data.mode == DataMode::epochs && problem.data.batches > 1;
  if (modes == 1 && !epochs && !(blocks.long_panels && width > 1) && !has_second_target(problem.data))
    return 8.0 * nodes * ((matrices + (blocks.long_panels ? 3.0 : 1.0)) * nodes + series);
  matrices += finite ? 5.0 : 2.0;
  const int operators = blocks.long_panels && finite ? 2 : 1;
  return 8.0 * nodes * (matrices * nodes + series) + ModeBatch::bytes(modes, nodes, std::max(10, blocks.dense)) +
         operators * ModeOperator::bytes(nodes, ModeBatch::padded(modes), blocks.dense);
}

double SpectralData::modes_bytes(const Problem& problem, int nodes, RowBlocks blocks) {
  const auto modes = static_cast<int>(problem.data.spectrum.eigenvalues.size());
  const double lanes = ModeBatch::padded(modes);
  const double series = 2.0 * modes;
  return 8.0 * nodes * (series + (blocks.long_panels ? nodes + 2.0 * lanes : lanes));
}

void SpectralData::follow_modes() {
  if (single()) return;
  const auto nodes = static_cast<int>(terms_.size());
  mode_loss_ = Matrix(nodes, batch_.lanes());
  if (!sums_small_terms()) return;
  mode_noise_ = Matrix(nodes, batch_.lanes());
  followed_ = Matrix(nodes, nodes);
}

ModeRow SpectralData::mode_row(int k, int node) const {
  ModeRow sum = lane_row(k, node);
  const int other = k + given_modes_;
  if (other >= static_cast<int>(modes_.size())) return sum;
  const ModeRow row = lane_row(other, node);
  const double weight = modes_[static_cast<std::size_t>(k)].weight;
  const double share = weight / (weight + modes_[static_cast<std::size_t>(other)].weight);
  sum.loss += row.loss;
  sum.left = share * sum.left + (1.0 - share) * row.left;
  sum.target = share * sum.target + (1.0 - share) * row.target;
  return sum;
}

ModeRow SpectralData::lane_row(int k, int node) const {
  const Mode& mode = modes_[static_cast<std::size_t>(k)];
  const double pattern =
      mode.pattern.size() == 1 ? mode.pattern.front() : mode.pattern[static_cast<std::size_t>(classes_(node))];
  const double target = mode.power * pattern;
  if (single()) return {C_v_(node, node), target * mode.target[static_cast<std::size_t>(node)], target * pattern};
  const double noise = mode_noise_.empty() ? 0.0 : mode_noise_(node, k);
  return {mode_loss_(node, k) + noise, target * batch_.target(k, node), target * pattern};
}

void SpectralData::guess(const linalg::Guess& guess, bool responses_final) {
  if (single() && !responses_final) linalg::guess_causal(modes_.front().H, guess);
  for (Matrix* m : {&Bt_, &R_delta_, &H1_, &H2_, &X_, &RH_, &R_hr0_}) {
    if (!m->empty() && !responses_final) linalg::guess_causal(*m, guess);
  }
  for (Matrix* m : {&init_, &data_, &GC_e_, &C_v_, &C_v2_, &C_h0_}) {
    if (!m->empty()) linalg::guess_symmetric(*m, guess);
  }
  if (stored_samples()) {
    linalg::guess_symmetric(C_e_, guess);
  } else if (!C_e_.empty()) {
    linalg::clear_rows(C_e_, guess.panel);  // without stored samples it is diagonal
  }
}

std::vector<Carried> SpectralData::carried() {
  std::vector<Carried> functions{{&C_h0_, true}, {&R_hr0_, false}};
  if (!stored_samples() || solves_samples()) return functions;
  functions.push_back({&C_e_, true});
  functions.push_back({&R_delta_, false});
  return functions;
}

std::vector<Watched> SpectralData::watched() const {
  std::vector<Watched> functions{{&C_v_, false}, {&C_h0_, true}};
  if (stored_samples()) functions.push_back({&C_e_, false});
  return functions;
}

void SpectralData::visit_modes(const StateVisitor& visitor) {
  for (int k = 0; k < batch_.modes(); ++k) {
    std::vector<double> target = batch_.target(k);
    visitor.series("mode" + std::to_string(k) + ".target", target);
    batch_.set_target(k, target);
  }
  for (const auto& [name, X] : {std::pair{"BtR", &BtR_}, std::pair{"RBt", &RBt_}}) {
    if (X->matrix().empty()) continue;
    visitor.function(name, X->matrix());
    X->restore(visitor.changed);
  }
  for (int power = 1; power <= 2; ++power)
    visit_sums("left" + std::to_string(power), batch_.left_of_target(power), visitor);
}

void SpectralData::visit(const StateVisitor& visitor) {
  if (single()) {
    visitor.function("mode0.H", modes_.front().H);
    visitor.series("mode0.target", modes_.front().target);
  } else {
    visit_modes(visitor);
  }
  visitor.function("Bt", Bt_);
  visitor.function("R_delta", R_delta_);
  visitor.function("H1", H1_);
  visitor.function("H2", H2_);
  visitor.function("init", init_);
  visitor.function("data", data_);
  visitor.function("C_v", C_v_);
  visitor.function("C_v2", C_v2_);
  visitor.function("C_e", C_e_);
  visitor.function("X", X_);
  visitor.function("GC_e", GC_e_);
  visitor.function("RH", RH_);
  visitor.function("C_h0", C_h0_);
  visitor.function("R_hr0", R_hr0_);
  visit_sums("error_sum", error_sum_, visitor);
  sample_noise_.visit(visitor);
  visitor.series("RH_sum", RH_sum_);
  visitor.factors("train_loss", train_loss_);
}

std::vector<Losses> SpectralData::losses(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  std::vector<Losses> out(static_cast<std::size_t>(p));
  for (int i = 0; i < p; ++i) {
    const int t = panel.begin + i;
    out[static_cast<std::size_t>(i)] = {C_v_(t, t), train_loss_[static_cast<std::size_t>(t)], 0.0, 0.0, 0.0, 0.0};
  }
  if (sweep.responses_final) return out;
  if (!single()) {
    for (int i = 0; i < p; ++i) {
      const ModeBatch::Terms& terms = terms_[static_cast<std::size_t>(panel.begin + i)];
      Losses& at = out[static_cast<std::size_t>(i)];
      at.term_target = terms.target;
      at.term_init = terms.A;
      at.term_data = terms.B;
      if (classes_.switches()) at.first_task = first_task_loss(panel.begin + i);
    }
    if (!mode_noise_.empty()) add_noise_by_mode(sweep);
    return out;
  }
  const View rows = sweep.scratch(Buffer::rows, p, b);
  const View left = sweep.scratch(Buffer::left, p, b);
  const Mode& mode = modes_.front();
  const double share = mode.weight * mode.lambda;
  for (int i = 0; i < p; ++i) {
    const double target = mode.target[static_cast<std::size_t>(panel.begin + i)];
    out[static_cast<std::size_t>(i)].term_target = share * mode.power * target * target;
  }
  if (scales_.rho > 0.0 && !nothing_learned(sweep.time, panel.end - 1)) {
    set_zero(rows);
    add(rows, rows_of(mode.H, panel), 1.0);
    times_E(rows, sweep);
    sweep.algebra.times_symmetric(left, rows, *network.C_g1, share * scales_.initial_weights());
    for (int i = 0; i < p; ++i) out[static_cast<std::size_t>(i)].term_init = linalg::dot(left.row(i), rows.row(i), b);
  }
  if (finite_data()) {
    sweep.algebra.times_causal(rows, rows_of(mode.H, panel), Bt_);
    sweep.algebra.times_symmetric(left, rows, C_e_, share * mode.lambda * inverse_alpha_);
    for (int i = 0; i < p; ++i) out[static_cast<std::size_t>(i)].term_data = linalg::dot(left.row(i), rows.row(i), b);
  }
  return out;
}

// With w the target of a row and a the first one, the discrepancy from the first is v + a - w.
double SpectralData::first_task_loss(int node) const {
  const auto first = static_cast<std::size_t>(node % outputs_);
  const auto now = static_cast<std::size_t>(classes_(node));
  const auto at = static_cast<std::size_t>(node);
  double distance = 0.0;
  for (const Mode& mode : modes_) {
    const double change = mode.pattern[first] - mode.pattern[now];
    distance += mode.weight * mode.lambda * change * change;
  }
  const OutputSums& left = batch_.left_of_target(1);
  return C_v_(node, node) + 2.0 * (left[first][at] - left[now][at]) + distance;
}

// <w_hat . u> / D = <w* u> - <v u>, plus the part that centering subtracts: <w_hat(0) . u> / D.
ChainTerm SpectralData::chain(int node, int n, const NetworkField& network) const {
  const double target = left_of_target(node, n, 1);
  const double discrepancy = alignment(node, n);
  double start = 0.0;
  for (int s = 0; s < n && centered_; ++s) start += R_hr0_(node, s) * (*network.C_g1)(s, node % outputs_);
  start *= scales_.first_to_last * scales_.arrays.front().start * init_unit_;
  return {target - discrepancy + start, std::abs(target) + std::abs(discrepancy) + std::abs(start)};
}

double SpectralData::alignment(int node, int n) const {
  return data_power_[static_cast<std::size_t>(node)] +
         (stored_samples() ? linalg::dot(C_v_.row(node), R_delta_.row(node), n) : C_v_(node, node));
}

void SpectralData::share(bool init, bool data) {
  shares_init_ = init;
  shares_data_ = data;
  // With several modes the contribution of data is a separate matrix, which is not updated any more.
  if (!data && !data_.empty()) data_ = Matrix();
}

// <w*_k u_k> = lambda_k (w*_k)^2 R_Delta H_k 1
std::vector<double> SpectralData::target_overlap(int nodes) const {
  std::vector<double> overlap(static_cast<std::size_t>(nodes));
  for (int s = 0; s < nodes; ++s) overlap[static_cast<std::size_t>(s)] = left_of_target(s, s + 1, 2);
  return overlap;
}

/// (R_Delta sum p lambda^power (w*)^2 H_k 1)(node), of n nodes
double SpectralData::left_of_target(int node, int n, int power) const {
  const Mode& first = modes_.front();
  const auto output = static_cast<std::size_t>(classes_(node));
  const double share =
      single() ? first.weight * first.power * first.pattern[output] * std::pow(first.lambda, power) : 1.0;
  const std::vector<double>& left = single() ? first.target : batch_.left_of_target(power)[output];
  return share *
         (stored_samples() ? linalg::dot(R_delta_.row(node), left.data(), n) : left[static_cast<std::size_t>(node)]);
}

double SpectralData::target_size() const {
  double size = 0.0;
  for (const Mode& mode : modes_) {
    double power = 0.0;
    for (const double w : mode.pattern) power += mode.power * w * w;
    size += mode.weight * mode.lambda * mode.lambda * power;
  }
  return size;
}

// Below the smallest normal number digits are missing. Where C_h^0 is a sum of terms of both signs, its error is the
// rounding error of the largest of them: of earlier gradients, and of the contributions of initial weights at the start
// and now, whose difference is taken by centering (at t = 0 it is exactly zero). In the lazy limit this does not
// matter, since the kernel is the same along every vector.
double SpectralData::least_gradient(int node, const NetworkField& network) const {
  constexpr double kResolved = 1e-12;
  constexpr double kSmallest = std::numeric_limits<double>::min();
  if (scales_.gamma0_sq == 0.0 || (scales_.rho == 0.0 && !finite_data())) return kSmallest;
  const double weights = node > 0 ? m2_ * scales_.initial_weights() * init_unit_ * init_unit_ : 0.0;
  double largest = 0.0;
  for (int s = 0; s <= node; ++s) largest = std::max(largest, C_h0_(s, s) + weights * (*network.C_g1)(s, s));
  return std::max(kSmallest, kResolved * largest);
}

// The training errors themselves: random batches add noise to the weighted errors e, Delta = e - noise, which takes
// R_Delta N out of C_e at times of earlier epochs (sample_noise.hpp).
Matrix SpectralData::error_correlation(int n) const {
  if (mode_ == DataMode::population) return infinite_sample_correlation(C_v_, label_noise_, outputs_);
  Matrix C(n, n);
  for (int t = 0; t < C_e_.rows(); ++t) std::copy_n(C_e_.row(t), n, C.row(t));
  for (int t = 0; t < n && !batch_noise_.empty(); ++t) {
    for (int s = 0; s < n; ++s) C(t, s) /= batch_noise(t / outputs_);
  }
  for (int t = 0; t < n; ++t) C(t, t) = train_loss_[static_cast<std::size_t>(t)];
  for (int t = 0; t < n && sample_noise_.active(); ++t) {
    for (int s = 0; s <= t; ++s) {
      if (sample_noise_.same_epoch(t, s)) {
        C(t, s) = sample_noise_.unvisited(t, s);
      } else {
        C(t, s) -= sample_noise_.of_errors(R_delta_.row(t), s);
      }
      C(s, t) = C(t, s);
    }
  }
  return C;
}

void SpectralData::release(TwoTimeFunctions& out, const Saved& saved) {
  const int n = C_v_.rows();
  if (saved.has("C_delta")) {
    Matrix C_delta = error_correlation(n);
    out.C_delta = saved.take(C_delta);
  }
  if (saved.has("R_delta")) {
    Matrix unchanged = R_delta_.empty() ? identity(n) : Matrix();
    out.R_delta = saved.take(R_delta_.empty() ? unchanged : R_delta_);
  }
  if (saved.has("C_v")) out.C_v = saved.take(C_v_);
  if (saved.has("C_h")) out.C_h.push_back(saved.take(C_h0_));
  if (saved.has("R_hr"))
    out.R_hr.push_back(saved.take(R_hr0_, scales_.gamma0 * std::sqrt(scales_.arrays.front().start)));
}

}  // namespace lindmft::theory
