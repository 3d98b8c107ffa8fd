// The equations of SpectralData on long panels, where the gradient falls by many orders of magnitude. The samples'
// equations are solved exactly, or small terms are summed instead of subtracting large ones.
#include "linalg/rows.hpp"
#include "theory/core/causal_solve.hpp"
#include "theory/core/panel_rows.hpp"
#include "theory/data/spectral_data.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

// Computes C_e first, and then the functions that follow from it.
void SpectralData::solve_for_samples(const Sweep& sweep, const NetworkField& network) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  update_initial(sweep, network);
  // Buffer::errors <- R_Delta H S H^T R_Delta^T, which is also a term of C_h^0.
  const Mode& mode = modes_.front();
  const View left = sweep.scratch(Buffer::left, p, panel.end);
  const View errors = sweep.scratch(Buffer::errors, p, panel.end);
  sweep.algebra.times_symmetric(left, rows_of(RH_, panel), init_);
  sweep.algebra.times_transposed(errors, left, RH_);
  sum_targets(RH_sum_, RH_, sweep);
  add_outer(errors, panel, RH_sum_, mode.power);

  const View F = sweep.scratch(Buffer::rows, p, panel.end);
  set_zero(F);
  add(F, errors, mode.weight * mode.lambda);
  add_outer(F, panel, error_sum_, label_noise_.weight());
  const View C_e = sweep.scratch(Buffer::result, p, panel.end);
  if (shares_data_) {
    // Otherwise update_responses() has set it.
    if (sweep.responses_final) sample_equations_.emplace(sample_equations(sweep));
    sample_equations_->correlation(C_e, F, R_delta_, C_e_, sweep);
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
  const View x = sweep.scratch(Buffer::lambda_Bt, panel.size(), panel.end);
  set_zero(x);
  add(x, rows_of(Bt_, panel), mode.lambda);
  return {1.0 / (inverse_alpha_ * mode.weight), x, sweep};
}

// Several modes on long panels: with E_k = G_k C_e G_k^T / alpha, and since H_k Bt = Bt G_k,
//     C_h^0 = R_Delta (sum p lambda^2 H_k S_k H_k^T) R_Delta^T + sum p lambda E_k
//     C_v   = sum p lambda H_k S_k H_k^T + Bt (sum p lambda^2 E_k) Bt^T:
// no term is the small difference of large terms.
// Adds the contribution of data to C_v, and writes sum p lambda E_k to Buffer::data_gradient.
void SpectralData::add_small_terms(View C_v, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  if (!sweep.responses_final) {
    const View RBt = sweep.scratch(Buffer::left, panel.size(), panel.end);
    sweep.algebra.times_causal(RBt, rows_of(R_delta_, panel), Bt_);
    RBt_.set(RBt, panel);
  }
  batch_.run(RBt_, {&C_e_, nullptr, inverse_alpha_, false}, sweep.algebra.map(), panel);
  const View first = sweep.scratch(Buffer::data_gradient, panel.size(), panel.end);
  set_zero(first);
  add(first, batch_.congruence(1), 1.0);
  linalg::replace_symmetric(GC_e_, panel, batch_.congruence(2), sweep.changes);
  const View left = sweep.scratch(Buffer::extra, panel.size(), panel.end);
  sweep.algebra.times_symmetric(left, rows_of(Bt_, panel), GC_e_);
  sweep.algebra.times_transposed(C_v, left, Bt_, 1.0, 1.0);
  if (sweep.responses_final) return;
  for (int i = 0; i < panel.size(); ++i) {
    const int t = panel.begin + i;
    terms_[static_cast<std::size_t>(t)].B = linalg::dot(left.row(i), Bt_.row(t), panel.end);
  }
}

// The term of finite data in p lambda <v_k v_k>(t,t), from H_k (lambda Bt C_e Bt^T / alpha) H_k^T.
void SpectralData::add_noise_by_mode(const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  linalg::replace_symmetric(followed_, panel, data_rows(sweep), sweep.changes);
  batch_.run(BtR_, {nullptr, &followed_, 1.0, false, nullptr, &mode_noise_}, sweep.algebra.map(), panel);
}

// For a single mode G = H, and C_h^0 = m1 H (C_e / alpha + lambda R_Delta S R_Delta^T) H^T, a sum of small terms.
void SpectralData::small_gradient(View C_h0, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const Mode& mode = modes_.front();
  const double weight = mode.weight * mode.lambda;
  const View left = sweep.scratch(Buffer::left, panel.size(), panel.end);
  if (data_noise()) {
    sweep.algebra.times_symmetric(left, rows_of(mode.H, panel), C_e_, weight * inverse_alpha_);
    sweep.algebra.times_transposed(C_h0, left, mode.H, 1.0, 1.0);
  }
  const ConstView RH = rows_of(RH_, panel);
  if (solves_samples()) return add(C_h0, sweep.scratch(Buffer::errors, panel.size(), panel.end), weight * mode.lambda);
  sweep.algebra.times_symmetric(left, RH, init_, weight * mode.lambda);
  sweep.algebra.times_transposed(C_h0, left, RH_, 1.0, 1.0);
  sum_targets(RH_sum_, RH_, sweep);
  add_outer(C_h0, panel, RH_sum_, weight * mode.lambda * mode.power);
}

}  // namespace lindmft::theory
