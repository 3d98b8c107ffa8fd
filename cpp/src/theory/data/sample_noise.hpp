// The noise of random batches of stored samples (theory.md sections 6 and 17): weights of samples that are 0 or large.
//
// Let g be the correlation of the errors of a sample that the current epoch has not visited yet, and n(t,s) the
// covariance of the samples' weights: 1/q - 1 at equal steps if every step draws samples anew, and within a shuffled
// epoch of nb steps nb - 1 at equal steps and -1 otherwise. The noise N = n * g adds R_Delta N R_Delta^T to C_e, and
//     g = R_Delta (C_v + noise) R_Delta^T + (R_Delta - I) N (R_Delta - I)^T,
// where R_Delta - I reaches back to earlier epochs only. Where every step draws anew, an epoch is a single step.
#pragma once

#include <string>
#include <vector>

#include "linalg/panel.hpp"
#include "linalg/view.hpp"
#include "lindmft/problem.hpp"
#include "theory/core/state.hpp"

namespace lindmft::theory {

/// N within epochs, and the losses that follow from it.
class SampleNoise {
 public:
  SampleNoise() = default;
  /// rows: the number of times, once for each of the outputs that share modes
  SampleNoise(const Data& data, int outputs, int rows);

  /// Whether batches are random.
  [[nodiscard]] bool active() const { return same_ > 0.0; }

  /// R_m: sets the panel's rows of R_vu to zero within epochs, where samples have not been visited.
  void only_earlier(linalg::View R_vu, Panel panel) const;

  /// Computes the panel's rows of N and writes those of R_Delta N to `left`. base: R_Delta (C_v + noise) R_Delta^T.
  /// Rows from `trained` on are vectors passed through frozen weights, which draw no samples.
  void update(linalg::View left, linalg::ConstView base, const Matrix& R_delta, Panel panel, int trained);

  /// The loss on all samples at a row of the panel; R_vu, unmasked, is needed for epochs of several steps.
  [[nodiscard]] double train_loss(int row, const double* R_vu, double inverse_alpha) const;
  /// Whether train_loss() needs R_vu.
  [[nodiscard]] bool has_epochs() const { return within_ != 0.0; }

  /// g(t,s) of rows of the same epoch.
  [[nodiscard]] double unvisited(int t, int s) const { return N(t, s) / factor(t, s); }
  [[nodiscard]] bool same_epoch(int t, int s) const { return t / width_ == s / width_; }
  /// Row t of R_Delta N at a column of an earlier epoch.
  [[nodiscard]] double of_errors(const double* R_delta, int column) const;

  void visit(const StateVisitor& visitor);
  [[nodiscard]] static double bytes(const Data& data, int outputs, int rows);

 private:
  [[nodiscard]] int epoch(int row) const { return row / width_ * width_; }
  [[nodiscard]] double factor(int t, int s) const { return t / outputs_ == s / outputs_ ? same_ : within_; }
  [[nodiscard]] double N(int t, int s) const {
    return band_[static_cast<std::size_t>(s % width_)][static_cast<std::size_t>(t)];
  }
  void set(int t, int s, double value);

  int outputs_ = 1;
  int width_ = 1;        // rows of an epoch
  double same_ = 0.0;    // n at equal steps
  double within_ = 0.0;  // n at other steps of the same epoch
  std::vector<std::vector<double>>
      band_;  // width of n   N(t, first row of the epoch of t + j), as far as there are rows
};

}  // namespace lindmft::theory
