// Anderson acceleration for fixed points that the plain iteration does not find, or finds slowly.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "linalg/anderson.hpp"

namespace lindmft::linalg {
namespace {

using Vector = std::vector<double>;

/// A fixed full matrix, and its map x -> A x + b.
struct Linear {
  explicit Linear(int size, double strength) : n(static_cast<std::size_t>(size)), a(n * n), b(n) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        a[i * n + j] = strength * std::sin(1.0 + 3.0 * static_cast<double>(i * n + j));
      a[i * n + i] -= strength * 2.0;
      b[i] = std::cos(static_cast<double>(i));
    }
  }
  [[nodiscard]] Vector operator()(const Vector& x) const {
    Vector g = b;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) g[i] += a[i * n + j] * x[j];
    }
    return g;
  }
  std::size_t n;
  Vector a, b;
};

double distance(const Vector& a, const Vector& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// The number of maps after which x does not change any more; `most` if it always changes.
template <class Map>
int iterations(const Map& map, Vector x, int depth, int most, double tolerance = 1e-10) {
  Anderson anderson(depth);
  for (int i = 1; i <= most; ++i) {
    Vector g = map(x);
    if (distance(g, x) < tolerance) return i;
    x = anderson.next(x, std::move(g));
  }
  return most;
}

TEST(Anderson, FirstStepIsThatOfPlainIteration) {
  Anderson anderson(4);
  EXPECT_EQ(anderson.next({1.0, 2.0}, {3.0, -1.0}), (Vector{3.0, -1.0}));
}

TEST(Anderson, IsTheSecantMethodInOneDimension) {
  const auto map = [](double x) { return 0.5 * x * x - 1.7; };
  Anderson anderson(3);
  const double x0 = 0.3, x1 = anderson.next({x0}, {map(x0)})[0];
  EXPECT_EQ(x1, map(x0));
  const double f0 = map(x0) - x0, f1 = map(x1) - x1;
  EXPECT_NEAR(anderson.next({x1}, {map(x1)})[0], x1 - f1 * (x1 - x0) / (f1 - f0), 1e-14);
}

TEST(Anderson, SolvesAScalarLineAtOnce) {
  for (const double slope : {-3.0, 0.99, 7.0}) {
    const auto map = [&](const Vector& x) { return Vector{slope * x[0] + 2.0}; };
    EXPECT_LE(iterations(map, {0.0}, 5, 20), 3) << slope;
  }
}

TEST(Anderson, SolvesALinearFixedPointThatPlainIterationRunsAwayFrom) {
  for (const int size : {2, 5, 12}) {
    const Linear map(size, 1.0);
    Vector plain(map.n, 0.0);
    for (int i = 0; i < 60; ++i) plain = map(plain);
    EXPECT_GT(distance(plain, map(plain)), 1e3);
    EXPECT_LE(iterations(map, Vector(map.n, 0.0), 30, 200), size + 4) << size;
  }
}

TEST(Anderson, NeedsNoMoreMemoryThanTheProblemHasDimensions) {
  const Linear map(8, 0.8);
  EXPECT_LE(iterations(map, Vector(map.n, 1.0), 8, 200), 12);
}

TEST(Anderson, StartsAnewWhenItsMemoryIsFull) {
  const Linear map(6, 0.1);  // the map contracts, so that a short memory converges too
  const int full = iterations(map, Vector(map.n, 0.0), 10, 200);
  const int small = iterations(map, Vector(map.n, 0.0), 2, 200);
  EXPECT_LE(full, 10);
  EXPECT_LT(small, 60);
}

TEST(Anderson, StaysAtAFixedPoint) {
  const Linear map(3, 0.2);
  Vector x(map.n, 0.0);
  Anderson anderson(10);
  for (int i = 0; i < 100; ++i) {  // far beyond convergence, where differences are rounding errors
    x = anderson.next(x, map(x));
    for (const double value : x) ASSERT_TRUE(std::isfinite(value));
  }
  EXPECT_LT(distance(map(x), x), 1e-14);
}

TEST(Anderson, RepeatedIteratesSayNothingNew) {
  Anderson anderson(4);
  const Vector x{1.0, 1.0}, g{2.0, 0.5};
  EXPECT_EQ(anderson.next(x, g), g);
  EXPECT_EQ(anderson.next(x, g), g);  // no division by a difference of zero
}

TEST(Anderson, FindsARootOfASmoothMap) {
  const auto map = [](const Vector& x) { return Vector{std::cos(2.0 * x[1]) - x[0], 2.0 * std::sin(x[0]) + 0.5}; };
  EXPECT_LE(iterations(map, {0.5, 0.5}, 5, 60), 30);
}

}  // namespace
}  // namespace lindmft::linalg
