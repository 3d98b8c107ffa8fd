#include "theory/network/depth_grid.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "time_grid/polynomials.hpp"

namespace lindmft::theory {
namespace {

/// The zeros of (1 - x^2) P_n'(x), n = nodes - 1, in increasing order.
std::vector<double> lobatto_nodes(int nodes) {
  const int n = nodes - 1;
  std::vector<double> x(static_cast<std::size_t>(nodes));
  for (int j = 0; j < nodes; ++j) {
    double y = -std::cos(std::numbers::pi * j / n);
    for (int i = 0; i < 100 && j > 0 && j < n; ++i) {
      const std::vector<double> p = legendre(n, y);
      const double last = p[static_cast<std::size_t>(n)];
      const double step = (y * last - p[static_cast<std::size_t>(n) - 1]) / (nodes * last);
      y -= step;
      if (std::abs(step) < 1e-16) break;
    }
    x[static_cast<std::size_t>(j)] = y;
  }
  return x;
}

/// a <- a^-1 b by elimination with pivoting
void solve_small(Matrix a, Matrix& b) {
  const int n = a.rows();
  for (int k = 0; k < n; ++k) {
    int pivot = k;
    for (int i = k + 1; i < n; ++i) {
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    }
    std::swap_ranges(a.row(k), a.row(k) + n, a.row(pivot));
    std::swap_ranges(b.row(k), b.row(k) + b.cols(), b.row(pivot));
    for (int i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a(i, k) / a(k, k);
      for (int j = 0; j < n; ++j) a(i, j) -= factor * a(k, j);
      for (int j = 0; j < b.cols(); ++j) b(i, j) -= factor * b(k, j);
    }
  }
  for (int k = 0; k < n; ++k) {
    for (int j = 0; j < b.cols(); ++j) b(k, j) /= a(k, k);
  }
}

}  // namespace

DepthGrid::DepthGrid(int nodes) : from_start_(nodes, nodes), to_end_(nodes, nodes), coefficients_(nodes, nodes) {
  const int n = nodes - 1;
  const std::vector<double> x = lobatto_nodes(nodes);
  for (int k = 0; k < nodes; ++k) {
    const std::vector<double> p = legendre(n, x[static_cast<std::size_t>(k)]);
    const double weight = 2.0 / (n * nodes * p.back() * p.back());
    for (int q = 0; q < nodes; ++q)
      coefficients_(q, k) = weight * p[static_cast<std::size_t>(q)] * (q < n ? q + 0.5 : 0.5 * n);
    tau_.push_back(0.5 * (1.0 + x[static_cast<std::size_t>(k)]));
  }
  for (int j = 0; j < nodes; ++j) {
    // int_{-1}^x P_q = (P_{q+1} - P_{q-1}) / (2 q + 1), and a factor 1/2 for the length of [0, 1]
    const std::vector<double> p = legendre(nodes, x[static_cast<std::size_t>(j)]);
    for (std::size_t q = 0; q < x.size(); ++q) {
      const double integral = q == 0 ? 1.0 + p[1] : (p[q + 1] - p[q - 1]) / (2.0 * static_cast<double>(q) + 1.0);
      for (int k = 0; k < nodes; ++k) from_start_(j, k) += 0.5 * integral * coefficients_(static_cast<int>(q), k);
    }
  }
  for (int j = 0; j < nodes; ++j) {
    for (int k = 0; k < nodes; ++k) to_end_(j, k) = from_start_(n, k) - from_start_(j, k);
  }
}

double DepthGrid::last_coefficient(const std::vector<double>& f, double size) const {
  double largest = size;
  double last = 0.0;
  const int nodes = this->size();
  for (int q = 0; q < nodes; ++q) {
    last = 0.0;
    for (int k = 0; k < nodes; ++k) last += coefficients_(q, k) * f[static_cast<std::size_t>(k)];
    largest = std::max(largest, std::abs(last));
  }
  return largest > 0.0 ? std::abs(last) / largest : 0.0;
}

// x = x_end + integral (k x + f)
DepthPropagator::DepthPropagator(const Matrix& integral, double k)
    : start(static_cast<std::size_t>(integral.rows())), step(integral.rows(), integral.rows()) {
  const int n = integral.rows();
  Matrix system(n, n);
  Matrix right(n, n + 1);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      system(i, j) = (i == j ? 1.0 : 0.0) - k * integral(i, j);
      right(i, j) = integral(i, j);
    }
    right(i, n) = 1.0;
  }
  solve_small(std::move(system), right);
  for (int i = 0; i < n; ++i) {
    std::copy_n(right.row(i), n, step.row(i));
    start[static_cast<std::size_t>(i)] = right(i, n);
  }
}

}  // namespace lindmft::theory
