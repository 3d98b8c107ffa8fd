// Writing the rows of a panel into a two-time function, and how much they changed.
#pragma once

#include "linalg/blas.hpp"
#include "lindmft/matrix.hpp"
#include "time_grid/panel.hpp"

namespace lindmft::linalg {

/// Largest change of an entry, relative to its row's largest; infinity if anything is not finite.
double replace_rows(Matrix& m, Panel panel, ConstView rows);

/// The same for a symmetric function: mirrors the rows into the columns. Changes count relative to the largest variance
/// so far: late rows may be the small difference of large terms, and are computed to that accuracy.
double replace_symmetric(Matrix& m, Panel panel, ConstView rows);

/// Copies the panel's rows into its columns.
void mirror(Matrix& m, Panel panel);

double sum(const double* x, int n);
double dot(const double* x, const double* y, int n);

}  // namespace lindmft::linalg
