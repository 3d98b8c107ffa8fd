// Comparison of products of a few rows with plain loops, at sizes that are no multiples of a block.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "linalg/skinny.hpp"

namespace lindmft::linalg {
namespace {

constexpr double kTolerance = 1e-13;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Product = void (*)(View, ConstView, ConstView, double, double);

/// A rectangle of normal numbers with NaN after every row and at both ends.
class Rectangle {
 public:
  Rectangle(int rows, int cols, unsigned seed, int gap = 3)
      : rows_(rows), cols_(cols), ld_(cols + gap), values_(static_cast<std::size_t>((rows + 2) * ld_), kNan) {
    std::mt19937 engine(seed);
    std::normal_distribution<double> normal;
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < cols; ++j) view()(i, j) = normal(engine);
  }
  View view() { return {values_.data() + ld_, rows_, cols_, ld_}; }
  void fill(double value) { values_.assign(values_.size(), value); }

  /// Whether everything outside the rectangle is still NaN.
  bool surroundings_untouched() {
    for (int i = 0; i < rows_; ++i)
      for (int j = 0; j < cols_; ++j) view()(i, j) = kNan;
    for (const double value : values_)
      if (!std::isnan(value)) return false;
    return true;
  }

 private:
  int rows_;
  int cols_;
  std::ptrdiff_t ld_;
  std::vector<double> values_;
};

struct Kind {
  Product product;
  bool transposed;
  const char* name;
};

class Skinny : public testing::TestWithParam<Kind> {
 protected:
  Product product = GetParam().product;
  bool transposed = GetParam().transposed;

  Rectangle matrix(int k, int n, int gap = 3) const {
    return transposed ? Rectangle(n, k, 2, gap) : Rectangle(k, n, 2, gap);
  }

  /// Checks a product up to rounding errors of the sum of absolute terms, and that nothing else was written.
  void check(int p, int k, int n, double scale, double beta) const {
    SCOPED_TRACE(testing::Message() << "p " << p << " k " << k << " n " << n << " scale " << scale << " beta " << beta);
    Rectangle x(p, k, 1, 5);
    Rectangle a = matrix(k, n);
    Rectangle out(p, n, 3, 7);
    if (beta == 0.0) out.fill(kNan);
    Rectangle before = out;
    product(out.view(), x.view(), a.view(), scale, beta);
    int wrong = 0;
    for (int i = 0; i < p; ++i)
      for (int j = 0; j < n; ++j) {
        double sum = beta == 0.0 ? 0.0 : beta * before.view()(i, j);
        double size = std::abs(sum);
        for (int m = 0; m < k; ++m) {
          const double term = scale * x.view()(i, m) * (transposed ? a.view()(j, m) : a.view()(m, j));
          sum += term;
          size += std::abs(term);
        }
        if (!(std::abs(out.view()(i, j) - sum) <= kTolerance * size)) ++wrong;
      }
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(out.surroundings_untouched());
  }
};

TEST_P(Skinny, MatchesPlainLoops) {
  for (int p = 1; p <= 33; p += p < 10 ? 1 : 4)
    for (const int k : {0, 1, 2, 5, 7, 8, 9, 15, 16, 31, 33, 50, 64, 70})
      for (const int n : {1, 2, 5, 6, 7, 8, 9, 13, 16, 23, 24, 25, 31, 32, 47, 48, 49, 71, 72, 77, 100, 127, 128, 130})
        check(p, k, n, 1.3, 0.0);
}

TEST_P(Skinny, ScalesAndAdds) {
  for (const double scale : {0.0, 1.0, -0.7})
    for (const double beta : {0.0, 1.0, 0.4})
      for (const int p : {1, 3, 4, 8, 11, 17})
        for (const int k : {0, 3, 8, 21, 70})
          for (const int n : {1, 7, 8, 29, 130}) check(p, k, n, scale, beta);
}

TEST_P(Skinny, TakesLongSumsAndManyRows) {
  for (const int k : {127, 128, 129, 255, 256, 257, 259, 520}) check(5, k, 53, 0.9, 1.0);
  for (const int p : {63, 64, 65, 130}) check(p, 40, 37, 0.9, 0.0);
}

TEST_P(Skinny, EmptyPanelsAreFine) {
  check(0, 5, 7, 1.0, 0.0);
  check(0, 20, 30, 1.0, 0.0);
  check(3, 5, 0, 1.0, 0.0);
  check(3, 20, 0, 1.0, 0.0);
}

TEST_P(Skinny, EntriesDoNotDependOnTheirNeighbours) {
  if (!streams_skinny_products()) GTEST_SKIP() << "dgemm makes no such promise";
  const int p = 29;
  const int k = 300;
  const int n = 97;  // the last part is narrower than a vector
  Rectangle x(p, k, 1);
  Rectangle a = matrix(k, n);
  Rectangle whole(p, n, 3);
  Rectangle part(p, n, 3);
  product(whole.view(), x.view(), a.view(), 1.1, 0.6);
  for (int i = 0, rows = 1; i < p; i += rows, rows = std::min(rows + 1, p - i))
    for (int j = 0, cols = 8; j < n; j += cols, cols = std::min(cols + 5, n - j)) {
      const View columns = transposed ? a.view().block(j, 0, cols, k) : a.view().block(0, j, k, cols);
      product(part.view().block(i, j, rows, cols), x.view().block(i, 0, rows, k), columns, 1.1, 0.6);
    }
  for (int i = 0; i < p; ++i)
    for (int j = 0; j < n; ++j) EXPECT_EQ(whole.view()(i, j), part.view()(i, j)) << i << ", " << j;
}

INSTANTIATE_TEST_SUITE_P(Both, Skinny,
                         testing::Values(Kind{skinny_product, false, "Product"},
                                         Kind{skinny_product_transposed, true, "ProductTransposed"}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace lindmft::linalg
