#include "theory/spectral_data.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "theory/causal_solve.hpp"
#include "theory/kernel.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

// Scratch buffers that live through one update; 0 to 2 are for the moment.
constexpr int kResponse = 3;  // R_vu
constexpr int kErrors = 4;    // R_Delta C_v R_Delta^T, before noise (solves_samples(): of the initial weights alone)
constexpr int kPanel = 6;     // lambda Bt
constexpr int kGradient = 7;  // sum p lambda E_k: what finite data add to the gradient (several modes on long panels)

/// out += weight * x(t) x(s)
void add_outer(View out, Panel panel, const std::vector<double>& x, double weight) {
  for (int i = 0; i < out.rows; ++i) {
    const double scale = weight * x[static_cast<std::size_t>(panel.begin + i)];
    for (int s = 0; s < out.cols; ++s) out(i, s) += scale * x[static_cast<std::size_t>(s)];
  }
}

void add(View out, ConstView x, double weight) {
  for (int i = 0; i < out.rows; ++i) {
    for (int s = 0; s < out.cols; ++s) out(i, s) += weight * x(i, s);
  }
}

void set_zero(View out) {
  for (int i = 0; i < out.rows; ++i) std::fill_n(out.row(i), out.cols, 0.0);
}

void row_sums(std::vector<double>& sums, const Matrix& m, Panel panel) {
  for (int t = panel.begin; t < panel.end; ++t) sums[static_cast<std::size_t>(t)] = linalg::sum(m.row(t), panel.end);
}

Matrix identity(int n) {
  Matrix m(n, n);
  for (int t = 0; t < n; ++t) m(t, t) = 1.0;
  return m;
}

/// Delta = x . v / sqrt(D) + sigma eps on samples that the network has not been fitted to.
Matrix infinite_sample_correlation(const Matrix& C_v, double noise_sq) {
  Matrix C(C_v.rows(), C_v.cols());
  for (int t = 0; t < C.rows(); ++t) {
    for (int s = 0; s < C.cols(); ++s) C(t, s) = C_v(t, s) + noise_sq;
  }
  return C;
}

}  // namespace

SpectralData::SpectralData(const Problem& problem, int nodes, bool long_panels)
    : scales_(scales(problem)),
      mode_(problem.data.mode),
      centered_(problem.network.centered),
      long_panels_(long_panels),
      init_scale_(problem.network.init_scale),
      noise_sq_(problem.data.noise * problem.data.noise),
      inverse_alpha_(1.0 / problem.data.alpha),
      sgd_noise_(1.0 / problem.data.batch_fraction - 1.0),
      error_sum_(static_cast<std::size_t>(nodes)),
      RH_sum_(static_cast<std::size_t>(nodes)),
      train_loss_(static_cast<std::size_t>(nodes)),
      data_power_(static_cast<std::size_t>(nodes)) {
  if (stored_samples() && !finite_data()) mode_ = DataMode::population;
  const Spectrum& spectrum = problem.data.spectrum;
  const bool sums_small_terms = long_panels && spectrum.eigenvalues.size() > 1 && stored_samples();
  for (std::size_t k = 0; k < spectrum.eigenvalues.size(); ++k) {
    modes_.push_back({spectrum.eigenvalues[k], spectrum.target_power[k], spectrum.weights[k], Matrix(nodes, nodes),
                      sums_small_terms ? Matrix(nodes, nodes) : Matrix(),
                      std::vector<double>(static_cast<std::size_t>(nodes))});
    m1_ += spectrum.weights[k] * spectrum.eigenvalues[k];
  }
  for (Matrix* m : {&Bt_, &init_, &C_v_, &C_h0_, &R_hr0_}) *m = Matrix(nodes, nodes);
  if (stored_samples()) R_delta_ = Matrix(nodes, nodes);
  if (finite_data()) C_e_ = Matrix(nodes, nodes);
  if (finite_data() && separate_sources()) data_ = Matrix(nodes, nodes);
  if (single() && long_panels_) RH_ = Matrix(nodes, nodes);
  if (single()) return;
  for (Matrix* m : {&H1_, &C_v2_}) *m = Matrix(nodes, nodes);
  if (sums_small_terms) GC_e_ = Matrix(nodes, nodes);
  if (!finite_data() || sums_small_terms) return;
  for (Matrix* m : {&H2_, &X_}) *m = Matrix(nodes, nodes);
}

