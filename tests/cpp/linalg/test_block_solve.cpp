// The small systems within a panel: exact for integers, accurate to rounding for systems close to the identity.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "linalg/block_solve.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kColumns = 9;
constexpr int kExtra = 3;  // columns of the storage that do not belong to the block
constexpr double kCanary = -12345.0;

Matrix random_matrix(int rows, int cols, double size, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> uniform(-size, size);
  Matrix m(rows, cols + kExtra);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < m.cols(); ++j) m(i, j) = j < cols ? uniform(engine) : kCanary;
  }
  return m;
}

Matrix product(const Matrix& a, const Matrix& x, int inner, int cols) {
  Matrix out(a.rows(), cols);
  for (int i = 0; i < a.rows(); ++i) {
    for (int k = 0; k < inner; ++k) {
      for (int j = 0; j < cols; ++j) out(i, j) += a(i, k) * x(k, j);
    }
  }
  return out;
}

class BlockSolve : public testing::TestWithParam<int> {
 protected:
  int p = GetParam();
};

TEST_P(BlockSolve, SolvesSystemsCloseToTheIdentity) {
  Matrix s = random_matrix(p, p, 0.1, 1);
  for (int i = 0; i < p; ++i) s(i, i) += 1.0;
  const Matrix solution = random_matrix(p, kColumns, 1.0, 2);
  Matrix x = product(s, solution, p, kColumns);
  solve_block(leading(s, p, p), leading(x, p, kColumns));
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < kColumns; ++j) EXPECT_NEAR(x(i, j), solution(i, j), 1e-13 * p);
  }
}

/// Exact steps need no division: integers stay integers.
TEST_P(BlockSolve, IsExactForUnitLowerTriangularIntegers) {
  Matrix s(p, p);
  Matrix solution(p, kColumns);
  for (int i = 0; i < p; ++i) {
    s(i, i) = 1.0;
    for (int j = 0; j < i; ++j) s(i, j) = (7 * i + 3 * j) % 3 - 1;
    for (int j = 0; j < kColumns; ++j) solution(i, j) = (5 * i + j) % 7 - 3;
  }
  Matrix x = product(s, solution, p, kColumns);
  solve_block(leading(s, p, p), leading(x, p, kColumns));
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < kColumns; ++j) EXPECT_EQ(x(i, j), solution(i, j));
  }
}

TEST_P(BlockSolve, TouchesTheBlockAlone) {
  Matrix s = random_matrix(p, p, 0.1, 1);
  for (int i = 0; i < p; ++i) s(i, i) += 1.0;
  Matrix x = random_matrix(p, kColumns, 1.0, 2);
  solve_block(leading(s, p, p), leading(x, p, kColumns));
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < kExtra; ++j) {
      EXPECT_EQ(s(i, p + j), kCanary);
      EXPECT_EQ(x(i, kColumns + j), kCanary);
    }
  }
}

TEST_P(BlockSolve, ProductIsAddedWithItsScale) {
  const Matrix a = random_matrix(p, p, 1.0, 3);
  const Matrix x = random_matrix(p, kColumns, 1.0, 4);
  const Matrix before = random_matrix(p, kColumns, 1.0, 5);
  Matrix out = random_matrix(p, kColumns, 1.0, 5);
  const Matrix ax = product(a, x, p, kColumns);
  add_block_product(leading(out, p, kColumns), leading(a, p, p), leading(x, p, kColumns), -0.6);
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < kColumns; ++j) EXPECT_NEAR(out(i, j), before(i, j) - 0.6 * ax(i, j), 1e-14 * p);
    for (int j = 0; j < kExtra; ++j) EXPECT_EQ(out(i, kColumns + j), kCanary);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, BlockSolve, testing::Values(1, 2, 5, 16, 33));

}  // namespace
}  // namespace lindmft::linalg
