// Collocation in depth: nodes, integrals, the equation x' = k x + f, and the estimate of the error in depth.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "theory/network/depth_grid.hpp"

namespace lindmft::theory {
namespace {

std::vector<double> monomial(const DepthGrid& grid, int degree) {
  std::vector<double> values;
  for (const double tau : grid.tau()) values.push_back(std::pow(tau, degree));
  return values;
}

double product(const double* row, const std::vector<double>& values) {
  return std::inner_product(values.begin(), values.end(), row, 0.0);
}

double second_legendre(double x) { return 0.5 * (3.0 * x * x - 1.0); }
double fifth_legendre(double x) { return x * (63.0 * std::pow(x, 4) - 70.0 * x * x + 15.0) / 8.0; }

TEST(DepthGrid, NodesRunFromEndToEndSymmetrically) {
  for (const int nodes : {2, 3, 6, 17, kMostDepthNodes}) {
    const DepthGrid grid(nodes);
    ASSERT_EQ(grid.size(), nodes);
    EXPECT_EQ(grid.tau().front(), 0.0);
    EXPECT_EQ(grid.tau().back(), 1.0);
    for (std::size_t j = 1; j < grid.tau().size(); ++j) {
      EXPECT_GT(grid.tau()[j], grid.tau()[j - 1]);
      EXPECT_NEAR(grid.tau()[j] + grid.tau()[grid.tau().size() - 1 - j], 1.0, 1e-15);
    }
  }
}

TEST(DepthGrid, KnownNodesAndWeights) {
  const DepthGrid three(3);  // Simpson
  EXPECT_NEAR(three.tau()[1], 0.5, 1e-16);
  EXPECT_NEAR(three.weights()[0], 1.0 / 6.0, 1e-15);
  EXPECT_NEAR(three.weights()[1], 2.0 / 3.0, 1e-15);
  const DepthGrid four(4);
  EXPECT_NEAR(four.tau()[1], 0.5 - 0.5 / std::sqrt(5.0), 1e-15);
  EXPECT_NEAR(four.weights()[1], 5.0 / 12.0, 1e-15);
}

TEST(DepthGrid, WeightsArePositiveAndSumToOne) {
  for (const int nodes : {2, 5, 20, kMostDepthNodes}) {
    const DepthGrid grid(nodes);
    for (int j = 0; j < nodes; ++j) EXPECT_GT(grid.weights()[j], 0.0);
    EXPECT_NEAR(std::accumulate(grid.weights(), grid.weights() + nodes, 0.0), 1.0, 1e-14);
  }
}

TEST(DepthGrid, WholeIntegralIsExactUpToTwiceTheNodes) {
  for (const int nodes : {2, 3, 5, 9}) {
    const DepthGrid grid(nodes);
    for (int degree = 0; degree <= 2 * nodes - 3; ++degree) {
      EXPECT_NEAR(product(grid.weights(), monomial(grid, degree)), 1.0 / (degree + 1), 1e-14) << nodes << " " << degree;
    }
    const int beyond = 2 * nodes - 2;
    EXPECT_GT(std::abs(product(grid.weights(), monomial(grid, beyond)) - 1.0 / (beyond + 1)), 1e-12);
  }
}

TEST(DepthGrid, PartialIntegralsAreExactForTheInterpolatingPolynomial) {
  for (const int nodes : {2, 3, 6, 12}) {
    const DepthGrid grid(nodes);
    for (int degree = 0; degree < nodes; ++degree) {
      const std::vector<double> values = monomial(grid, degree);
      for (int j = 0; j < nodes; ++j) {
        const double ahead = std::pow(grid.tau()[static_cast<std::size_t>(j)], degree + 1) / (degree + 1);
        EXPECT_NEAR(product(grid.from_start().row(j), values), ahead, 1e-13);
        EXPECT_NEAR(product(grid.to_end().row(j), values), 1.0 / (degree + 1) - ahead, 1e-13);
      }
    }
  }
}

TEST(DepthGrid, NothingIsIntegratedOverNothing) {
  const DepthGrid grid(7);
  for (int k = 0; k < 7; ++k) {
    EXPECT_NEAR(grid.from_start()(0, k), 0.0, 1e-15);
    EXPECT_EQ(grid.to_end()(6, k), 0.0);
  }
}

TEST(DepthGrid, LastCoefficientIsThatOfTheLastLegendrePolynomial) {
  const DepthGrid grid(6);
  std::vector<double> second, last, sum;
  for (const double tau : grid.tau()) {
    second.push_back(second_legendre(2.0 * tau - 1.0));
    last.push_back(fifth_legendre(2.0 * tau - 1.0));
    sum.push_back(4.0 * second.back() - 0.02 * last.back());
  }
  EXPECT_NEAR(grid.last_coefficient(second), 0.0, 1e-14);
  EXPECT_NEAR(grid.last_coefficient(last), 1.0, 1e-14);
  EXPECT_NEAR(grid.last_coefficient(sum), 0.005, 1e-14);  // relative to the largest coefficient
  EXPECT_EQ(grid.last_coefficient(std::vector<double>(6, 0.0)), 0.0);
}

TEST(DepthGrid, LastCoefficientFallsLikeTheErrorOfAnExponential) {
  double before = 1.0;
  for (const int nodes : {4, 6, 8, 10}) {
    const DepthGrid grid(nodes);
    std::vector<double> values;
    for (const double tau : grid.tau()) values.push_back(std::exp(tau));
    const double last = grid.last_coefficient(values);
    EXPECT_LT(last, 0.02 * before);
    before = last;
  }
  EXPECT_LT(before, 1e-10);
}

TEST(DepthPropagator, SolvesALinearEquationFromEitherEnd) {
  const DepthGrid grid(16);
  const auto n = static_cast<std::size_t>(grid.size());
  for (const double k : {0.0, -0.7, 1.5}) {
    for (const bool forward : {true, false}) {
      // x' = k x + cos(tau) upward, -x' = k x + cos(1 - tau) downward: mirror images
      const DepthPropagator step(forward ? grid.from_start() : grid.to_end(), k);
      std::vector<double> f;
      const auto run = [&](std::size_t j) { return forward ? grid.tau()[j] : 1.0 - grid.tau()[j]; };
      for (std::size_t j = 0; j < n; ++j) f.push_back(std::cos(run(j)));
      for (std::size_t j = 0; j < n; ++j) {
        const double s = run(j);
        const double driven = (std::sin(s) - k * std::cos(s) + k * std::exp(k * s)) / (1.0 + k * k);
        const double x = 1.3 * step.start[j] + product(step.step.row(static_cast<int>(j)), f);
        EXPECT_NEAR(step.start[j], std::exp(k * s), 1e-12);
        EXPECT_NEAR(x, 1.3 * std::exp(k * s) + driven, 1e-12) << k << " " << forward;
      }
    }
  }
}

TEST(DepthPropagator, EndsAreKept) {
  const DepthGrid grid(5);
  const DepthPropagator up(grid.from_start(), 0.8);
  const DepthPropagator down(grid.to_end(), 0.8);
  EXPECT_NEAR(up.start.front(), 1.0, 1e-15);
  EXPECT_NEAR(down.start.back(), 1.0, 1e-15);
  for (int k = 0; k < 5; ++k) {
    EXPECT_NEAR(up.step(0, k), 0.0, 1e-15);
    EXPECT_NEAR(down.step(4, k), 0.0, 1e-15);
  }
}

}  // namespace
}  // namespace lindmft::theory
