// All modes of a spectrum at once. With F_k = (I + lambda_k X)^-1 and A_k = power_k 1 + A + lambda_k B, X the same for
// all modes, only the sums over modes
//     sum w F_k      and      sum w F_k A_k F_k^T,      w = p lambda and p lambda^2,
// are wanted. Rows f of F_k and y of the congruence solve triangular systems in which modes differ by lambda alone,
//     f (I + lambda_k X) = e      and      y (I + lambda_k X)^T = f A_k,
// the first from the last column to the first, the second from the first to the last. So no F_k is kept: rows of many
// modes, side by side in the lanes of vectors, share every product with X, A and B, and memory goes with modes times
// nodes. Lanes are shared out to threads, and sums go in one fixed order: bits do not depend on the number of threads.
#pragma once

#include <vector>

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"
#include "lindmft/problem.hpp"
#include "theory/data/mode_lanes.hpp"

namespace lindmft::theory {

/// X of one of the families F_k, as far as time has come.
class ModeOperator {
 public:
  ModeOperator() = default;
  /// lanes: of modes; dense: panels are dense blocks on the diagonal, at most kMostRows large (else X is strictly lower
  /// triangular)
  ModeOperator(int nodes, int lanes, bool dense);

  static constexpr int kMostRows = mode_lanes::kDenseRows;

  /// Takes the panel's rows.
  void set(linalg::ConstView rows, Panel panel);
  /// X was filled from outside.
  void restore();
  [[nodiscard]] Matrix& matrix() { return X_; }

  [[nodiscard]] static double bytes(int nodes, int lanes, bool dense);

 private:
  friend class ModeBatch;
  Matrix X_, transposed_;  // n x n
  Matrix inverses_;   // kMostRows n x lanes   of dense blocks: entry (t, j) of F_k, j from the block's first column
  int inverted_ = 0;  // rows before it have final ones
};

class ModeBatch {
 public:
  ModeBatch() = default;
  ModeBatch(const Spectrum& spectrum, int nodes, int threads);

  /// The sources A and B of the congruence; null: zero.
  struct Sources {
    const Matrix* A;
    const Matrix* B;
    double scale;  // of both
    bool power;    // whether power_k counts; then F_k is the transfer function H_k, and F_k 1 is kept
  };

  /// Rows of the sums for the panel, whose rows X has.
  void run(ModeOperator& X, const Sources& sources, const PanelMap& map, Panel panel);

  // Of the last run, for w = p lambda^power: rows of sum w F_k and sum w F_k A_k F_k^T,
  [[nodiscard]] linalg::ConstView moment(int power) const { return sum(power - 1); }
  [[nodiscard]] linalg::ConstView congruence(int power) const { return sum(power + 1); }
  // and the diagonal's three terms at a row of the panel.
  struct Terms {
    double target = 0.0, A = 0.0, B = 0.0;
  };
  [[nodiscard]] const Terms& terms(int row) const { return terms_[static_cast<std::size_t>(row)]; }

  /// sum p lambda^power power_k F_k 1, n entries
  [[nodiscard]] const std::vector<double>& left_of_target(int power) const { return left_[power - 1]; }
  [[nodiscard]] std::vector<double>& left_of_target(int power) { return left_[power - 1]; }

  [[nodiscard]] int modes() const { return static_cast<int>(lambda_.size()); }
  [[nodiscard]] int lanes() const { return padded(modes()); }
  /// F_k 1 of one mode, n entries: what is left of a unit target.
  [[nodiscard]] std::vector<double> target(int mode) const;
  void set_target(int mode, const std::vector<double>& values);

  /// Floating-point operations done so far.
  [[nodiscard]] double flops() const { return flops_; }

  [[nodiscard]] static int padded(int n) { return (n + 7) / 8 * 8; }
  /// Bytes that it takes, for panels of at most so many rows.
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
  Matrix targets_;                               // n x lanes   F_k 1
  std::vector<double> left_[2];                  // n
  // Of a run:
  Panel panel_;
  int ld_ = 0;     // of sums
  int chunk_ = 0;  // lanes taken together
  int workers_ = 0;
  std::ptrdiff_t per_worker_ = 0;  // doubles of a worker's buffers
  std::vector<double> buffers_;    // of all workers
  std::vector<Terms> worker_terms_;
  std::vector<double> worker_flops_;
  std::vector<Terms> terms_;
};

}  // namespace lindmft::theory
