// The data side of theory.md section 6, for any spectrum and every way of using the data.
//
// Modes enter through their transfer functions H_k and through two moments of the spectrum. With
//     H1 = sum p lambda H_k,  H2 = sum p lambda^2 H_k,  C_v = sum p lambda <v_k v_k>,  C_v2 = sum p lambda^2 <v_k v_k>
// the identity G_k R_Delta = R_Delta H_k turns the sums over G_k of section 6 into
//     R_vu    = -H1 Bt
//     R_hr^0  = -R_Delta H1 D_w / (gamma0 nu)
//     C_h^0   = R_Delta C_v2 R_Delta^T + (m1 C_e - X C_e - C_e X^T) / alpha,   X = R_Delta H2 Bt,  m1 = sum p lambda
// Work for every mode is needed only for H_k and <v_k v_k>, of which only the sums are computed (mode_batch.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "problem/scales.hpp"
#include "theory/core/sides.hpp"
#include "theory/data/frozen_vectors.hpp"
#include "theory/data/mode_batch.hpp"
#include "theory/data/output_sources.hpp"
#include "theory/data/sample_equations.hpp"
#include "theory/data/sample_noise.hpp"
#include "theory/data/second_target.hpp"

namespace lindmft::theory {

/// How the rows of functions are grouped.
struct RowBlocks {
  int dense = 0;  ///< largest number of rows of a dense block on the diagonal; 0: nothing is above the diagonal
  /// Whether the blocks are panels of a coarse grid. There the gradient falls by many orders of magnitude, so that it
  /// must not be computed as a difference of large terms.
  bool long_panels = false;
};

/// The data side for a spectrum of modes.
class SpectralData final : public DataSide {
 public:
  SpectralData(const Problem& problem, int nodes, RowBlocks blocks = {}, int threads = 1);

  void guess(const linalg::Guess& guess, bool responses_final) override;
  [[nodiscard]] std::vector<Carried> carried() override;
  [[nodiscard]] std::vector<Watched> watched() const override;
  void visit(const StateVisitor& visitor) override;
  void update(const Sweep& sweep, const NetworkField& network) override;
  [[nodiscard]] DataField field() const override { return {&C_h0_, &R_hr0_}; }
  [[nodiscard]] bool exact_first_row() const override { return !sums_small_terms(); }

  std::vector<Losses> losses(const Sweep& sweep, const NetworkField& network) override;
  [[nodiscard]] ModeRow mode_row(int k, int node) const override;
  [[nodiscard]] int modes() const override { return given_modes_; }
  void follow_modes() override;
  [[nodiscard]] ChainTerm chain(int node, int end, const NetworkField& network) const override;
  [[nodiscard]] double alignment(int node, int end) const override;
  void share(bool init, bool data) override;
  [[nodiscard]] std::vector<double> target_overlap(int nodes) const override;
  [[nodiscard]] double target_size() const override;
  [[nodiscard]] bool nothing_learned(const PanelTime& time, int node) const override;
  [[nodiscard]] double least_gradient(int node, const NetworkField& network) const override;
  void release(TwoTimeFunctions& out, const Saved& saved) override;

  /// Floating-point operations for the sums over modes, which a sweep's PanelAlgebra does not count.
  [[nodiscard]] double flops() const { return batch_.flops(); }

  /// Bytes an object of these sizes takes.
  [[nodiscard]] static double bytes(const Problem& problem, int nodes, RowBlocks blocks);
  /// More bytes with follow_modes().
  [[nodiscard]] static double modes_bytes(const Problem& problem, int nodes, RowBlocks blocks);

 private:
  struct Mode {
    double lambda, power, weight;  // lambda_k, (w*_k)^2, p_k; of outputs that share modes the power is in `pattern`
    Matrix H;                      // n x n, causal   (I + lambda Bt R_Delta)^-1 (only for a single mode)
    std::vector<double> target;    // n   H 1: the part of a unit target not learned yet (only for a single mode)
    std::vector<double> pattern;   // classes   targets of classes of rows, or 1 for a single one
  };

  void make_modes(const Spectrum& spectrum);
  void allocate(int nodes);
  void update_Bt(const Sweep& sweep, const NetworkField& network);
  void sum_targets(std::vector<double>& sums, const Matrix& m, const Sweep& sweep) const;
  void update_responses(const Sweep& sweep);
  void update_moments(const Sweep& sweep);
  void update_errors_response(const Sweep& sweep);
  void update_modes(const Sweep& sweep);
  void visit_modes(const StateVisitor& visitor);
  void add_noise_by_mode(const Sweep& sweep);
  void update_initial(const Sweep& sweep, const NetworkField& network);
  void update_data(const Sweep& sweep);
  [[nodiscard]] linalg::View data_rows(const Sweep& sweep) const;
  void update_discrepancy(const Sweep& sweep);
  void add_up_discrepancy(const Sweep& sweep);
  void update_errors(const Sweep& sweep);
  void solve_for_samples(const Sweep& sweep, const NetworkField& network);
  [[nodiscard]] ModeRow lane_row(int k, int node) const;
  [[nodiscard]] double first_task_loss(int node) const;
  void note_data_power(const Sweep& sweep);
  void update_gradient(const Sweep& sweep);
  void small_gradient(linalg::View C_h0, const Sweep& sweep);
  void add_data_noise(linalg::View C_h0, const Sweep& sweep);
  void R_delta_times(linalg::View out, const Matrix& H, double factor, const Sweep& sweep);
  void stored_errors(linalg::View C_e, const Sweep& sweep);
  void fresh_errors(linalg::View C_e, const Sweep& sweep);
  void note_train_loss(linalg::ConstView C_e, const Sweep& sweep);
  [[nodiscard]] linalg::View response_rows(const Sweep& sweep) const;
  void initial_weights_rows(linalg::View out, const Sweep& sweep, const NetworkField& network) const;
  void times_E(linalg::View rows, const Sweep& sweep) const;
  void times_R_delta(linalg::View out, linalg::ConstView x, const Sweep& sweep);
  [[nodiscard]] Matrix error_correlation(int n) const;

