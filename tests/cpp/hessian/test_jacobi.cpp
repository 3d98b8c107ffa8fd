// The Jacobi matrices of Lanczos' method against spectra that are known.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>
#include <vector>

#include "hessian/jacobi.hpp"
#include "lindmft/sharpness.hpp"

namespace lindmft::hessian {
namespace {

Jacobi constant(std::size_t n, double a, double b) {
  return {std::vector<double>(n, a), std::vector<double>(n - 1, b)};
}

/// The Jacobi matrix of the Marchenko-Pastur law with ratio c, which has the edges (1 - sqrt(c))^2 and (1 + sqrt(c))^2,
/// plus a shift.
Jacobi marchenko_pastur(std::size_t n, double c, double shift = 0.0) {
  Jacobi out = constant(n, shift + 1.0 + c, std::sqrt(c));
  out.diagonal[0] = shift + 1.0;
  return out;
}

/// Entries that alternate: two bands, sqrt(a^2 + (b - c)^2) <= |x| <= sqrt(a^2 + (b + c)^2).
Jacobi two_bands(std::size_t n, double a, double b, double c) {
  Jacobi out;
  for (std::size_t k = 0; k < n; ++k) {
    out.diagonal.push_back(k % 2 == 0 ? a : -a);
    if (k + 1 < n) out.beside.push_back(k % 2 == 0 ? b : c);
  }
  return out;
}

Estimate edge_of(const Jacobi& matrix) { return upper_edge(matrix, ritz(matrix, matrix.beside.back())); }

/// The determinant of matrix - x, from the recurrence of the leading minors.
double determinant(const Jacobi& matrix, double x) {
  double before = 1.0, now = matrix.diagonal[0] - x;
  for (std::size_t k = 1; k < matrix.diagonal.size(); ++k) {
    const double next = (matrix.diagonal[k] - x) * now - matrix.beside[k - 1] * matrix.beside[k - 1] * before;
    before = now;
    now = next;
  }
  return now;
}

TEST(Jacobi, OfChebyshevPolynomialsHasTheirRoots) {
  for (const std::size_t n : {1U, 2U, 3U, 17U, 64U}) {
    const Ritz found = ritz(constant(n, 3.0, 0.5), 0.5);
    for (std::size_t k = 0; k < n; ++k) {
      const double angle = std::numbers::pi * static_cast<double>(k + 1) / static_cast<double>(n + 1);
      EXPECT_NEAR(found.values[k], 3.0 + std::cos(angle), 1e-14) << n;
      EXPECT_NEAR(found.weights[k], 2.0 * std::pow(std::sin(angle), 2) / static_cast<double>(n + 1), 1e-14) << n;
    }
  }
}

TEST(Jacobi, OfTwoEntriesIsSolvedByHand) {
  const Ritz found = ritz({{3.0, -1.0}, {std::sqrt(5.0)}}, 0.5);  // eigenvalues 4 and -2
  EXPECT_NEAR(found.values[0], 4.0, 1e-15);
  EXPECT_NEAR(found.values[1], -2.0, 1e-15);
  EXPECT_NEAR(found.weights[0], 5.0 / 6.0, 1e-15);
  EXPECT_NEAR(found.weights[1], 1.0 / 6.0, 1e-15);
  EXPECT_NEAR(found.residual, 0.5 * std::sqrt(1.0 / 6.0), 1e-15);
}

TEST(Jacobi, OfADiagonalMatrixHasItsEntriesInOrder) {
  const Ritz found = ritz({{1.0, 5.0, 3.0}, {0.0, 0.0}}, 2.0);
  EXPECT_EQ(found.values, (std::vector<double>{5.0, 3.0, 1.0}));
  EXPECT_EQ(found.weights, (std::vector<double>{0.0, 0.0, 1.0}));
  EXPECT_EQ(found.residual, 0.0);
}

/// Sizes of entries that differ by orders of magnitude, and outliers.
TEST(Jacobi, HasTheRootsOfItsCharacteristicPolynomial) {
  const Jacobi matrix{{9.0, 2.0, 1e-3, 4.0, 1.0, 0.2}, {1e-2, 1.5, 0.7, 1e-5, 0.3}};
  const Ritz found = ritz(matrix, 0.1);
  double power = 0.0;
  for (std::size_t k = 0; k < found.values.size(); ++k) {
    const double x = found.values[k];
    if (k > 0) {
      EXPECT_LT(x, found.values[k - 1]);
    }
    const double below = determinant(matrix, x - 1e-9);
    const double above = determinant(matrix, x + 1e-9);
    EXPECT_LT(below * above, 0.0) << x;
    power += found.weights[k] * x * x;
  }
  EXPECT_NEAR(std::accumulate(found.weights.begin(), found.weights.end(), 0.0), 1.0, 1e-14);
  EXPECT_NEAR(power, 81.0 + 1e-4, 1e-12) << "the second moment of a Gauss rule is exact";
}

/// The residual bounds the distance to an eigenvalue of every larger matrix.
TEST(Jacobi, ResidualBoundsTheDistanceToAnEigenvalue) {
  const Jacobi whole = marchenko_pastur(40, 0.5);
  Jacobi outlier = whole;
  outlier.diagonal[0] = 4.0;
  for (const Jacobi& matrix : {whole, outlier}) {
    const Ritz all = ritz(matrix, 0.0);
    for (const std::size_t n : {1U, 2U, 5U, 12U, 30U}) {
      const Jacobi leading{{matrix.diagonal.begin(), matrix.diagonal.begin() + static_cast<std::ptrdiff_t>(n)},
                           {matrix.beside.begin(), matrix.beside.begin() + static_cast<std::ptrdiff_t>(n - 1)}};
      const Ritz found = ritz(leading, matrix.beside[n - 1]);
      double nearest = 1e300;
      for (const double x : all.values) nearest = std::min(nearest, std::abs(x - found.values[0]));
      EXPECT_LE(nearest, found.residual + 1e-14) << n;
      EXPECT_LE(found.values[0], all.values[0] + 1e-14) << n;
    }
  }
}

TEST(Jacobi, EdgeOfMarchenkoPasturIsExact) {
  for (const double c : {0.01, 0.25, 1.0, 4.0}) {
    for (const std::size_t n : {8U, 24U}) {
      const Estimate edge = edge_of(marchenko_pastur(n, c, 1.5));
      EXPECT_NEAR(edge.value, 1.5 + std::pow(1.0 + std::sqrt(c), 2), 1e-13) << c;
      EXPECT_LE(edge.error, 1e-13);
    }
  }
}

/// Entries that approach their limits: the error covers what is missing, also for a few entries.
TEST(Jacobi, EdgeLiesWithinItsErrorWhileEntriesApproachTheirLimits) {
  for (const std::size_t n : {5U, 6U, 8U, 10U, 24U}) {
    Jacobi matrix = marchenko_pastur(n, 0.5, 1.0);
    for (std::size_t k = 0; k < n; ++k) {
      matrix.diagonal[k] += 0.3 * std::pow(0.6, static_cast<double>(k));
      if (k + 1 < n) matrix.beside[k] -= 0.1 * std::pow(0.6, static_cast<double>(k));
    }
    const Estimate edge = edge_of(matrix);
    EXPECT_GT(edge.error, 0.0) << n;
    EXPECT_LE(std::abs(edge.value - 1.0 - std::pow(1.0 + std::sqrt(0.5), 2)), edge.error) << n;
  }
}

TEST(Jacobi, EdgeOfTwoBandsLiesWithinItsError) {
  for (const std::size_t n : {5U, 6U, 7U, 8U, 9U, 16U, 33U}) {
    const Estimate edge = edge_of(two_bands(n, 1.0, 1.2, 0.4));
    const double expected = std::sqrt(1.0 + 1.6 * 1.6);
    EXPECT_GT(edge.error, 0.0);
    EXPECT_LE(std::abs(edge.value - expected), edge.error) << n;
  }
}

/// Orthonormal polynomials stay bounded on the spectrum. Outside, an entry costs a constant number of digits.
TEST(Jacobi, AccurateEntriesAreAllInsideTheSpectrumAndFewFarOutside) {
  const Jacobi bulk = constant(64, 3.0, 1.0);  // from 1 to 5
  EXPECT_EQ(accurate_entries(bulk, 3.0), 64U);
  EXPECT_EQ(accurate_entries(bulk, 1.0), 64U);
  const double growth = 1.5 + std::sqrt(1.25);  // growth of the polynomials at 0
  const auto expected = static_cast<std::size_t>(0.5 * std::log(1e-6 / 2.2e-16) / std::log(growth));
  EXPECT_NEAR(static_cast<double>(accurate_entries(bulk, 0.0)), static_cast<double>(expected + 1), 1.0);
  EXPECT_EQ(accurate_entries(constant(64, 3.0, 0.01), 0.0), 2U);  // each entry costs a factor of 300, squared
  EXPECT_EQ(accurate_entries({{3.0}, {}}, 0.0), 1U);
}

TEST(Threshold, OfStepsIsWhereAModeGrows) {
  Optimizer sgd;
  sgd.lr = {0.1, 0.4};
  EXPECT_DOUBLE_EQ(stability_threshold(sgd), 2.0);
  sgd.momentum = {0.5};
  EXPECT_DOUBLE_EQ(stability_threshold(sgd), 3.0);
  sgd.nesterov = true;
  EXPECT_DOUBLE_EQ(stability_threshold(sgd), 1.5);
  sgd.weight_decay = 0.5;
  EXPECT_DOUBLE_EQ(stability_threshold(sgd, 1), 1.3);
}

}  // namespace
}  // namespace lindmft::hessian
