// The transition to fewer rows when adjacent segments of past steps are merged (theory.md section 19).
#pragma once

#include <utility>
#include <vector>

#include "lindmft/matrix.hpp"

namespace lindmft {

/// Adjacent rows that become fewer: coefficients c become c Q.
struct Merge {
  int begin = 0;  ///< first of the rows
  Matrix Q;

  [[nodiscard]] int end() const { return begin + Q.rows(); }
};

/// Merges of disjoint rows, in order. Rows in between keep their values and move to the front. Where a time has rows
/// for several outputs (output_rows.hpp), `outputs` of them, `begin` and Q are about times, and each output's rows are
/// merged alike.
class Merges {
 public:
  explicit Merges(std::vector<Merge> merges) : merges_(std::move(merges)) {}

  /// Number of times that are removed.
  [[nodiscard]] int removed() const;
  [[nodiscard]] const std::vector<Merge>& list() const { return merges_; }

  /// Both sides of a function of two times, of which the first `rows` rows and columns are in use.
  void apply(Matrix& function, int rows, int outputs) const;
  /// The first `rows` coefficients of a function of one time.
  void apply(double* coefficients, int rows, int outputs) const;
  /// Values at the nodes instead of coefficients; before, after: the coefficients of 1.
  void apply_to_values(double* values, int rows, int outputs, const std::vector<double>& before,
                       const std::vector<double>& after) const;

 private:
  std::vector<Merge> merges_;
};

}  // namespace lindmft
