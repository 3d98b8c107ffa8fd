#include "training/run/spectrum.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "hessian/jacobi.hpp"

namespace lindmft::training {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Writes values, and NaN behind the last one.
void write(const std::vector<double>& values, int row, Matrix& out) {
  double* end = std::ranges::copy(values, out.row(row)).out;
  std::fill(end, out.row(row) + out.cols(), std::numeric_limits<double>::quiet_NaN());
}

/// Writes the values and weights from one start vector. Raises the sharpness to the largest value.
void write(const Krylov& found, int row, Matrix& values, Matrix& weights, HessianSpectrum& out) {
  hessian::Ritz ritz;
  if (!found.matrix.diagonal.empty()) ritz = hessian::ritz(found.matrix, found.next);
  write(ritz.values, row, values);
  write(ritz.weights, row, weights);
  const auto at = static_cast<std::size_t>(row);
  if (ritz.values.empty() || ritz.values.front() <= out.sharpness[at]) return;
  out.sharpness[at] = ritz.values.front();
  out.sharpness_error[at] = ritz.residual;
}

void fill_row(HessianSpectrum& out, int row) {
  const auto at = static_cast<std::size_t>(row);
  out.sharpness[at] = kInfinity;
  out.sharpness_error[at] = kInfinity;
  for (Matrix* m : {&out.target_ritz, &out.target_weight, &out.random_ritz, &out.random_weight})
    std::fill_n(m->row(row), m->cols(), kInfinity);
}

}  // namespace

HessianSpectrum allocate_spectrum(const Plan& plan) {
  HessianSpectrum out;
  out.time.assign(plan.spectrum_at.begin(), plan.spectrum_at.end());
  out.sharpness.resize(out.time.size());
  out.sharpness_error.resize(out.time.size());
  for (Matrix* m : {&out.target_ritz, &out.target_weight, &out.random_ritz, &out.random_weight})
    *m = Matrix(static_cast<int>(out.time.size()), plan.lanczos);
  return out;
}

void record(const Krylov& target, const Krylov& random, int row, HessianSpectrum& out) {
  if (!target.finite || !random.finite) {
    fill_row(out, row);
    return;
  }
  write(target, row, out.target_ritz, out.target_weight, out);
  write(random, row, out.random_ritz, out.random_weight, out);
}

void fill_infinity(HessianSpectrum& out, int t) {
  for (std::size_t k = 0; k < out.time.size(); ++k) {
    if (out.time[k] >= t) fill_row(out, static_cast<int>(k));
  }
}

}  // namespace lindmft::training