double SpectralData::bytes(const Problem& problem, int nodes) {
  const auto modes = static_cast<double>(problem.data.spectrum.eigenvalues.size());
  const bool finite = !std::isinf(problem.data.alpha);
  const double matrices = modes + 5.0 + (finite ? 2.0 : 0.0) + (modes > 1 ? (finite ? 5.0 : 2.0) : 2.0);
  return 8.0 * nodes * (matrices * nodes + modes + 3.0);
}

ConstView SpectralData::rows_of(const Matrix& m, Panel panel) const {
  return linalg::leading(m, panel.end, panel.end).block(panel.begin, 0, panel.size(), panel.end);
}

void SpectralData::guess(const linalg::Guess& guess, bool responses_final) {
  for (Mode& mode : modes_) {
    if (responses_final) continue;
    linalg::guess_causal(mode.H, guess);
    if (!mode.G.empty()) linalg::guess_causal(mode.G, guess);
  }
  for (Matrix* m : {&Bt_, &R_delta_, &H1_, &H2_, &X_, &RH_, &R_hr0_}) {
    if (!m->empty() && !responses_final) linalg::guess_causal(*m, guess);
  }
  for (Matrix* m : {&init_, &data_, &GC_e_, &C_v_, &C_v2_, &C_h0_}) {
    if (!m->empty()) linalg::guess_symmetric(*m, guess);
  }
  if (stored_samples()) {
    linalg::guess_symmetric(C_e_, guess);
  } else if (!C_e_.empty()) {
    linalg::clear_rows(C_e_, guess.panel);  // it is diagonal
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

void SpectralData::visit(const StateVisitor& visitor) {
  for (std::size_t k = 0; k < modes_.size(); ++k) {
    const std::string name = std::to_string(k);
    visitor.function("H" + name, modes_[k].H);
    visitor.function("G" + name, modes_[k].G);
    visitor.series("target" + name, modes_[k].target);
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
  visitor.series("error_sum", error_sum_);
  visitor.series("RH_sum", RH_sum_);
  visitor.series("train_loss", train_loss_);
}

void SpectralData::update(const Sweep& sweep, const NetworkField& network) {
  if (!sweep.responses_final) update_responses(sweep, network);
  if (solves_samples()) {
    solve_for_samples(sweep, network);
  } else {
    update_initial(sweep, network);
    update_data(sweep);
    update_discrepancy(sweep);
    update_errors(sweep);
  }
  update_gradient(sweep);
}

// C_e first, and what follows from it.
void SpectralData::solve_for_samples(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  update_initial(sweep, network);
  // kErrors <- R_Delta H S H^T R_Delta^T, also a part of C_h^0
  const Mode& mode = modes_.front();
  const View left = sweep.scratch(0, p, panel.end);
  const View errors = sweep.scratch(kErrors, p, panel.end);
  sweep.algebra.times_symmetric(left, rows_of(RH_, panel), init_);
  sweep.algebra.times_transposed(errors, left, RH_);
  for (int t = panel.begin; t < panel.end; ++t)
    RH_sum_[static_cast<std::size_t>(t)] = linalg::sum(RH_.row(t), panel.end);
  add_outer(errors, panel, RH_sum_, mode.power);

  const View F = sweep.scratch(0, p, panel.end);
  set_zero(F);
  add(F, errors, mode.weight * mode.lambda);
  add_outer(F, panel, error_sum_, noise_sq_);
  const View C_e = sweep.scratch(5, p, panel.end);
  if (shares_data_) {
    sample_equations(sweep).correlation(C_e, F, R_delta_, C_e_, sweep);
  } else {
    set_zero(C_e);
    add(C_e, F, 1.0);
  }
  for (int i = 0; i < p; ++i) train_loss_[static_cast<std::size_t>(panel.begin + i)] = C_e(i, panel.begin + i);
  linalg::replace_symmetric(C_e_, panel, C_e, sweep.changes);
  note_data_power(sweep);
  update_data(sweep);
  update_discrepancy(sweep);
}

SampleEquations SpectralData::sample_equations(const Sweep& sweep) {
  const Mode& mode = modes_.front();
  const Panel panel = sweep.time.panel;
  const View x = sweep.scratch(kPanel, panel.size(), panel.end);
  set_zero(x);
  add(x, rows_of(Bt_, panel), mode.lambda);
  return {1.0 / (inverse_alpha_ * mode.weight), x, sweep};
}

void SpectralData::times_R_delta(View out, ConstView x, const Sweep& sweep) {
  if (stored_samples()) {
    sweep.algebra.times_causal(out, x, R_delta_);
  } else {
    for (int i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, out.row(i));
  }
}

// Bt = (nu_1 / nu_L) (D_w R_gu^1 / gamma0 + K * C_g^1),  H_k = I - lambda Bt R_Delta H_k,
// R_vu = -H1 Bt,  R_Delta = I + R_vu R_Delta / alpha.
void SpectralData::update_responses(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  const View BtR = sweep.scratch(1, panel.size(), panel.end);
  kernel_rows(rows, sweep.time, network.R_gu1, network.C_g1, scales_.lr.front(), scales_.first_to_last);
  linalg::replace_rows(Bt_, panel, rows, sweep.changes);
  if (solves_samples()) {
    const View x = sweep.scratch(kPanel, panel.size(), panel.end);
    const SampleEquations equations = sample_equations(sweep);
    equations.response(sweep.scratch(4, panel.size(), panel.end), x, R_delta_, modes_.front().H, sweep);
    linalg::replace_rows(R_delta_, panel, sweep.scratch(4, panel.size(), panel.end), sweep.changes);
    row_sums(error_sum_, R_delta_, panel);
  }
  times_R_delta(BtR, rows, sweep);

  for (Mode& mode : modes_) {
    solve_resolvent(rows, BtR, mode.H, -mode.lambda, sweep);
    linalg::replace_rows(mode.H, panel, rows, sweep.changes);
    row_sums(mode.target, mode.H, panel);
  }
  if (solves_samples()) {
    R_delta_times(rows, modes_.front().H, 1.0, sweep);
    linalg::replace_rows(RH_, panel, rows, sweep.changes);
  }
  for (Matrix* moment : {&H1_, &H2_}) {
    if (moment->empty()) continue;
    set_zero(rows);
    for (const Mode& mode : modes_) {
      const double lambda = moment == &H1_ ? mode.lambda : mode.lambda * mode.lambda;
      add(rows, rows_of(mode.H, panel), mode.weight * lambda);
    }
    linalg::replace_rows(*moment, panel, rows, sweep.changes);
  }
  if (!finite_data()) return;
  const View R_vu = sweep.scratch(kResponse, panel.size(), panel.end);
  sweep.algebra.times_causal(R_vu, rows_of(H1(), panel), Bt_, -H1_factor());
  if (!stored_samples() || solves_samples()) return;
  solve_resolvent(rows, R_vu, R_delta_, inverse_alpha_, sweep);
  linalg::replace_rows(R_delta_, panel, rows, sweep.changes);
  row_sums(error_sum_, R_delta_, panel);
  if (sums_small_terms()) update_G(sweep);
}

// E = D_w, or D_w - d(0) 1 e_0^T where the predictor at initialization is subtracted (theory.md section 1): rows <-
// rows E.
void SpectralData::times_E(View rows, const Sweep& sweep, const double* row_sums) const {
  for (int i = 0; i < rows.rows; ++i) {
    for (int s = 0; s < rows.cols; ++s) rows(i, s) *= sweep.time.decay[s];
    if (centered_) rows(i, 0) -= sweep.time.decay[0] * row_sums[i];
  }
}

/// Rows of rho (nu_1 / nu_L) E C_g^1 E^T.
void SpectralData::initial_weights_rows(View out, const Sweep& sweep, const NetworkField& network) const {
  const double* d = sweep.time.decay;
  const double scale = scales_.rho * scales_.first_to_last;
  const Matrix& C = *network.C_g1;
  for (int i = 0; i < out.rows; ++i) {
    const int t = sweep.time.panel.begin + i;
    const double* row = C.row(t);
    for (int s = 0; s < out.cols; ++s) out(i, s) = scale * (d[t] * (d[s] * row[s]));
    if (!centered_) continue;
    // In pairs, so that the start cancels exactly.
    const double* first = C.row(0);
    const double at_start = d[0] * (d[0] * first[0]);
    for (int s = 0; s < out.cols; ++s) {
      const double here = d[t] * (d[s] * row[s]) - d[t] * (d[0] * row[0]);
      out(i, s) = scale * (here - (d[0] * (d[s] * first[s]) - at_start));
    }
  }
}

void SpectralData::update_initial(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const View init = sweep.scratch(0, panel.size(), panel.end);
  if (shares_init_) {
    initial_weights_rows(init, sweep, network);
  } else {
    set_zero(init);
  }
  if (data_noise() && single() && !long_panels_) add(init, data_rows(sweep), modes_.front().lambda);
  linalg::replace_symmetric(init_, panel, init, sweep.changes);
}

/// Rows of Bt C_e Bt^T / alpha.
View SpectralData::data_rows(const Sweep& sweep) const {
  const Panel panel = sweep.time.panel;
  const View left = sweep.scratch(1, panel.size(), panel.end);
  const View data = sweep.scratch(2, panel.size(), panel.end);
  sweep.algebra.times_symmetric(left, rows_of(Bt_, panel), C_e_, inverse_alpha_);
  sweep.algebra.times_transposed(data, left, Bt_);
  return data;
}

void SpectralData::update_data(const Sweep& sweep) {
  if (data_noise() && separate_sources())
    linalg::replace_symmetric(data_, sweep.time.panel, data_rows(sweep), sweep.changes);
}

// <v_k v_k> = H_k ((w*_k)^2 1 + init + lambda data) H_k^T
void SpectralData::update_discrepancy(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View C_v = sweep.scratch(0, panel.size(), panel.end);
  const View C_v2 = sweep.scratch(1, panel.size(), panel.end);
  const View left = sweep.scratch(2, panel.size(), panel.end);
  const View mode_rows = sweep.scratch(5, panel.size(), panel.end);
  set_zero(C_v);
  set_zero(C_v2);
  const bool random_start = scales_.rho > 0.0 || (single() && !separate_sources());  // else init_ is zero
  for (const Mode& mode : modes_) {
    set_zero(mode_rows);
    if (random_start || !data_.empty()) {
      sweep.algebra.times_symmetric(left, rows_of(mode.H, panel), init_);
      if (!data_.empty()) sweep.algebra.times_symmetric(left, rows_of(mode.H, panel), data_, mode.lambda, 1.0);
      sweep.algebra.times_transposed(mode_rows, left, mode.H);
    }
    add_outer(mode_rows, panel, mode.target, mode.power);
    add(C_v, mode_rows, mode.weight * mode.lambda);
    add(C_v2, mode_rows, mode.weight * mode.lambda * mode.lambda);
  }
  if (sums_small_terms() && shares_data_) {
    update_small_terms(sweep);
    sweep.algebra.times_symmetric(left, rows_of(Bt_, panel), GC_e_);
    sweep.algebra.times_transposed(C_v, left, Bt_, 1.0, 1.0);
  }
  linalg::replace_symmetric(C_v_, panel, C_v, sweep.changes);
  if (!single()) linalg::replace_symmetric(C_v2_, panel, C_v2, sweep.changes);
}

// One row of the table "how data are used" (theory.md section 6).
void SpectralData::update_errors(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View C_e = sweep.scratch(0, panel.size(), panel.end);
  set_zero(C_e);
  if (stored_samples()) {
    stored_errors(C_e, sweep);
  } else {
    for (int t = panel.begin; t < panel.end; ++t) {
      const double fresh = C_v_(t, t) + noise_sq_;
      train_loss_[static_cast<std::size_t>(t)] = fresh;
      C_e(t - panel.begin, t) = fresh;
    }
  }
  if (!finite_data()) return;
  linalg::replace_symmetric(C_e_, panel, C_e, sweep.changes);
  note_data_power(sweep);
}

void SpectralData::note_data_power(const Sweep& sweep) {
  if (sweep.responses_final) return;
  const Panel panel = sweep.time.panel;
  const ConstView C_e = rows_of(C_e_, panel);
  const View R_vu = sweep.scratch(kResponse, panel.size(), panel.end);
  for (int i = 0; i < panel.size(); ++i) {
    data_power_[static_cast<std::size_t>(panel.begin + i)] =
        inverse_alpha_ * linalg::dot(R_vu.row(i), C_e.row(i), panel.end);
  }
}

// R_Delta (C_v + sigma^2 1 + diag((1/q - 1) c)) R_Delta^T, c the training loss.
void SpectralData::stored_errors(View C_e, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const int b = panel.end;
  const View left = sweep.scratch(1, panel.size(), b);
  const View plain = sweep.scratch(kErrors, panel.size(), b);
  const ConstView R = rows_of(R_delta_, panel);
  sweep.algebra.times_symmetric(left, R, C_v_);
  sweep.algebra.times_transposed(plain, left, R_delta_);
  add(C_e, plain, 1.0);
  add_outer(C_e, panel, error_sum_, noise_sq_);
  for (int i = 0; i < panel.size(); ++i) {
    double c = C_e(i, panel.begin + i);
    for (int s = 0; s < panel.begin + i && sgd_noise_ > 0.0; ++s) {
      c += R(i, s) * R(i, s) * sgd_noise_ * train_loss_[static_cast<std::size_t>(s)];
    }
    train_loss_[static_cast<std::size_t>(panel.begin + i)] = c;
  }
  if (sgd_noise_ == 0.0) return;
  for (int i = 0; i < panel.size(); ++i) {
    for (int s = 0; s < b; ++s) left(i, s) = R(i, s) * sgd_noise_ * train_loss_[static_cast<std::size_t>(s)];
  }
  sweep.algebra.times_transposed(C_e, left, R_delta_, 1.0, 1.0);
}

// rows of  factor R_Delta H
void SpectralData::R_delta_times(View out, const Matrix& H, double factor, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  if (stored_samples()) return sweep.algebra.times_causal(out, rows_of(R_delta_, panel), H, factor);
  set_zero(out);
  add(out, rows_of(H, panel), factor);
}

// R_hr^0 and C_h^0 by the moments of the spectrum (head of spectral_data.hpp).
void SpectralData::update_gradient(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  const View rows = sweep.scratch(0, p, b);
  if (!sweep.responses_final) {
    R_delta_times(rows, H1(), 1.0, sweep);
    if (!RH_.empty() && !solves_samples()) linalg::replace_rows(RH_, panel, rows, sweep.changes);
    for (int i = 0; i < p; ++i)
      std::transform(rows.row(i), rows.row(i) + b, rows.row(i),
                     [&](double x) { return -scales_.rho * H1_factor() * x; });
    std::vector<double> sums(static_cast<std::size_t>(p));
    for (int i = 0; i < p; ++i) sums[static_cast<std::size_t>(i)] = linalg::sum(rows.row(i), b);
    times_E(rows, sweep, sums.data());
    linalg::replace_rows(R_hr0_, panel, rows, sweep.changes);
  }

  const View C_h0 = sweep.scratch(2, p, b);
  set_zero(C_h0);
  if (single() && long_panels_) {
    small_gradient(C_h0, sweep);
    return linalg::replace_symmetric(C_h0_, panel, C_h0, sweep.changes);
  }
  if (single() && stored_samples()) {
    add(C_h0, sweep.scratch(kErrors, p, b), modes_.front().lambda);
  } else if (single()) {
    add(C_h0, rows_of(C_v_, panel), modes_.front().lambda);
  } else if (stored_samples()) {
    sweep.algebra.times_symmetric(rows, rows_of(R_delta_, panel), C_v2_);
    sweep.algebra.times_transposed(C_h0, rows, R_delta_);
  } else {
    add(C_h0, rows_of(C_v2_, panel), 1.0);
  }
  if (sums_small_terms()) {
    if (shares_data_) add(C_h0, sweep.scratch(kGradient, p, b), 1.0);
  } else if (data_noise()) {
    add_data_noise(C_h0, sweep);
  }
  linalg::replace_symmetric(C_h0_, panel, C_h0, sweep.changes);
}

// Several modes on long panels: with E_k = G_k C_e G_k^T / alpha, and since H_k Bt = Bt G_k,
//     C_h^0 = R_Delta (sum p lambda^2 H_k S_k H_k^T) R_Delta^T + sum p lambda E_k
//     C_v   = sum p lambda H_k S_k H_k^T + Bt (sum p lambda^2 E_k) Bt^T:
// nothing is the small difference of large terms.
void SpectralData::update_G(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View RBt = sweep.scratch(1, panel.size(), panel.end);
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  sweep.algebra.times_causal(RBt, rows_of(R_delta_, panel), Bt_);
  for (Mode& mode : modes_) {
    solve_resolvent(rows, RBt, mode.G, -mode.lambda, sweep);
    linalg::replace_rows(mode.G, panel, rows, sweep.changes);
  }
}

/// Rows of sum p lambda^2 E_k, kept, and of sum p lambda E_k, left in kGradient.
void SpectralData::update_small_terms(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View left = sweep.scratch(2, panel.size(), panel.end);
  const View first = sweep.scratch(kGradient, panel.size(), panel.end);
  const View second = sweep.scratch(kPanel, panel.size(), panel.end);
  const View rows = sweep.scratch(5, panel.size(), panel.end);
  set_zero(first);
  set_zero(second);
  for (const Mode& mode : modes_) {
    sweep.algebra.times_symmetric(left, rows_of(mode.G, panel), C_e_, inverse_alpha_);
    sweep.algebra.times_transposed(rows, left, mode.G);
    add(first, rows, mode.weight * mode.lambda);
    add(second, rows, mode.weight * mode.lambda * mode.lambda);
  }
  linalg::replace_symmetric(GC_e_, panel, second, sweep.changes);
}

// A single mode has G = H: C_h^0 = m1 H (C_e / alpha + lambda R_Delta S R_Delta^T) H^T, a sum of small terms.
void SpectralData::small_gradient(View C_h0, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const Mode& mode = modes_.front();
  const double weight = mode.weight * mode.lambda;
  const View left = sweep.scratch(1, panel.size(), panel.end);
  if (data_noise()) {
    sweep.algebra.times_symmetric(left, rows_of(mode.H, panel), C_e_, weight * inverse_alpha_);
    sweep.algebra.times_transposed(C_h0, left, mode.H, 1.0, 1.0);
  }
  const ConstView RH = rows_of(RH_, panel);
  if (solves_samples()) return add(C_h0, sweep.scratch(kErrors, panel.size(), panel.end), weight * mode.lambda);
  sweep.algebra.times_symmetric(left, RH, init_, weight * mode.lambda);
  sweep.algebra.times_transposed(C_h0, left, RH_, 1.0, 1.0);
  for (int t = panel.begin; t < panel.end; ++t)
    RH_sum_[static_cast<std::size_t>(t)] = linalg::sum(RH_.row(t), panel.end);
  add_outer(C_h0, panel, RH_sum_, weight * mode.lambda * mode.power);
}

// (m1 C_e - X C_e - C_e X^T) / alpha. For a single mode X = m1 (I - H), which leaves m1 (H C_e + C_e H^T - C_e) /
// alpha.
void SpectralData::add_data_noise(View C_h0, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  const View left = sweep.scratch(1, panel.size(), panel.end);
  const ConstView C_e = rows_of(C_e_, panel);
  const double weight = m1_ * inverse_alpha_;
  if (single()) {
    const Matrix& H = modes_.front().H;
    sweep.algebra.times_symmetric(left, rows_of(H, panel), C_e_, weight);
    add(C_h0, left, 1.0);
    add(C_h0, C_e, -weight);
    sweep.algebra.times_transposed(C_h0, C_e, H, weight, 1.0);
    return;
  }
  R_delta_times(left, H2(), H2_factor(), sweep);
  sweep.algebra.times_causal(rows, left, Bt_);
  linalg::replace_rows(X_, panel, rows, sweep.changes);
  add(C_h0, C_e, weight);
  sweep.algebra.times_symmetric(left, rows, C_e_, inverse_alpha_);
  add(C_h0, left, -1.0);
  sweep.algebra.times_transposed(C_h0, C_e, X_, -inverse_alpha_, 1.0);
}

std::vector<Losses> SpectralData::losses(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  std::vector<Losses> out(static_cast<std::size_t>(p));
  for (int i = 0; i < p; ++i) {
    const int t = panel.begin + i;
    out[static_cast<std::size_t>(i)] = {C_v_(t, t), train_loss_[static_cast<std::size_t>(t)], 0.0, 0.0, 0.0};
  }
  if (sweep.responses_final) return out;
  const View rows = sweep.scratch(0, p, b);
  const View left = sweep.scratch(1, p, b);
  for (const Mode& mode : modes_) {
    const double share = mode.weight * mode.lambda;
    for (int i = 0; i < p; ++i) {
      const double target = mode.target[static_cast<std::size_t>(panel.begin + i)];
      out[static_cast<std::size_t>(i)].term_target += share * mode.power * target * target;
    }
    if (scales_.rho > 0.0) {
      set_zero(rows);
      add(rows, rows_of(mode.H, panel), 1.0);
      times_E(rows, sweep, mode.target.data() + panel.begin);
      sweep.algebra.times_symmetric(left, rows, *network.C_g1, share * scales_.rho * scales_.first_to_last);
      for (int i = 0; i < p; ++i)
        out[static_cast<std::size_t>(i)].term_init += linalg::dot(left.row(i), rows.row(i), b);
    }
    if (finite_data()) {
      sweep.algebra.times_causal(rows, rows_of(mode.H, panel), Bt_);
      sweep.algebra.times_symmetric(left, rows, C_e_, share * mode.lambda * inverse_alpha_);
      for (int i = 0; i < p; ++i)
        out[static_cast<std::size_t>(i)].term_data += linalg::dot(left.row(i), rows.row(i), b);
    }
  }
  return out;
}

// <w_hat . u> / D = <w* u> - <v u>, and what centering took away: <w_hat(0) . u> / D.
ChainTerm SpectralData::chain(int node, int n, const NetworkField& network) const {
  double target = 0.0;
  double discrepancy = data_power_[static_cast<std::size_t>(node)];
  for (const Mode& mode : modes_) {
    const double share = mode.weight * mode.lambda * mode.power;
    target += share * (stored_samples() ? linalg::dot(R_delta_.row(node), mode.target.data(), n)
                                        : mode.target[static_cast<std::size_t>(node)]);
  }
  discrepancy += stored_samples() ? linalg::dot(C_v_.row(node), R_delta_.row(node), n) : C_v_(node, node);
  double start = 0.0;
  for (int s = 0; s < n && centered_; ++s) start += R_hr0_(node, s) * (*network.C_g1)(s, 0);
  start *= scales_.first_to_last * init_scale_;
  return {target - discrepancy + start, std::abs(target) + std::abs(discrepancy) + std::abs(start)};
}

void SpectralData::share(bool init, bool data) {
  shares_init_ = init;
  shares_data_ = data;
  // With several modes the data's part is a matrix of its own, which nothing updates any more.
  if (!data && !data_.empty()) data_ = Matrix();
}

// <w*_k u_k> = lambda_k (w*_k)^2 R_Delta H_k 1
std::vector<double> SpectralData::target_overlap(int nodes) const {
  std::vector<double> overlap(static_cast<std::size_t>(nodes));
  for (const Mode& mode : modes_) {
    const double share = mode.weight * mode.lambda * mode.lambda * mode.power;
    for (int s = 0; s < nodes; ++s) {
      const double left = stored_samples() ? linalg::dot(R_delta_.row(s), mode.target.data(), s + 1)
                                           : mode.target[static_cast<std::size_t>(s)];
      overlap[static_cast<std::size_t>(s)] += share * left;
    }
  }
  return overlap;
}

double SpectralData::target_size() const {
  double size = 0.0;
  for (const Mode& mode : modes_) size += mode.weight * mode.lambda * mode.lambda * mode.power;
  return size;
}

// The training errors themselves: the weights 0 or 1/q of multi-pass SGD add noise to the weighted errors e,
// Delta = e - noise, which takes R_Delta diag(c) (1/q - 1) out of C_e below the diagonal.
Matrix SpectralData::error_correlation(int n) const {
  if (mode_ == DataMode::population) return infinite_sample_correlation(C_v_, noise_sq_);
  Matrix C(n, n);
  for (int t = 0; t < C_e_.rows(); ++t) std::copy_n(C_e_.row(t), n, C.row(t));
  for (int t = 0; t < n; ++t) {
    C(t, t) = train_loss_[static_cast<std::size_t>(t)];
    for (int s = 0; s < t && stored_samples(); ++s) {
      C(t, s) -= R_delta_(t, s) * sgd_noise_ * train_loss_[static_cast<std::size_t>(s)];
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
  if (saved.has("R_hr")) out.R_hr.push_back(saved.take(R_hr0_, scales_.gamma0));
}

}  // namespace lindmft::theory
