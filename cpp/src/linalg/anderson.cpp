#include "linalg/anderson.hpp"

#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace lindmft::linalg {
namespace {

// A difference that is closer than this to the span of the others adds no information.
constexpr double kDependent = 1e-10;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add(std::vector<double>& a, double weight, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += weight * b[i];
}

}  // namespace

// The Gram-Schmidt procedure keeps residual differences orthonormal; the differences of g are combined in the same way.
void Anderson::remember(const std::vector<double>& g, const std::vector<double>& residual) {
  std::vector<double> d_g = g;
  std::vector<double> d_residual = residual;
  add(d_g, -1.0, last_g_);
  add(d_residual, -1.0, last_residual_);
  const double size = std::sqrt(dot(d_residual, d_residual));
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t k = 0; k < d_residual_.size(); ++k) {
      const double part = dot(d_residual, d_residual_[k]);
      add(d_residual, -part, d_residual_[k]);
      add(d_g, -part, d_g_[k]);
    }
  }
  const double norm = std::sqrt(dot(d_residual, d_residual));
  if (!(norm > kDependent * size)) return;
  for (double& value : d_g) value /= norm;
  for (double& value : d_residual) value /= norm;
  if (static_cast<int>(d_g_.size()) == depth_) {
    // The orthonormal vectors are combinations, so that the oldest difference cannot be removed alone: a full memory is
    // cleared.
    d_g_.clear();
    d_residual_.clear();
  }
  d_g_.push_back(std::move(d_g));
  d_residual_.push_back(std::move(d_residual));
}

std::vector<double> Anderson::next(const std::vector<double>& x, std::vector<double> g) {
  std::vector<double> residual = g;
  add(residual, -1.0, x);
  if (!last_g_.empty()) remember(g, residual);
  last_g_ = g;
  last_residual_ = residual;
  for (std::size_t k = 0; k < d_g_.size(); ++k) add(g, -dot(residual, d_residual_[k]), d_g_[k]);
  return g;
}

}  // namespace lindmft::linalg
