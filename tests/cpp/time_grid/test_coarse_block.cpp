// Coarse segments: functions that are given at a few steps become coefficients on all of their steps.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "time_grid/coarse_block.hpp"
#include "time_grid/condensed_steps.hpp"

namespace lindmft {
namespace {

constexpr int kLength = 200;
constexpr int kOrder = 8;

double smooth(double t) { return std::cos(0.5 + t / 400.0); }
double kernel(double t, double s) { return std::exp(-0.002 * (t - s)) * smooth(s); }

/// The basis functions of a part at a step.
std::vector<double> basis(const CoarsePart& part, double step) {
  std::vector<double> nodes;
  for (const double node : part.basis.nodes) nodes.push_back(node / kLength);
  std::vector<double> psi = Lagrange(std::move(nodes)).at(step / kLength);
  for (std::size_t b = 0; b < psi.size(); ++b) psi[b] /= part.basis.unit[b];
  return psi;
}

std::vector<double> coefficients(const CoarsePart& part, const std::vector<double>& values) {
  std::vector<double> out(part.basis.unit.size());
  for (std::size_t t = 0; t < values.size(); ++t) {
    const std::vector<double> psi = basis(part, static_cast<double>(t));
    for (std::size_t b = 0; b < out.size(); ++b) out[b] += psi[b] * values[t];
  }
  return out;
}

TEST(CoarseBlock, NodesAreDifferentStepsAndPartsEndBeforeThem) {
  for (const int length : {40, 41, 77, 200, 12345}) {
    const CoarseBlock block(length, kOrder);
    ASSERT_EQ(block.order(), kOrder);
    for (int m = 0; m < kOrder; ++m) {
      EXPECT_GT(block.step(m), m == 0 ? 0 : block.step(m - 1));
      EXPECT_LT(block.step(m), length);
      EXPECT_EQ(block.part(m).basis.length(), block.step(m));
      EXPECT_LE(block.part(m).basis.size(), kOrder);
    }
    EXPECT_EQ(block.part(kOrder).basis.size(), kOrder);
  }
  EXPECT_EQ(gauss_steps(5, 8), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(CoarseBlock, RowsAreReadAtThePositions) {
  const CoarseBlock block(kLength, kOrder);
  for (int m = 0; m < kOrder; ++m) {
    const CoarsePart& part = block.part(m);
    const double t = block.step(m);
    std::vector<double> row;
    for (int s = 0; s < block.step(m); ++s) row.push_back(kernel(t, s));
    const std::vector<double> known = coefficients(part, row);
    for (int c = 0; c < kOrder; ++c) {
      double value = 0.0;
      for (std::size_t b = 0; b < known.size(); ++b) value += part.decode(c, static_cast<int>(b)) * known[b];
      for (int j = 0; j < part.decode_history.cols(); ++j)
        value += part.decode_history(c, j) * kernel(t, -(j + 1) * block.history_stride());
      const double s = block.positions()[static_cast<std::size_t>(c)] * t - 0.5;
      EXPECT_NEAR(value, kernel(t, s), 1e-9) << m << " " << c;
    }
  }
}

/// The part below the diagonal in the basis of a part, from its values at the nodes and positions.
Matrix projected(const CoarseBlock& block, const CoarsePart& part) {
  const int q = part.basis.size();
  Matrix out(q, q);
  for (int k = 0; k < part.rows.rows(); ++k) {
    for (int c = 0; c < kOrder; ++c) {
      double lower = 0.0;
      for (int m = 0; m < kOrder; ++m) {
        const double s = block.positions()[static_cast<std::size_t>(c)] * block.step(m) - 0.5;
        lower += part.rows(k, m) * kernel(block.step(m), s);
      }
      for (int a = 0; a < q; ++a) {
        for (int b = 0; b < q; ++b)
          out(a, b) += part.project(a, k) * lower * part.action[static_cast<std::size_t>(k)](c, b);
      }
    }
  }
  return out;
}

TEST(CoarseBlock, FunctionsOfTwoTimesAreProjected) {
  const CoarseBlock block(kLength, kOrder);
  for (int m = 0; m <= kOrder; ++m) {
    const CoarsePart& part = block.part(m);
    const int q = part.basis.size();
    const auto count = static_cast<int>(part.basis.length());
    Matrix lower(q, q);
    Matrix diagonal(q, q);
    std::vector<std::vector<double>> psi;
    for (int t = 0; t < count; ++t) psi.push_back(basis(part, t));
    for (int t = 0; t < count; ++t) {
      for (int b = 0; b < q; ++b) {
        const auto column = static_cast<std::size_t>(b);
        double acted = 0.0;
        for (int s = 0; s < t; ++s) acted += kernel(t, s) * psi[static_cast<std::size_t>(s)][column];
        for (int a = 0; a < q; ++a) {
          const double weight = psi[static_cast<std::size_t>(t)][static_cast<std::size_t>(a)];
          lower(a, b) += weight * acted;
          diagonal(a, b) += weight * psi[static_cast<std::size_t>(t)][column] * smooth(t);
        }
      }
    }
    const Matrix below = projected(block, part);
    for (int a = 0; a < q; ++a) {
      for (int b = 0; b < q; ++b) {
        double on = 0.0;
        for (int k = 0; k < kOrder; ++k) on += part.diagonal(a * q + b, k) * smooth(block.step(k));
        EXPECT_NEAR(on, diagonal(a, b), 1e-9) << m;
        EXPECT_NEAR(below(a, b), lower(a, b), 1e-7 * count) << m;
      }
    }
  }
}

Problem falling_rates() {
  Problem problem;
  problem.optimizer.lr.clear();
  for (int t = 0; t < 400; ++t) problem.optimizer.lr.push_back(0.1 / (1.0 + 0.002 * t));
  problem.optimizer.weight_decay = 0.02;
  return problem;
}

// K after a coarse segment, applied to a smooth function, is K of all steps applied to it.
TEST(CondensedSteps, KActsAfterACoarseSegmentAsBefore) {
  const Problem problem = falling_rates();
  CondensedSteps grid(problem, 400, 60, 4);
  for (int t = 0; t < 20; t += 4) {
    grid.propose({t, t + 4});
    grid.commit({t, t + 4});
  }
  EXPECT_TRUE(grid.settled());
  const CoarseBlock block(kLength, kOrder);
  const CoarseRates rates = grid.rates(kLength);
  const PanelTime inside = grid.look_ahead(&block.part(4), block.step(4), rates);
  EXPECT_EQ(inside.step(inside.panel.begin), 20 + block.step(4));
  grid.commit(block, rates, 8);
  EXPECT_EQ(grid.committed_nodes(), 28);
  EXPECT_EQ(grid.done(), 220);
  CondensedSteps other(problem, 400, 60, 4);
  other.restore(grid.state());

  Propagator exact(problem);
  std::vector<double> row(400);
  double decay = 0.0;
  for (int t = 0; t <= 221; ++t) exact.next(row.data(), decay);
  double expected = 0.0;
  for (int s = 0; s < 221; ++s) expected += row[static_cast<std::size_t>(s)] * smooth(s);
  for (CondensedSteps* steps : {&grid, &other}) {
    const PanelTime time = steps->propose({28, 30});  // steps 220 and 221
    double sum = 0.0;
    for (int s = 0; s < 29; ++s) sum += time.K(1, s) * time.unit[s] * time.unit[s] * smooth(steps->time(s));
    EXPECT_NEAR(sum, expected, 1e-8 * expected);
    EXPECT_NEAR(time.decay[29], decay, 1e-12);
  }
}

TEST(CondensedSteps, RowsAreEvaluatedBetweenNodes) {
  const Problem problem = falling_rates();
  CondensedSteps grid(problem, 400, 60, 4);
  for (int t = 0; t < 20; t += 4) {
    grid.propose({t, t + 4});
    grid.commit({t, t + 4});
  }
  const CoarseBlock block(kLength, kOrder);
  const CoarseRates rates = grid.rates(kLength);
  grid.look_ahead(nullptr, 0, rates);
  grid.commit(block, rates, 8);
  std::vector<double> weights;
  for (const double time : {0.0, 7.0, 19.0, 20.0, 111.5, 219.0}) {
    const int node = grid.evaluation(time, weights);
    double value = 0.0;
    for (std::size_t j = 0; j < weights.size(); ++j) {
      const int s = node + static_cast<int>(j);
      value += weights[j] * grid.unit()[static_cast<std::size_t>(s)] * smooth(grid.time(s));
    }
    EXPECT_NEAR(value, smooth(time), 1e-9) << time;
  }
}

}  // namespace
}  // namespace lindmft
