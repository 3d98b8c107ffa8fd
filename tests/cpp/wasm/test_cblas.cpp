// Comparison of the small CBLAS of the WebAssembly build with plain loops, at sizes that are no multiples of a block.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "wasm/cblas.h"

namespace {

template <class T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();

constexpr int kGap = 3;

/// Rows of normal numbers, with `between` after each of them.
template <class T>
struct Rectangle {
  Rectangle(int rows, int cols, unsigned seed, T between = kNan<T>)
      : ld(cols + kGap), values(static_cast<std::size_t>(rows) * ld, between) {
    std::mt19937 engine(seed);
    std::normal_distribution<double> normal;
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < cols; ++j) (*this)(i, j) = static_cast<T>(normal(engine));
  }
  T& operator()(int i, int j) { return values[static_cast<std::size_t>(i) * ld + j]; }

  int ld;
  std::vector<T> values;
};

template <class T>
void multiply(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, T alpha, Rectangle<T>& a,
              Rectangle<T>& b, T beta, Rectangle<T>& c) {
  const auto call = [] {
    if constexpr (std::is_same_v<T, double>)
      return cblas_dgemm;
    else
      return cblas_sgemm;
  }();
  call(CblasRowMajor, op_a, op_b, m, n, k, alpha, a.values.data(), a.ld, b.values.data(), b.ld, beta, c.values.data(),
       c.ld);
}

template <class T>
void expect_product(CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, T beta) {
  SCOPED_TRACE(std::to_string(op_a) + " " + std::to_string(op_b) + " " + std::to_string(m) + " x " + std::to_string(n) +
               " x " + std::to_string(k));
  const bool plain_a = op_a == CblasNoTrans, plain_b = op_b == CblasNoTrans;
  Rectangle<T> a(plain_a ? m : k, plain_a ? k : m, 1), b(plain_b ? k : n, plain_b ? n : k, 2), c(m, n, 3, T(7));
  Rectangle<T> old = c;
  if (beta == T(0))
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) c(i, j) = kNan<T>;
  const T alpha = T(0.5), tolerance = T(8) * std::numeric_limits<T>::epsilon() * static_cast<T>(k + 1);
  multiply(op_a, op_b, m, n, k, alpha, a, b, beta, c);
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0.0;
      for (int q = 0; q < k; ++q) sum += 1.0 * (plain_a ? a(i, q) : a(q, i)) * (plain_b ? b(q, j) : b(j, q));
      ASSERT_NEAR(c(i, j), alpha * sum + beta * old(i, j), tolerance) << i << ", " << j;
    }
    for (int j = n; j < c.ld; ++j) ASSERT_EQ(c(i, j), T(7)) << "written past the end of row " << i;
  }
}

template <class T>
class WasmCblas : public testing::Test {};
using Types = testing::Types<double, float>;
TYPED_TEST_SUITE(WasmCblas, Types);

TYPED_TEST(WasmCblas, ProductsAgreeWithPlainLoops) {
  for (const auto op_a : {CblasNoTrans, CblasTrans})
    for (const auto op_b : {CblasNoTrans, CblasTrans})
      for (const int m : {1, 2, 3, 7, 8, 9, 70})
        for (const int n : {1, 3, 4, 8, 13, 67, 130})
          for (const int k : {0, 1, 2, 5, 64, 65, 300})
            expect_product<TypeParam>(op_a, op_b, m, n, k, TypeParam(m % 2 == 0 ? 0 : 0.25));
}

TYPED_TEST(WasmCblas, NothingIsDoneWithoutRowsOrColumns) {
  Rectangle<TypeParam> a(3, 3, 1), b(3, 3, 2), c(3, 3, 3);
  const auto old = c.values;
  multiply<TypeParam>(CblasNoTrans, CblasNoTrans, 0, 3, 3, 1, a, b, 0, c);
  multiply<TypeParam>(CblasNoTrans, CblasNoTrans, 3, 0, 3, 1, a, b, 0, c);
  for (std::size_t i = 0; i < old.size(); ++i) EXPECT_TRUE(c.values[i] == old[i] || std::isnan(old[i]));
}

TEST(WasmCblasCalls, VectorProductsAgreeWithPlainLoops) {
  for (const auto op : {CblasNoTrans, CblasTrans}) {
    for (const int m : {1, 3, 4, 9, 70}) {
      for (const int n : {1, 2, 5, 8, 65}) {
        Rectangle<double> a(m, n, 1), x(1, op == CblasNoTrans ? n : m, 2), y(1, op == CblasNoTrans ? m : n, 3);
        Rectangle<double> old = y;
        cblas_dgemv(CblasRowMajor, op, m, n, 2.0, a.values.data(), a.ld, x.values.data(), 1, -1.0, y.values.data(), 1);
        for (int i = 0; i < y.ld - kGap; ++i) {
          double sum = 0.0;
          for (int j = 0; j < x.ld - kGap; ++j) sum += (op == CblasNoTrans ? a(i, j) : a(j, i)) * x(0, j);
          ASSERT_NEAR(y(0, i), 2.0 * sum - old(0, i), 1e-13);
        }
      }
    }
  }
}

TEST(WasmCblasCalls, RefusesWhatTheCoreDoesNotUse) {
  Rectangle<double> a(3, 3, 1), b(3, 3, 2), c(3, 3, 3);
  const auto call = [&](CBLAS_ORDER order, CBLAS_TRANSPOSE op, int m, int lda) {
    cblas_dgemm(order, op, CblasNoTrans, m, 3, 3, 1.0, a.values.data(), lda, b.values.data(), b.ld, 0.0,
                c.values.data(), c.ld);
  };
  EXPECT_NO_THROW(call(CblasRowMajor, CblasNoTrans, 3, 3));
  EXPECT_THROW(call(CblasColMajor, CblasNoTrans, 3, 3), std::logic_error);
  EXPECT_THROW(call(CblasRowMajor, CblasConjTrans, 3, 3), std::logic_error);
  EXPECT_THROW(call(CblasRowMajor, CblasNoTrans, -1, 3), std::logic_error);
  EXPECT_THROW(call(CblasRowMajor, CblasNoTrans, 3, 2), std::logic_error);
  const auto gemv = [&](int step) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, 3, 3, 1.0, a.values.data(), a.ld, b.values.data(), step, 0.0,
                c.values.data(), 1);
  };
  EXPECT_NO_THROW(gemv(1));
  EXPECT_THROW(gemv(2), std::logic_error);
}

}  // namespace
