#include "theory/data/output_sources.hpp"

namespace lindmft::theory {

LabelNoise::LabelNoise(const Data& data, int outputs)
    : outputs_(outputs), weight_(data.noise * data.noise), factor_(data.noise_factor) {
  if (!factor_.empty()) {
    weight_ = 1.0;
    return;
  }
  factor_.assign(static_cast<std::size_t>(outputs) * static_cast<std::size_t>(outputs), 0.0);
  for (int a = 0; a < outputs; ++a) factor_[static_cast<std::size_t>(a * outputs + a)] = 1.0;
}

void LabelNoise::act(OutputSums& sums, const Matrix& m, Panel panel, int columns, const double* unit) const {
  if (outputs_ == 1 && factor_.front() == 1.0) return row_sums(sums, m, panel, columns, unit);
  std::vector<double> pattern(static_cast<std::size_t>(outputs_));
  for (int j = 0; j < outputs_; ++j) {
    for (int a = 0; a < outputs_; ++a)
      pattern[static_cast<std::size_t>(a)] = factor_[static_cast<std::size_t>(a * outputs_ + j)];
    act_on_pattern(sums[static_cast<std::size_t>(j)], m, pattern, panel, columns, unit);
  }
}

double LabelNoise::covariance(int a, int b) const {
  double sum = 0.0;
  for (int j = 0; j < outputs_; ++j)
    sum += factor_[static_cast<std::size_t>(a * outputs_ + j)] * factor_[static_cast<std::size_t>(b * outputs_ + j)];
  return weight_ * sum;
}

void act_on_pattern(std::vector<double>& sums, const Matrix& m, const std::vector<double>& pattern, Panel panel,
                    int columns, const double* unit) {
  const auto outputs = static_cast<int>(pattern.size());
  for (int t = panel.begin; t < panel.end; ++t) {
    const double* row = m.row(t);
    double sum = 0.0;
    for (int s = 0; s < columns; ++s)
      sum += row[s] * pattern[static_cast<std::size_t>(s % outputs)] * (unit == nullptr ? 1.0 : unit[s]);
    sums[static_cast<std::size_t>(t)] = sum;
  }
}

}  // namespace lindmft::theory
