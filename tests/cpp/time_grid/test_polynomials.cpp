// Rules that integrate and sum polynomials, and the polynomials of a panel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "time_grid/polynomials.hpp"

namespace lindmft {
namespace {

double apply(const Rule& rule, int degree, double scale) {
  double sum = 0.0;
  for (std::size_t k = 0; k < rule.nodes.size(); ++k) sum += rule.weights[k] * std::pow(rule.nodes[k] / scale, degree);
  return sum;
}

TEST(Polynomials, GaussRuleIntegratesTwiceItsPoints) {
  for (const int points : {1, 3, 6, 14}) {
    const Rule rule = gauss_rule(points);
    for (int degree = 0; degree < 2 * points; ++degree)
      EXPECT_NEAR(apply(rule, degree, 1.0), 1.0 / (degree + 1), 1e-14) << points << " " << degree;
    EXPECT_GT(std::abs(apply(rule, 2 * points, 1.0) * (2 * points + 1) - 1.0), points < 6 ? 1e-5 : 0.0);
  }
}

TEST(Polynomials, SumRuleSumsTwiceItsPoints) {
  for (const int count : {1, 4, 5, 6, 11, 300, 100000}) {
    for (const int points : {2, 5, 6}) {
      const Rule rule = sum_rule(count, points);
      EXPECT_LE(rule.nodes.size(), static_cast<std::size_t>(points));
      for (int degree = 0; degree < 2 * points; ++degree) {
        double sum = 0.0;
        for (int s = 0; s < count; ++s) sum += std::pow(static_cast<double>(s) / count, degree);
        EXPECT_NEAR(apply(rule, degree, count), sum, 1e-12 * count) << count << " " << points << " " << degree;
      }
    }
  }
}

TEST(Polynomials, RadauNodesEndAtOneAndIntegrateOneDegreeLess) {
  for (const int points : {1, 2, 6, 8, 10}) {
    const std::vector<double> x = radau_nodes(points);
    ASSERT_EQ(static_cast<int>(x.size()), points);
    EXPECT_EQ(x.back(), 1.0);
    EXPECT_TRUE(std::is_sorted(x.begin(), x.end()));
    const Lagrange basis(x);
    const Rule rule = gauss_rule(points + 1);
    std::vector<double> weights(x.size());
    for (std::size_t k = 0; k < rule.nodes.size(); ++k) {
      const std::vector<double> l = basis.at(rule.nodes[k]);
      for (std::size_t j = 0; j < l.size(); ++j) weights[j] += rule.weights[k] * l[j];
    }
    for (int degree = 0; degree < 2 * points - 1; ++degree) {
      double sum = 0.0;
      for (std::size_t j = 0; j < x.size(); ++j) sum += weights[j] * std::pow(x[j], degree);
      EXPECT_NEAR(sum, 1.0 / (degree + 1), 1e-13) << points << " " << degree;
    }
  }
}

TEST(Polynomials, BasisIsOneAtItsOwnNodeAndReproducesPolynomials) {
  const Lagrange basis({0.1, 0.25, 0.6, 1.0});
  const auto cubic = [](double x) { return 2.0 - x + 3.0 * x * x * x; };
  for (const double x : {0.0, 0.25, 0.7, 1.0}) {
    double sum = 0.0;
    for (std::size_t j = 0; j < 4; ++j) sum += basis.at(x)[j] * cubic(basis.nodes()[j]);
    EXPECT_NEAR(sum, cubic(x), 1e-13);
  }
  for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(basis.at(0.6)[j], j == 2 ? 1.0 : 0.0, 1e-15);
}

}  // namespace
}  // namespace lindmft
