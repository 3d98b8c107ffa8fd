// Sums over all modes of a spectrum. With F_k = (I + lambda_k X)^-1 and A_k = power_k 1 + A + lambda_k B, X the same
// for all modes, the equations need only the sums
//     sum w F_k      and      sum w F_k A_k F_k^T,      w = p lambda and p lambda^2,
// over modes. Rows f of F_k and y of the congruence solve triangular systems in which modes differ only by lambda,
//     f (I + lambda_k X) = e      and      y (I + lambda_k X)^T = f A_k,
// the first from the last column to the first, the second from the first to the last. Therefore no F_k is stored. Rows
// of many modes, side by side in the lanes of vectors, share every product with X, A and B, and memory is proportional
// to modes times nodes. Lanes are distributed to threads, and sums are taken in a fixed order: results do not depend on
// the number of threads, to the last bit.
#pragma once

#include <vector>

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"
#include "lindmft/problem.hpp"
#include "theory/core/panel_rows.hpp"
#include "theory/data/mode_lanes.hpp"
#include "theory/data/second_target.hpp"

namespace lindmft::theory {

/// The matrix X of one of the families F_k, up to the current panel.
class ModeOperator {
 public:
  ModeOperator() = default;
  /// lanes: number of lanes for all modes; dense: panels are dense blocks on the diagonal with at most this many rows
  /// (0: X is strictly lower triangular)
  ModeOperator(int nodes, int lanes, int dense);

  /// Sets the panel's rows.
  void set(linalg::ConstView rows, Panel panel);
  /// Must be called after rows of matrix() were changed; columns after them are not in use.
  void restore(Panel rows);
  [[nodiscard]] Matrix& matrix() { return X_; }

  [[nodiscard]] static double bytes(int nodes, int lanes, int dense);

 private:
  friend class ModeBatch;
  int dense_ = 0;
  Matrix X_, transposed_;  // n x n
  // dense n x lanes   diagonal blocks of F_k: entry (t, j), j from the block's first column on
  Matrix inverses_;
  int inverted_ = 0;       // rows before it have final inverses
  std::vector<int> ends_;  // n   end of the block that was inverted from this row on: blocks change with the PanelMap
};

/// The modes of a spectrum, and the sums over them.
class ModeBatch {
 public:
  ModeBatch() = default;
  /// spectrum: with a target for each class of rows, if it has `targets`
  ModeBatch(const Spectrum& spectrum, RowClasses classes, int nodes, int threads);

  /// The sources A and B of the congruence; a null pointer counts as zero.
  struct Sources {
    const Matrix* A;
    const Matrix* B;
    double scale;  // factor of both
    bool power;    // whether power_k is included; then F_k is the transfer function H_k, and F_k 1 is stored
    /// n entries that take the place of the vector 1, and of several outputs multiply their targets; null: all ones
    const double* targets = nullptr;
    /// n x lanes; null or where to write p lambda times the diagonal entry of F_k A_k F_k^T of every mode
    Matrix* by_mode = nullptr;
  };

  /// Computes the panel's rows of the sums, from the panel's rows of X.
  void run(ModeOperator& X, const Sources& sources, const PanelMap& map, Panel panel);

  /// Rows of sum w F_k of the last run, for w = p lambda^power.
  [[nodiscard]] linalg::ConstView moment(int power) const { return sum(power - 1); }
  /// Rows of sum w F_k A_k F_k^T of the last run, for w = p lambda^power.
  [[nodiscard]] linalg::ConstView congruence(int power) const { return sum(power + 1); }
  /// The three terms of a diagonal entry of the congruence with w = p lambda.
  struct Terms {
    double target = 0.0, A = 0.0, B = 0.0;
  };
  [[nodiscard]] const Terms& terms(int row) const { return terms_[static_cast<std::size_t>(row)]; }

  /// The vector sum p lambda^power power_k F_k 1 with n entries, for every class of
  /// rows: times the mode's target there.
  [[nodiscard]] const OutputSums& left_of_target(int power) const { return left_[power - 1]; }
  [[nodiscard]] OutputSums& left_of_target(int power) { return left_[power - 1]; }

  [[nodiscard]] int modes() const { return static_cast<int>(lambda_.size()); }
  [[nodiscard]] int lanes() const { return padded(modes()); }
  /// F_k 1 of one mode, n entries: the part of a unit target that is not learned yet.
  [[nodiscard]] std::vector<double> target(int mode) const;
  [[nodiscard]] double target(int mode, int t) const { return targets_(t, mode); }
  void set_target(int mode, const std::vector<double>& values);

  /// Floating-point operations done so far.
  [[nodiscard]] double flops() const { return flops_; }

  [[nodiscard]] static int padded(int n) { return (n + 7) / 8 * 8; }
  /// Bytes of an object of these sizes, for panels of at most `rows` rows.
  [[nodiscard]] static double bytes(int modes, int nodes, int rows);

 private:
  struct Job;
  class Worker;
  [[nodiscard]] linalg::ConstView sum(int which) const;
  [[nodiscard]] double work(Panel panel) const;
  void prepare(Panel panel);
  void add_up(Panel panel, bool keep);

  int threads_ = 1;
  double flops_ = 0.0;
  std::vector<double> lambda_, power_, weight_;  // modes
  RowClasses classes_;
  Matrix patterns_;     // classes x lanes   targets of classes of rows; empty for a single one
  Matrix targets_;      // n x lanes   F_k 1, or F_k of the pattern of targets
  OutputSums left_[2];  // classes of n
  // Variables of one run:
  Panel panel_;
  int ld_ = 0;     // leading dimension of the sums
  int chunk_ = 0;  // number of lanes that are processed together
  int workers_ = 0;
  std::ptrdiff_t per_worker_ = 0;  // size of a worker's buffers
  std::vector<double> buffers_;    // buffers of all workers
  std::vector<Terms> worker_terms_;
  std::vector<double> worker_flops_;
  std::vector<Terms> terms_;
};

}  // namespace lindmft::theory
