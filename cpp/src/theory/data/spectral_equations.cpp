// The equations of SpectralData, panel by panel (see the first comment of spectral_data.hpp).
#include <algorithm>

#include "linalg/rows.hpp"
#include "theory/core/causal_solve.hpp"
#include "theory/core/memory_kernel.hpp"
#include "theory/core/panel_rows.hpp"
#include "theory/data/spectral_data.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

double coefficient_of_1(const PanelTime& time, int row) { return time.unit == nullptr ? 1.0 : time.unit[row]; }

}  // namespace

void SpectralData::update(const Sweep& sweep, const NetworkField& network) {
  if (sweep.time.frozen != nullptr) vectors_.extend(sweep.time);
  if (!sweep.responses_final) update_Bt(sweep, network);
  if (solves_samples()) {
    if (!sweep.responses_final) update_responses(sweep);
    solve_for_samples(sweep, network);
  } else if (single()) {
    if (!sweep.responses_final) update_responses(sweep);
    update_initial(sweep, network);
    update_data(sweep);
    update_discrepancy(sweep);
    update_errors(sweep);
  } else {
    update_initial(sweep, network);
    update_data(sweep);
    update_modes(sweep);
    update_errors(sweep);
  }
  update_gradient(sweep);
}

void SpectralData::times_R_delta(View out, ConstView x, const Sweep& sweep) {
  if (stored_samples()) {
    sweep.algebra.times_causal(out, x, R_delta_);
  } else {
    for (int i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, out.row(i));
  }
}

// Bt = (nu_1 / nu_L) (D_w R_gu^1 / gamma0 + K * C_g^1)
void SpectralData::update_Bt(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  kernel_rows(rows, sweep.time, network.R_gu1, network.C_g1, scales_.arrays.front(), scales_.first_to_last,
              Pass::backward);
  if (sweep.time.frozen != nullptr) vectors_.add_earlier_rows(rows, sweep.time, Bt_);
  linalg::replace_rows(Bt_, panel, rows, sweep.changes);
}

// H = I - lambda Bt R_Delta H of a single mode.
void SpectralData::update_responses(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  const View BtR = sweep.scratch(Buffer::left, panel.size(), panel.end);
  if (solves_samples()) {
    const View x = sweep.scratch(Buffer::lambda_Bt, panel.size(), panel.end);
    sample_equations_.emplace(sample_equations(sweep));
    sample_equations_->response(sweep.scratch(Buffer::R_delta, panel.size(), panel.end), x, R_delta_, modes_.front().H,
                                sweep);
    linalg::replace_rows(R_delta_, panel, sweep.scratch(Buffer::R_delta, panel.size(), panel.end), sweep.changes);
    label_noise_.act(error_sum_, R_delta_, panel, sweep.time.trained(), sweep.time.unit);
  }
  times_R_delta(BtR, rows_of(Bt_, panel), sweep);
  Mode& mode = modes_.front();
  solve_resolvent(rows, BtR, mode.H, -mode.lambda, sweep);
  linalg::replace_rows(mode.H, panel, rows, sweep.changes);
  sum_targets(mode.target, mode.H, sweep);
  if (solves_samples()) {
    R_delta_times(rows, modes_.front().H, 1.0, sweep);
    linalg::replace_rows(RH_, panel, rows, sweep.changes);
  }
  update_errors_response(sweep);
}

// R_vu = -H1 Bt,  R_Delta = I + R_vu R_Delta / alpha.
void SpectralData::update_errors_response(const Sweep& sweep) {
  if (!finite_data()) return;
  const Panel panel = sweep.time.panel;
  const View R_vu = response_rows(sweep);
  if (!stored_samples() || solves_samples()) return;
  View known = R_vu;
  if (sample_noise_.has_epochs()) {
    known = sweep.scratch(Buffer::errors, panel.size(), panel.end);
    for (int i = 0; i < R_vu.rows; ++i) std::copy_n(R_vu.row(i), R_vu.cols, known.row(i));
    sample_noise_.only_earlier(known, panel);
  }
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  solve_resolvent(rows, known, R_delta_, inverse_alpha_, sweep);
  linalg::replace_rows(R_delta_, panel, rows, sweep.changes);
  label_noise_.act(error_sum_, R_delta_, panel, sweep.time.trained(), sweep.time.unit);
}

/// Rows of R_vu.
View SpectralData::response_rows(const Sweep& sweep) const {
  const Panel panel = sweep.time.panel;
  const View R_vu = sweep.scratch(Buffer::R_vu, panel.size(), panel.end);
  sweep.algebra.times_causal(R_vu, rows_of(H1(), panel), Bt_, -H1_factor());
  return R_vu;
}

