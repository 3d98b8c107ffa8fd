// Segments of past steps: their bases, how they are merged, and the grid that condenses its past.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "time_grid/condensed_steps.hpp"
#include "time_grid/merge.hpp"
#include "time_grid/segment.hpp"

namespace lindmft {
namespace {

/// The coefficients of ((t - 20) / 30)^degree on a segment.
std::vector<double> power(const Segment& segment, int degree) {
  std::vector<double> out;
  for (std::size_t j = 0; j < segment.nodes.size(); ++j)
    out.push_back(segment.unit[j] * std::pow((segment.nodes[j] - 20.0) / 30.0, degree));
  return out;
}

double dot(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

TEST(Segment, SumsOfProductsOfPolynomialsAreSumsOfProductsOfCoefficients) {
  const Segment all = all_steps(5, 61);
  const Segment few = gauss_segment(5, 61, 6);
  EXPECT_TRUE(all.exact());
  EXPECT_FALSE(few.exact());
  for (int a = 0; a < 6; ++a) {
    for (int b = 0; b < 6; ++b)
      EXPECT_NEAR(dot(power(few, a), power(few, b)), dot(power(all, a), power(all, b)), 1e-11) << a << " " << b;
  }
  EXPECT_GT(std::abs(dot(power(few, 6), power(few, 6)) - dot(power(all, 6), power(all, 6))), 1e-3);
}

TEST(Segment, ProjectionIsOrthogonalAndKeepsPolynomials) {
  const Segment left = all_steps(5, 13);
  for (const Segment& right : {all_steps(13, 21), gauss_segment(13, 45, 8)}) {
    const Segment merged = gauss_segment(5, right.end, 8);
    const Matrix Q = projection(left, right, merged);
    ASSERT_EQ(Q.rows(), 16);
    ASSERT_EQ(Q.cols(), 8);
    for (int i = 0; i < 8; ++i) {
      for (int j = 0; j < 8; ++j) {
        double sum = 0.0;
        for (int k = 0; k < 16; ++k) sum += Q(k, i) * Q(k, j);
        EXPECT_NEAR(sum, i == j ? 1.0 : 0.0, 1e-12);
      }
    }
    for (int degree = 0; degree < 8; ++degree) {
      std::vector<double> both = power(left, degree);
      for (const double x : power(right, degree)) both.push_back(x);
      const std::vector<double> expected = power(merged, degree);
      for (int j = 0; j < 8; ++j) {
        double sum = 0.0;
        for (int k = 0; k < 16; ++k) sum += both[static_cast<std::size_t>(k)] * Q(k, j);
        EXPECT_NEAR(sum, expected[static_cast<std::size_t>(j)], 1e-12) << degree;
      }
    }
  }
}

class MergesOfOutputs : public ::testing::TestWithParam<int> {};

// Rows 0, then 4 + 4 steps that become 4, then 3 rows that only move.
TEST_P(MergesOfOutputs, FunctionsOfTwoTimesAreProjectedOnBothSides) {
  const int outputs = GetParam();
  const Segment merged = gauss_segment(1, 9, 4);
  std::vector<Merge> list;
  list.push_back({1, projection(all_steps(1, 5), all_steps(5, 9), merged)});
  const Merges merges(std::move(list));
  EXPECT_EQ(merges.removed(), 4);
  const Matrix& Q = merges.list().front().Q;
  const auto entry = [](int t, int c) { return std::sin(0.7 * t + c); };
  Matrix F(12 * outputs, 12 * outputs);
  for (int t = 0; t < 12 * outputs; ++t) {
    for (int s = 0; s < 12 * outputs; ++s)
      F(t, s) = entry(t / outputs, t % outputs) * entry(2 * (s / outputs), s % outputs);
  }
  merges.apply(F, 12 * outputs, outputs);
  const auto projected = [&](int t, int c, int factor) {
    if (t == 0) return entry(0, c);
    if (t >= 5) return entry(factor * (t + 4), c);
    double sum = 0.0;
    for (int i = 0; i < 8; ++i) sum += Q(i, t - 1) * entry(factor * (i + 1), c);
    return sum;
  };
  for (int t = 0; t < 8 * outputs; ++t) {
    for (int s = 0; s < 8 * outputs; ++s) {
      EXPECT_NEAR(F(t, s), projected(t / outputs, t % outputs, 1) * projected(s / outputs, s % outputs, 2), 1e-13);
    }
  }
  for (int t = 0; t < 12 * outputs; ++t) EXPECT_EQ(F(t, 8 * outputs), 0.0);  // what is left over is cleared
}

INSTANTIATE_TEST_SUITE_P(Segment, MergesOfOutputs, ::testing::Values(1, 3));

TEST(Segment, ValuesThatAreConstantStayExactlyConstant) {
  const Segment merged = gauss_segment(1, 9, 4);
  std::vector<Merge> list;
  list.push_back({1, projection(all_steps(1, 5), all_steps(5, 9), merged)});
  const std::vector<double> before(12, 1.0);
  std::vector<double> after(12, 1.0);
  std::copy(merged.unit.begin(), merged.unit.end(), after.begin() + 1);
  std::vector<double> values(12, 0.3);
  Merges(std::move(list)).apply_to_values(values.data(), 12, 1, before, after);
  for (int t = 0; t < 8; ++t) EXPECT_EQ(values[static_cast<std::size_t>(t)], 0.3);
}

Problem with_momentum() {
  Problem problem;
  problem.optimizer.lr.clear();
  for (int t = 0; t < 100; ++t) problem.optimizer.lr.push_back(0.1 / (1.0 + 0.02 * t));
  problem.optimizer.momentum = {0.8};
  problem.optimizer.weight_decay = 0.02;
  return problem;
}

// K of a condensed past, applied to a smooth function, is K of all steps applied to it.
TEST(CondensedSteps, KActsOnSmoothFunctionsAsBefore) {
  const Problem problem = with_momentum();
  CondensedSteps grid(problem, 100, 60, 4);
  for (int t = 0; t < 40; t += 4) {
    grid.propose({t, t + 4});
    grid.commit({t, t + 4});
  }
  const Segment merged = gauss_segment(5, 21, 8);
  std::vector<Merge> list;
  list.push_back({5, projection(all_steps(5, 13), all_steps(13, 21), merged)});
  const Merges merges(std::move(list));
  grid.condense({all_steps(0, 5), merged}, merges, 40);
  EXPECT_EQ(grid.condensed(), 13);
  EXPECT_EQ(grid.committed_nodes(), 32);
  EXPECT_EQ(grid.nodes_end(), 92);
  EXPECT_EQ(grid.time(32), 40.0);

  Propagator exact(problem);
  std::vector<double> row(100);
  double decay = 0.0;
  for (int t = 0; t <= 41; ++t) exact.next(row.data(), decay);
  const auto smooth = [](double s) { return std::cos(0.05 * s); };
  double expected = 0.0;
  for (int s = 0; s < 41; ++s) expected += row[static_cast<std::size_t>(s)] * smooth(s);

  const PanelTime time = grid.propose({32, 34});  // steps 40 and 41
  double sum = 0.0;
  for (int s = 0; s < 33; ++s) {
    const double unit = time.unit[s];
    sum += time.K(1, s) * unit * (smooth(grid.time(s)) * unit);
  }
  EXPECT_NEAR(sum, expected, 1e-8 * std::abs(expected));
  EXPECT_EQ(time.decay[33], decay);
}

TEST(CondensedSteps, ContinuesFromItsState) {
  const Problem problem = with_momentum();
  CondensedSteps grid(problem, 100, 60, 4);
  for (int t = 0; t < 40; t += 4) {
    grid.propose({t, t + 4});
    grid.commit({t, t + 4});
  }
  std::vector<Merge> list;
  list.push_back({5, projection(all_steps(5, 13), all_steps(13, 21), gauss_segment(5, 21, 8))});
  grid.condense({all_steps(0, 5), gauss_segment(5, 21, 8)}, Merges(std::move(list)), 40);
  CondensedSteps other(problem, 100, 60, 4);
  other.restore(grid.state());
  const PanelTime a = grid.propose({32, 36});
  const PanelTime b = other.propose({32, 36});
  for (int i = 0; i < 4; ++i) {
    for (int s = 0; s < 36; ++s) EXPECT_EQ(a.K(i, s), b.K(i, s)) << i << " " << s;
  }
  for (int s = 0; s < 36; ++s) {
    EXPECT_EQ(a.decay[s], b.decay[s]);
    EXPECT_EQ(a.unit[s], b.unit[s]);
  }
}

}  // namespace
}  // namespace lindmft
