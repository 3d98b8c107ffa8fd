// All modes of a spectrum at once: for each, rows of a resolvent and of a congruence with it, of which only sums over
// modes are wanted.
//
// With F_k = (I + lambda_k X)^-1 and A_k = A + lambda_k B + power_k 1, the sums are, for weights w = p lambda and
// p lambda^2,
//     sum w F_k      and      sum w F_k A_k F_k^T.
// Modes are taken in chunks, whose rows share the products with A and B, and whose functions stay in the second cache
// from one product to the next; chunks are shared out to threads. Sums go in one fixed order: their bits do not depend
// on the number of threads.
#pragma once

#include <vector>

#include "linalg/blas.hpp"
#include "lindmft/matrix.hpp"
#include "time_grid/panel.hpp"

namespace lindmft::theory {

struct Mode {
  double lambda, power, weight;  // lambda_k, (w*_k)^2, p_k
  Matrix H;                      // n x n, causal   (I + lambda Bt R_Delta)^-1
  Matrix G;                      // n x n, causal   (I + lambda R_Delta Bt)^-1 (several modes on long panels)
  std::vector<double> target;    // n   H 1: what is left of a unit target
};

/// What is wanted of the panel's rows.
struct ModeTask {
  Matrix Mode::* function;  ///< F: H or G
  const double* x;          ///< rows of X; null: those of F are final
  std::ptrdiff_t x_ld;
  const Matrix* A;  ///< null: zero
  const Matrix* B;  ///< null: zero
  double scale;     ///< of A and B
  bool target;      ///< F is H: row sums go to Mode::target, power counts, and so do the terms
};

class ModeBatch {
 public:
  ModeBatch(std::vector<Mode>& modes, int threads) : modes_(&modes), threads_(threads) {}

  void run(const ModeTask& task, const PanelMap& map, Panel panel);

  // Of the last run: the panel's rows of the sums, by the power of lambda in the weight.
  [[nodiscard]] linalg::ConstView moment(int power) const { return sum(power - 1); }
  [[nodiscard]] linalg::ConstView congruence(int power) const { return sum(power + 1); }
  /// Diagonals of the three terms of sum p lambda F_k A_k F_k^T, at a row of the panel: power, A and B.
  struct Terms {
    double target = 0.0, A = 0.0, B = 0.0;
  };
  [[nodiscard]] const Terms& terms(int row) const { return terms_[static_cast<std::size_t>(row)]; }

  /// Floating-point operations done so far.
  [[nodiscard]] double flops() const { return flops_; }

  /// Bytes of its buffers, for panels of so many rows, at most.
  [[nodiscard]] static double bytes(int modes, int nodes, int rows);

 private:
  struct Worker;
  [[nodiscard]] int workers(Panel panel) const;
  [[nodiscard]] double work(Panel panel) const;
  void prepare(Panel panel);
  [[nodiscard]] linalg::ConstView sum(int which) const;
  void run_worker(int worker, const ModeTask& task, const PanelMap& map, Panel panel);
  void add_up(int p);

  std::vector<Mode>* modes_;
  int threads_;
  double flops_ = 0.0;
  Panel panel_;
  int ld_ = 0;
  std::ptrdiff_t per_worker_ = 0;   // doubles of a worker's buffers
  std::vector<double> buffers_;     // of all workers: sums, then rows of a chunk
  std::vector<Terms> worker_terms_; // workers x p
  std::vector<double> worker_flops_;
  std::vector<Terms> terms_;
};

}  // namespace lindmft::theory
