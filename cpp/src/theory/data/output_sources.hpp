// Sources of the data side that are constant in time, for each output: the targets of a mode and the label noise. Where
// outputs share modes (theory.md section 16), a row belongs to a time and an output.
#pragma once

#include <vector>

#include "linalg/panel.hpp"
#include "lindmft/problem.hpp"
#include "theory/core/panel_rows.hpp"

namespace lindmft::theory {

/// The label noise sigma eps of all outputs, F times independent normal numbers.
class LabelNoise {
 public:
  LabelNoise() = default;
  LabelNoise(const Data& data, int outputs);

  /// sums[j] = the action of m on column j of F, for the panel's rows; unit: the coefficients of 1, or null
  void act(OutputSums& sums, const Matrix& m, Panel panel, int columns, const double* unit) const;
  /// The factor with which the outer products of these sums give the covariance.
  [[nodiscard]] double weight() const { return weight_; }
  /// The covariance of the noise of two outputs.
  [[nodiscard]] double covariance(int a, int b) const;

 private:
  int outputs_ = 1;
  double weight_ = 0.0;
  std::vector<double> factor_;  // C x C
};

/// sums[t] = sum over s of m(t,s) pattern[output of s], for the panel's rows; unit: the coefficients of 1, or null
void act_on_pattern(std::vector<double>& sums, const Matrix& m, const std::vector<double>& pattern, Panel panel,
                    int columns, const double* unit);

}  // namespace lindmft::theory
