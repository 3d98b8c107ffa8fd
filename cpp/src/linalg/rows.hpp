// Writing the rows of a panel into a two-time function, and how much they changed.
#pragma once

#include <vector>

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// How much the rows of a panel changed in a sweep: for each row, the largest relative change of anything.
class RowChanges {
 public:
  void reset(int rows) { changes_.assign(static_cast<std::size_t>(rows), 0.0); }
  void note(int row, double change) {
    double& largest = changes_[static_cast<std::size_t>(row)];
    if (!(change <= largest)) largest = change;
  }
  [[nodiscard]] int rows() const { return static_cast<int>(changes_.size()); }
  double operator[](int row) const { return changes_[static_cast<std::size_t>(row)]; }

 private:
  std::vector<double> changes_;
};

/// Notes the largest change in each row, relative to the row's largest entry; infinity if anything is not finite.
void replace_rows(Matrix& m, Panel panel, ConstView rows, RowChanges& changes);

/// The same for a symmetric function: mirrors the rows into the columns. Changes count relative to the largest of the
/// variances at the start and now: late rows may be the small difference of large terms, and are as accurate as those.
void replace_symmetric(Matrix& m, Panel panel, ConstView rows, RowChanges& changes);

/// Copies the panel's rows into its columns.
void mirror(Matrix& m, Panel panel);

double sum(const double* x, int n);
double dot(const double* x, const double* y, int n);

}  // namespace lindmft::linalg
