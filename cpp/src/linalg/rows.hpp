// Writes the rows of a panel into a two-time function and notes how much they changed.
#pragma once

#include <vector>

#include "linalg/blas.hpp"
#include "linalg/panel.hpp"
#include "lindmft/matrix.hpp"

namespace lindmft::linalg {

/// Changes of the rows of a panel in a sweep: for each row, the largest relative change of any function.
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

/// Writes rows and notes the largest change in each, relative to the row's largest entry; infinity if an entry is not
/// finite.
void replace_rows(Matrix& m, Panel panel, ConstView rows, RowChanges& changes);

/// The same for a symmetric function, whose rows are also copied into the columns. Changes are relative to the largest
/// of the variances at the start and now: late rows can be small differences of large terms, and their errors are then
/// rounding errors of these terms.
void replace_symmetric(Matrix& m, Panel panel, ConstView rows, RowChanges& changes);

/// Copies the panel's rows into its columns.
void mirror(Matrix& m, Panel panel);

/// Sums of n terms in the order of the array.
double sum(const double* x, int n);
double dot(const double* x, const double* y, int n);

}  // namespace lindmft::linalg
