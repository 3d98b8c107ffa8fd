// Comparison of products of row panels with causal and symmetric matrices with plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "linalg/causal.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kNodes = 403;  // no multiple of any block size
constexpr int kExtra = 5;    // columns of the storage beyond the leading block
constexpr double kTolerance = 1e-13;

std::vector<Panel> panels(int nodes, int largest) {
  std::vector<Panel> out;
  for (int begin = 0, size = 1; begin < nodes; size = std::min(2 * size, largest)) {
    out.push_back({begin, std::min(nodes, begin + size)});
    begin = out.back().end;
  }
  return out;
}

PanelMap map_of(const std::vector<Panel>& all) {
  PanelMap map(all.back().end);
  for (const Panel panel : all) map.set(panel);
  return map;
}

Matrix random_matrix(int rows, int cols, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  Matrix m(rows, cols);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) m(i, j) = uniform(engine);
  }
  return m;
}

/// A matrix with random entries in and below the diagonal panels, and zeros above.
Matrix random_causal(const PanelMap& map, unsigned seed, int nodes = kNodes) {
  Matrix m = random_matrix(nodes, nodes + kExtra, seed);
  for (int i = 0; i < nodes; ++i) std::fill(m.row(i) + map.end_of(i), m.row(i) + m.cols(), 0.0);
  return m;
}

Matrix random_symmetric(unsigned seed, int nodes = kNodes) {
  Matrix m = random_matrix(nodes, nodes + kExtra, seed);
  for (int i = 0; i < nodes; ++i) {
    for (int j = 0; j < i; ++j) m(j, i) = m(i, j);
  }
  return m;
}

/// scale * x op(a) + beta * out from the first `rows` rows of op(a), entry by entry.
Matrix naive(const Matrix& out, ConstView x, const Matrix& a, Transpose op, int rows, double scale, double beta) {
  Matrix result(x.rows, out.cols());
  for (int i = 0; i < x.rows; ++i) {
    for (int j = 0; j < out.cols(); ++j) {
      double sum = 0.0;
      for (int k = 0; k < rows; ++k) sum += x(i, k) * (op == Transpose::yes ? a(j, k) : a(k, j));
      result(i, j) = scale * sum + (beta == 0.0 ? 0.0 : beta * out(i, j));
    }
  }
  return result;
}

void expect_near(const Matrix& actual, const Matrix& expected) {
  ASSERT_EQ(actual.rows(), expected.rows());
  ASSERT_EQ(actual.cols(), expected.cols());
  double worst = 0.0;
  for (int i = 0; i < actual.rows(); ++i) {
    for (int j = 0; j < actual.cols(); ++j) {
      const double off = std::abs(actual(i, j) - expected(i, j));
      worst = off <= worst ? worst : off;  // keeps a nan
    }
  }
  EXPECT_LT(worst, kTolerance);
}

/// A panel of p rows and b columns, the last ones of the map.
class Products : public testing::TestWithParam<int> {
 protected:
  int p = GetParam();
  PanelMap map = map_of(panels(kNodes, 32));
  Matrix causal = random_causal(map, 1);
  Matrix symmetric = random_symmetric(2);
  Matrix x = random_matrix(p, kNodes, 3);
  Matrix out = random_matrix(p, kNodes, 4);
  PanelAlgebra algebra{map, 1};
  ConstView rows = leading(x, p, kNodes);
  View target = leading(out, p, kNodes);
};

TEST_P(Products, Causal) {
  const Matrix expected = naive(out, rows, causal, Transpose::no, kNodes, 0.7, 0.0);
  algebra.times_causal(target, rows, causal, 0.7);
  expect_near(out, expected);
}

TEST_P(Products, History) {
  for (const int history : {0, 1, 63, kNodes - p}) {
    const Matrix expected = naive(out, rows, causal, Transpose::no, history, -1.3, 0.0);
    algebra.times_history(target, rows, causal, history, -1.3);
    expect_near(out, expected);
  }
}

TEST_P(Products, Transposed) {
  for (const double beta : {0.0, 1.0, -0.5}) {
    const Matrix expected = naive(out, rows, causal, Transpose::yes, kNodes, 0.7, beta);
    algebra.times_transposed(target, rows, causal, 0.7, beta);
    expect_near(out, expected);
  }
}