  [[nodiscard]] bool stored_samples() const {
    return mode_ == DataMode::full_batch || mode_ == DataMode::multi_pass || mode_ == DataMode::epochs;
  }
  [[nodiscard]] bool finite_data() const { return inverse_alpha_ > 0.0; }
  /// The factor of C_e in a step, where all steps share inverse_alpha_.
  [[nodiscard]] double batch_noise(int step) const {
    if (batch_noise_.empty()) return 1.0;
    return batch_noise_[std::min(batch_noise_.size() - 1, static_cast<std::size_t>(step))];
  }
  [[nodiscard]] bool data_noise() const { return finite_data() && shares_data_; }
  /// A single mode whose R_Delta is a function of Bt, so that both commute. (Shuffled epochs cut entries out of it.)
  [[nodiscard]] bool single() const {
    return modes_.size() == 1 && !sample_noise_.has_epochs() && !(long_panels_ && outputs_ > 1) && !classes_.switches();
  }
  [[nodiscard]] double left_of_target(int node, int n, int power) const;
  /// A single mode on long panels: the equations of stored samples are solved exactly (sample_equations.hpp).
  [[nodiscard]] bool solves_samples() const { return long_panels_ && single() && stored_samples(); }
  [[nodiscard]] SampleEquations sample_equations(const Sweep& sweep);
  /// Several modes and stored samples on long panels: the gradient is a sum of small terms.
  [[nodiscard]] bool sums_small_terms() const { return long_panels_ && !single() && stored_samples(); }
  void add_small_terms(linalg::View C_v, const Sweep& sweep);
  [[nodiscard]] bool separate_sources() const { return (!single() || long_panels_) && !sums_small_terms(); }
  // Moments of the transfer functions. For a single mode they are H times the factors below.
  [[nodiscard]] const Matrix& H1() const { return single() ? modes_.front().H : H1_; }
  [[nodiscard]] const Matrix& H2() const { return single() ? modes_.front().H : H2_; }
  [[nodiscard]] double H1_factor() const { return single() ? m1_ : 1.0; }
  [[nodiscard]] double H2_factor() const { return single() ? m1_ * modes_.front().lambda : 1.0; }

  Scales scales_;
  int outputs_;  // C, the number of rows of a time
  RowClasses classes_;
  int given_modes_;  // number of modes of the problem; with a second target there may be two kinds of each
  DataMode mode_;
  bool centered_;
  bool long_panels_;
  double init_unit_;
  LabelNoise label_noise_;
  double inverse_alpha_;                          // 1 / alpha, 0 for infinite data
  std::vector<double> batch_noise_;               // alpha of the first step / that of every step; empty: 1
  SampleNoise sample_noise_;                      // the noise that random batches add
  double m1_ = 0.0;                               // sum p lambda
  double m2_ = 0.0;                               // sum p lambda^2
  bool driven_ = false;                           // a target, or label noise of finite data, drives the gradient
  bool shares_init_ = true, shares_data_ = true;  // whether the two networks of a cross-correlation share them
  std::vector<Mode> modes_;
  ModeBatch batch_;         // only for several modes
  ModeOperator BtR_, RBt_;  // Bt R_Delta of H_k, and R_Delta Bt of G_k (only on long panels)

  FrozenVectors vectors_;  // vectors of the current frozen rows

  std::optional<SampleEquations> sample_equations_;  // equations of the current panel (only if solves_samples())

  // Matrices of n x n. Those that a problem does not need are empty.
  Matrix Bt_;          // strictly causal   minus the response of v to u
  Matrix R_delta_;     // causal            identity unless samples are stored
  Matrix H1_, H2_;     // causal            moments of H_k (several modes)
  Matrix init_;        // symmetric         rho E C_g^1 E^T: term of initial weights in v (one mode: plus lambda data_)
  Matrix data_;        // symmetric         Bt C_e Bt^T / alpha: term of finite data in v (several modes)
  Matrix C_v_, C_v2_;  // symmetric         C_v2_ for several modes
  Matrix C_e_;         // symmetric         correlation of the weighted training errors
  Matrix X_;           // strictly causal   R_Delta H2 Bt (several modes)
  Matrix GC_e_;        // symmetric         sum p lambda^2 G_k C_e G_k^T / alpha (several modes on long panels)
  Matrix followed_;    // symmetric         Bt C_e Bt^T / alpha, only for mode_noise_
  Matrix RH_;          // causal            R_Delta H (a single mode on long panels)
  Matrix C_h0_, R_hr0_;
  OutputSums error_sum_;            // C of n   the action of R_Delta on label noise
  std::vector<double> RH_sum_;      // n   R_Delta H 1 (a single mode on long panels)
  std::vector<double> train_loss_;  // n   training loss
  std::vector<double> data_power_;  // n   (R_vu C_e)(t,t) / alpha: part of <v u>
  // n x lanes, only with follow_modes() and several modes:
  Matrix mode_loss_;                     // p lambda <v_k v_k>(t,t)
  Matrix mode_noise_;                    // its term of finite data, where C_v is a sum of small terms
  std::vector<ModeBatch::Terms> terms_;  // n   the three terms of C_v(t,t), from the last sweep (several modes)
};

}  // namespace lindmft::theory