// The action of m on a unit target: on nodes of training it is 1, on frozen rows the part of their vectors in it.
void SpectralData::sum_targets(std::vector<double>& sums, const Matrix& m, const Sweep& sweep) const {
  const std::vector<double>& pattern = modes_.front().pattern;
  if (pattern.size() == 1 && pattern.front() == 1.0) {
    row_sums(sums, m, sweep.time.panel, sweep.time.trained(), sweep.time.unit);
  } else {
    act_on_pattern(sums, m, pattern, sweep.time.panel, sweep.time.trained(), sweep.time.unit);
  }
  if (sweep.time.frozen != nullptr) vectors_.add_targets(sums, m, sweep.time);
}

// Several modes: H_k = I - lambda Bt R_Delta H_k, their moments, and C_v and C_v2, which are sums of
//     <v_k v_k> = H_k ((w*_k)^2 1 + init + lambda data) H_k^T,
// in one pass over the modes.
void SpectralData::update_modes(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const bool responses = !sweep.responses_final;
  if (responses) {
    const View BtR = sweep.scratch(Buffer::left, panel.size(), panel.end);
    times_R_delta(BtR, rows_of(Bt_, panel), sweep);
    BtR_.set(BtR, panel);
  }
  const bool frozen = sweep.time.frozen != nullptr;
  const bool random_start = (scales_.rho > 0.0 && shares_init_) || frozen;  // otherwise init_ is zero
  batch_.run(BtR_,
             {random_start ? &init_ : nullptr, data_.empty() ? nullptr : &data_, 1.0, true,
              frozen ? vectors_.targets().data() : sweep.time.unit, mode_loss_.empty() ? nullptr : &mode_loss_},
             sweep.algebra.map(), panel);
  if (responses) update_moments(sweep);
  add_up_discrepancy(sweep);
}

void SpectralData::update_moments(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  linalg::replace_rows(H1_, panel, batch_.moment(1), sweep.changes);
  if (!H2_.empty()) linalg::replace_rows(H2_, panel, batch_.moment(2), sweep.changes);
  for (int i = 0; i < panel.size(); ++i) terms_[static_cast<std::size_t>(panel.begin + i)] = batch_.terms(i);
}

void SpectralData::add_up_discrepancy(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View C_v = sweep.scratch(Buffer::result, panel.size(), panel.end);
  set_zero(C_v);
  add(C_v, batch_.congruence(1), 1.0);
  linalg::replace_symmetric(C_v2_, panel, batch_.congruence(2), sweep.changes);
  if (!sweep.responses_final) update_errors_response(sweep);
  if (sums_small_terms() && shares_data_) add_small_terms(C_v, sweep);
  linalg::replace_symmetric(C_v_, panel, C_v, sweep.changes);
}

// rows <- rows E, with E = D_w, or D_w - d(0) 1 e_0^T of every output if the predictor at initialization is subtracted
// (theory.md section 1).
void SpectralData::times_E(View rows, const Sweep& sweep) const {
  std::vector<double> sums(static_cast<std::size_t>(rows.rows * outputs_));
  const int trained = sweep.time.trained();
  for (int i = 0; i < rows.rows && centered_; ++i) {
    for (int s = 0; s < trained; ++s)
      sums[static_cast<std::size_t>(i * outputs_ + s % outputs_)] += rows(i, s) * coefficient_of_1(sweep.time, s);
  }
  if (sweep.time.frozen != nullptr) vectors_.times_sources(rows, sweep.time);
  for (int i = 0; i < rows.rows; ++i) {
    for (int s = 0; s < rows.cols; ++s) rows(i, s) *= sweep.time.decay[s];
    for (int c = 0; c < outputs_ && centered_; ++c)
      rows(i, c) -= sweep.time.decay[c] * sums[static_cast<std::size_t>(i * outputs_ + c)];
  }
}

// With neither a target nor noise in the gradient, a centered predictor stays zero until the weights decay.
bool SpectralData::nothing_learned(const PanelTime& time, int node) const {
  if (!centered_ || driven_) return false;
  return std::all_of(time.decay, time.decay + node + 1, [&](double d) { return d == time.decay[0]; });
}

