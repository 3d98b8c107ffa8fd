#include "theory/data/sample_noise.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/rows.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

SampleNoise::SampleNoise(const Data& data, int outputs, int rows) : outputs_(outputs), width_(outputs) {
  if (std::isinf(amount(data))) return;  // the population
  if (data.mode == DataMode::multi_pass) same_ = 1.0 / data.batch_fraction - 1.0;
  if (data.mode == DataMode::epochs && data.batches > 1) {
    width_ = outputs * data.batches;
    same_ = data.batches - 1.0;
    within_ = -1.0;
  }
  if (!active()) return;
  const auto length = static_cast<std::size_t>(rows);
  band_.assign(static_cast<std::size_t>(std::min(rows, width_)), std::vector<double>(length));
}

double SampleNoise::bytes(const Data& data, int outputs, int rows) {
  const double steps = data.mode == DataMode::epochs ? data.batches : 1.0;
  return 8.0 * rows * std::min(1.0 * rows, outputs * steps);
}

void SampleNoise::only_earlier(View R_vu, Panel panel) const {
  if (!has_epochs()) return;
  for (int i = 0; i < R_vu.rows; ++i) {
    for (int s = std::min(epoch(panel.begin + i), R_vu.cols); s < R_vu.cols; ++s) R_vu(i, s) = 0.0;
  }
}

void SampleNoise::set(int t, int s, double value) {
  band_[static_cast<std::size_t>(s % width_)][static_cast<std::size_t>(t)] = value;
  band_[static_cast<std::size_t>(t % width_)][static_cast<std::size_t>(s)] = value;
}

double SampleNoise::of_errors(const double* R_delta, int column) const {
  const int first = epoch(column);
  const double* noise = band_[static_cast<std::size_t>(column % width_)].data() + first;
  return linalg::dot(R_delta + first, noise, width_);
}

// Rows are processed in order, since g needs N of earlier epochs, which may be in the same panel.
void SampleNoise::update(View left, ConstView base, const Matrix& R_delta, Panel panel, int trained) {
  for (int i = 0; i < left.rows; ++i) {
    const int t = panel.begin + i;
    const double* R = R_delta.row(t);
    const int first = std::min(epoch(t), trained);
    for (int s = 0; s < first; ++s) {
      const int begin = epoch(s);
      const double* noise = band_[static_cast<std::size_t>(s % width_)].data();
      left(i, s) = linalg::dot(R + begin, noise + begin, std::min(width_, trained - begin));
    }
    std::fill(left.row(i) + first, left.row(i) + left.cols, 0.0);
    if (t >= trained) continue;
    for (int s = first; s < std::min(first + width_, panel.end); ++s) {
      if (s < t && s >= panel.begin) {  // set with row s
        left(i, s) = N(t, s);
        continue;
      }
      const double g = base(i, s) + linalg::dot(left.row(i), R_delta.row(s), first);
      set(t, s, factor(t, s) * g);
      left(i, s) = N(t, s);
    }
  }
}

// A sample that step s has visited has the error Delta~(t) + (nb / alpha) sum over outputs of R_vu(t,s) Delta~(s); of
// the samples, a fraction 1 / nb has been visited in each earlier step of the epoch.
double SampleNoise::train_loss(int row, const double* R_vu, double inverse_alpha) const {
  double loss = unvisited(row, row);
  if (!has_epochs()) return loss;
  const double batches = same_ + 1.0;
  const int now = row / outputs_ * outputs_;
  for (int step = epoch(row); step < now; step += outputs_) {
    double linear = 0.0;
    double square = 0.0;
    for (int s = step; s < step + outputs_; ++s) {
      linear += R_vu[s] * unvisited(row, s);
      for (int u = step; u < step + outputs_; ++u) square += R_vu[s] * R_vu[u] * unvisited(s, u);
    }
    loss += inverse_alpha * (2.0 * linear + batches * inverse_alpha * square);
  }
  return loss;
}

void SampleNoise::visit(const StateVisitor& visitor) {
  if (band_.empty()) return;
  std::vector<double> nothing(band_.front().size());  // stands for columns that no row has yet
  for (std::size_t j = 0; j < static_cast<std::size_t>(width_); ++j)
    visitor.factors("batches" + std::to_string(j), j < band_.size() ? band_[j] : nothing);
}

}  // namespace lindmft::theory