TEST_P(Products, Symmetric) {
  for (const double beta : {0.0, 1.0, -0.5}) {
    const Matrix expected = naive(out, rows, symmetric, Transpose::no, kNodes, 0.7, beta);
    algebra.times_symmetric(target, rows, symmetric, 0.7, beta);
    expect_near(out, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(PanelRows, Products, testing::Values(1, 2, 3, 8, 13, 32));

TEST(PanelAlgebra, OutputIsNotReadWithoutBeta) {
  const PanelMap map = map_of(panels(kNodes, 32));
  const Matrix causal = random_causal(map, 1);
  const Matrix symmetric = random_symmetric(2);
  const Matrix x = random_matrix(4, kNodes, 3);
  PanelAlgebra algebra(map, 1);
  for (int product = 0; product < 4; ++product) {
    Matrix out(4, kNodes);
    std::fill_n(out.data(), 4 * kNodes, std::nan(""));
    const View target = leading(out, 4, kNodes);
    if (product == 0) algebra.times_causal(target, leading(x, 4, kNodes), causal);
    if (product == 1) algebra.times_history(target, leading(x, 4, kNodes), causal, 10);
    if (product == 2) algebra.times_transposed(target, leading(x, 4, kNodes), causal);
    if (product == 3) algebra.times_symmetric(target, leading(x, 4, kNodes), symmetric);
    EXPECT_TRUE(std::all_of(out.data(), out.data() + 4 * kNodes, [](double v) { return std::isfinite(v); }))
        << "product " << product;
  }
}

/// The counted work is that of the entries that can be nonzero, up to those that blocks of columns add.
TEST(PanelAlgebra, SkipsStructuralZeros) {
  const PanelMap map = map_of(panels(kNodes, 32));
  const Matrix causal = random_causal(map, 1);
  const Matrix x = random_matrix(4, kNodes, 3);
  Matrix out(4, kNodes);
  double filled = 0.0;
  for (int i = 0; i < kNodes; ++i) filled += map.end_of(i);
  const double needed = 2.0 * 4 * filled;
  const double dense = 2.0 * 4 * kNodes * kNodes;

  PanelAlgebra forward(map, 1);
  forward.times_causal(leading(out, 4, kNodes), leading(x, 4, kNodes), causal);
  PanelAlgebra backward(map, 1);
  backward.times_transposed(leading(out, 4, kNodes), leading(x, 4, kNodes), causal);
  for (const double flops : {forward.flops(), backward.flops()}) {
    EXPECT_GE(flops, needed);
    EXPECT_LT(flops, needed + 0.5 * (dense - needed));
  }
  PanelAlgebra full(map, 1);
  full.times_symmetric(leading(out, 4, kNodes), leading(x, 4, kNodes), random_symmetric(2));
  EXPECT_EQ(full.flops(), dense);
}

TEST(PanelAlgebra, SameBitsOnAnyNumberOfThreads) {
  constexpr int kRows = 32;
  constexpr int kMany = 2000;  // with the rows, enough work for a parallel region
  const PanelMap map = map_of(panels(kMany, kRows));
  const Matrix causal = random_causal(map, 1, kMany);
  const Matrix symmetric = random_symmetric(2, kMany);
  const Matrix x = random_matrix(kRows, kMany, 3);
  const ConstView rows = leading(x, kRows, kMany);
  const auto all_products = [&](int threads) {
    std::vector<Matrix> out;
    for (int i = 0; i < 4; ++i) out.push_back(random_matrix(kRows, kMany, 4));
    PanelAlgebra algebra(map, threads);
    algebra.times_causal(leading(out[0], kRows, kMany), rows, causal, 0.7);
    algebra.times_history(leading(out[1], kRows, kMany), rows, causal, kMany - kRows);
    algebra.times_transposed(leading(out[2], kRows, kMany), rows, causal, 0.7, 1.0);
    algebra.times_symmetric(leading(out[3], kRows, kMany), rows, symmetric, 0.7, 1.0);
    return std::pair(std::move(out), algebra.flops());
  };
  const auto [serial, serial_flops] = all_products(1);
  for (const int threads : {2, 3}) {
    const auto [parallel, flops] = all_products(threads);
    EXPECT_EQ(flops, serial_flops);
    for (std::size_t i = 0; i < serial.size(); ++i) {
      EXPECT_TRUE(std::equal(serial[i].data(), serial[i].data() + kRows * kMany, parallel[i].data()))
          << "product " << i << " on " << threads << " threads";
    }
  }
}

TEST(PanelMap, KnowsThePanelOfEveryNode) {
  PanelMap map(7);
  map.set({0, 1});
  map.set({1, 7});  // a panel that is tried
  map.set({1, 4});  // and rejected
  map.set({4, 7});
  for (const int node : {1, 2, 3}) {
    EXPECT_EQ(map.begin_of(node), 1);
    EXPECT_EQ(map.end_of(node), 4);
  }
  EXPECT_EQ(map.begin_of(0), 0);
  EXPECT_EQ(map.begin_of(6), 4);
  EXPECT_EQ(map.end_of(4), 7);
}

}  // namespace
}  // namespace lindmft::linalg