/// Rows of rho (nu_1 / nu_L) (s_0 / s)^2 E C_g^1 E^T.
void SpectralData::initial_weights_rows(View out, const Sweep& sweep, const NetworkField& network) const {
  const double* d = sweep.time.decay;
  const double scale = scales_.initial_weights();
  const Matrix& C = *network.C_g1;
  for (int i = 0; i < out.rows; ++i) {
    const int t = sweep.time.panel.begin + i;
    if (nothing_learned(sweep.time, t)) {  // exactly zero, without rounding errors of a difference
      std::fill_n(out.row(i), out.cols, 0.0);
      continue;
    }
    const double* row = C.row(t);
    for (int s = 0; s < out.cols; ++s) out(i, s) = scale * (d[t] * (d[s] * row[s]));
    if (!centered_) continue;
    // Terms are subtracted in pairs, so that the contribution at the start cancels exactly.
    const double* first = C.row(t % outputs_);
    for (int s = 0; s < out.cols; ++s) {
      const int start = s % outputs_;
      const double one = coefficient_of_1(sweep.time, s);
      const double here = d[t] * (d[s] * row[s]) - one * (d[t] * (d[0] * row[start]));
      out(i, s) = scale * (here - (d[0] * (d[s] * first[s]) - one * (d[0] * (d[0] * first[start]))));
    }
  }
}

void SpectralData::update_initial(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const View init = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  if (sweep.time.frozen != nullptr) {
    const double scale = scales_.initial_weights();
    vectors_.source_rows(init, sweep.time, *network.C_g1, scale, centered_);
  } else if (shares_init_) {
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
  const View left = sweep.scratch(Buffer::left, panel.size(), panel.end);
  const View data = sweep.scratch(Buffer::extra, panel.size(), panel.end);
  sweep.algebra.times_symmetric(left, rows_of(Bt_, panel), C_e_, inverse_alpha_);
  sweep.algebra.times_transposed(data, left, Bt_);
  return data;
}

void SpectralData::update_data(const Sweep& sweep) {
  if (data_noise() && separate_sources())
    linalg::replace_symmetric(data_, sweep.time.panel, data_rows(sweep), sweep.changes);
}

// C_v = p lambda H ((w*)^2 1 + init + lambda data) H^T of a single mode.
void SpectralData::update_discrepancy(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View C_v = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  const View left = sweep.scratch(Buffer::extra, panel.size(), panel.end);
  const Mode& mode = modes_.front();
  const double share = mode.weight * mode.lambda;
  set_zero(C_v);
  // Otherwise init_ is zero.
  const bool random_start = scales_.rho > 0.0 || !separate_sources() || sweep.time.frozen != nullptr;
  if (random_start || !data_.empty()) {
    sweep.algebra.times_symmetric(left, rows_of(mode.H, panel), init_, share);
    if (!data_.empty()) sweep.algebra.times_symmetric(left, rows_of(mode.H, panel), data_, share * mode.lambda, 1.0);
    sweep.algebra.times_transposed(C_v, left, mode.H);
  }
  add_outer(C_v, panel, mode.target, share * mode.power);
  linalg::replace_symmetric(C_v_, panel, C_v, sweep.changes);
}

// The errors in one of the data modes (the table of theory.md section 6).
void SpectralData::update_errors(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View C_e = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  set_zero(C_e);
  if (stored_samples()) {
    stored_errors(C_e, sweep);
  } else {
    fresh_errors(C_e, sweep);
  }
  if (!finite_data()) return;
  linalg::replace_symmetric(C_e_, panel, C_e, sweep.changes);
  note_data_power(sweep);
}

/// Errors on samples that are used once: those of different steps are independent. All is divided by the first step's
/// alpha afterwards, so that those of a step with another one are scaled.
void SpectralData::fresh_errors(View C_e, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  for (int t = panel.begin; t < panel.end; ++t) {
    const int step = t / outputs_ * outputs_;
    double* row = C_e.row(t - panel.begin);
    for (int s = step; s < step + outputs_; ++s) {
      const double noise = label_noise_.covariance(t % outputs_, s % outputs_);
      row[s] = sweep.time.frozen == nullptr ? C_v_(t, s) + noise : 0.0;
    }
    train_loss_[static_cast<std::size_t>(t)] = row[t];
    for (int s = step; s < step + outputs_; ++s) row[s] *= batch_noise(sweep.time.step(t));
  }
}

void SpectralData::note_data_power(const Sweep& sweep) {
  if (sweep.responses_final) return;
  const Panel panel = sweep.time.panel;
  const ConstView C_e = rows_of(C_e_, panel);
  const View R_vu = sweep.scratch(Buffer::R_vu, panel.size(), panel.end);
  for (int i = 0; i < panel.size(); ++i) {
    data_power_[static_cast<std::size_t>(panel.begin + i)] =
        inverse_alpha_ * linalg::dot(R_vu.row(i), C_e.row(i), panel.end);
  }
}

// R_Delta (C_v + sigma^2 1 + N) R_Delta^T, with the noise N of random batches (sample_noise.hpp).
void SpectralData::stored_errors(View C_e, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const int b = panel.end;
  const View left = sweep.scratch(Buffer::left, panel.size(), b);
  const View plain = sweep.scratch(Buffer::errors, panel.size(), b);
  const ConstView R = rows_of(R_delta_, panel);
  sweep.algebra.times_symmetric(left, R, C_v_);
  sweep.algebra.times_transposed(plain, left, R_delta_);
  add(C_e, plain, 1.0);
  add_outer(C_e, panel, error_sum_, label_noise_.weight());
  if (sample_noise_.active()) sample_noise_.update(left, C_e, R_delta_, panel, sweep.time.trained());
  note_train_loss(C_e, sweep);
  if (sample_noise_.active()) sweep.algebra.times_transposed(C_e, left, R_delta_, 1.0, 1.0);
}

/// The losses on all samples; C_e: without the noise of batches.
void SpectralData::note_train_loss(ConstView C_e, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View R_vu = sweep.scratch(Buffer::R_vu, panel.size(), panel.end);
  if (sample_noise_.has_epochs() && sweep.responses_final) static_cast<void>(response_rows(sweep));
  for (int i = 0; i < panel.size(); ++i) {
    const int t = panel.begin + i;
    double& loss = train_loss_[static_cast<std::size_t>(t)];
    loss = sample_noise_.active() && sweep.time.frozen == nullptr
               ? sample_noise_.train_loss(t, R_vu.row(i), inverse_alpha_)
               : C_e(i, t);
    if (sweep.time.frozen != nullptr) loss = 0.0;
  }
}

// Rows of factor R_Delta H.
void SpectralData::R_delta_times(View out, const Matrix& H, double factor, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  if (stored_samples()) return sweep.algebra.times_causal(out, rows_of(R_delta_, panel), H, factor);
  set_zero(out);
  add(out, rows_of(H, panel), factor);
}

// R_hr^0 and C_h^0 from the moments of the spectrum (see the first comment of spectral_data.hpp).
void SpectralData::update_gradient(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  const View rows = sweep.scratch(Buffer::rows, p, b);
  if (!sweep.responses_final) {
    R_delta_times(rows, H1(), 1.0, sweep);
    if (!RH_.empty() && !solves_samples()) linalg::replace_rows(RH_, panel, rows, sweep.changes);
    for (int i = 0; i < p; ++i)
      std::transform(rows.row(i), rows.row(i) + b, rows.row(i),
                     [&](double x) { return -scales_.rho * H1_factor() * x; });
    times_E(rows, sweep);
    linalg::replace_rows(R_hr0_, panel, rows, sweep.changes);
  }

  const View C_h0 = sweep.scratch(Buffer::extra, p, b);
  set_zero(C_h0);
  if (single() && long_panels_) {
    small_gradient(C_h0, sweep);
    return linalg::replace_symmetric(C_h0_, panel, C_h0, sweep.changes);
  }
  if (single() && stored_samples()) {
    add(C_h0, sweep.scratch(Buffer::errors, p, b), modes_.front().lambda);
  } else if (single()) {
    add(C_h0, rows_of(C_v_, panel), modes_.front().lambda);
  } else if (stored_samples()) {
    sweep.algebra.times_symmetric(rows, rows_of(R_delta_, panel), C_v2_);
    sweep.algebra.times_transposed(C_h0, rows, R_delta_);
  } else {
    add(C_h0, rows_of(C_v2_, panel), 1.0);
  }
  if (sums_small_terms()) {
    if (shares_data_) add(C_h0, sweep.scratch(Buffer::data_gradient, p, b), 1.0);
  } else if (data_noise()) {
    add_data_noise(C_h0, sweep);
  }
  linalg::replace_symmetric(C_h0_, panel, C_h0, sweep.changes);
}

// (m1 C_e - X C_e - C_e X^T) / alpha. For a single mode X = m1 (I - H), and the result is m1 (H C_e + C_e H^T - C_e) /
// alpha.
void SpectralData::add_data_noise(View C_h0, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  const View left = sweep.scratch(Buffer::left, panel.size(), panel.end);
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

}  // namespace lindmft::theory
