// First guesses: polynomials in time and functions of the lag are predicted up to rounding errors; zeros remain zeros.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "linalg/extrapolate.hpp"

namespace lindmft::linalg {
namespace {

constexpr int kHistory = 400;  // number of known rows
constexpr int kLongest = 32;
constexpr int kNodes = kHistory + 2 * kLongest;
constexpr double kGarbage = 1e3;

using TwoTime = std::function<double(double, double)>;

double cubic(double t, double s) {
  const double x = t / kNodes, y = s / kNodes;
  return 1.0 + 0.5 * (x + y) - x * y + 0.25 * (x * x * y + x * y * y) + 0.3 * (x * x * x + y * y * y);
}

double lag_alone(double t, double s) { return std::exp(-0.7 * std::abs(t - s)); }

/// The first kHistory rows of f, up to the diagonal, and the values that a rejected panel may leave in the rows after
/// them.
Matrix causal_history(const TwoTime& f) {
  Matrix m(kNodes, kNodes);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = 0; s < kNodes; ++s) {
      if (t >= kHistory) m(t, s) = kGarbage;
      if (t < kHistory && s <= t) m(t, s) = f(t, s);
    }
  }
  return m;
}

/// The leading kHistory x kHistory block of f.
Matrix symmetric_history(const TwoTime& f) {
  Matrix m(kNodes, kNodes);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = 0; s < kNodes; ++s) m(t, s) = std::max(t, s) < kHistory ? f(t, s) : kGarbage;
  }
  return m;
}

double largest_error(const Matrix& m, Panel panel, const TwoTime& f) {
  double worst = 0.0;
  for (int t = panel.begin; t < panel.end; ++t) {
    for (int s = 0; s <= t; ++s) {
      const double off = std::abs(m(t, s) - f(t, s));
      worst = off <= worst ? worst : off;  // keeps a nan
    }
  }
  return worst;
}

bool zero_beyond_diagonal(const Matrix& m, Panel panel) {
  for (int t = panel.begin; t < panel.end; ++t) {
    if (!std::all_of(m.row(t) + t + 1, m.row(t) + m.cols(), [](double x) { return x == 0.0; })) return false;
  }
  return true;
}

class Guess : public testing::TestWithParam<int> {
 protected:
  Panel panel{kHistory, kHistory + GetParam()};
};

TEST_P(Guess, PolynomialsInTimeAreExact) {
  Matrix causal = causal_history(cubic);
  guess_causal(causal, {panel});
  EXPECT_LT(largest_error(causal, panel, cubic), 1e-12);
  Matrix symmetric = symmetric_history(cubic);
  guess_symmetric(symmetric, {panel});
  EXPECT_LT(largest_error(symmetric, panel, cubic), 1e-12);
}

TEST_P(Guess, FunctionsOfTheLagAreExact) {
  Matrix causal = causal_history(lag_alone);
  guess_causal(causal, {panel});
  EXPECT_LT(largest_error(causal, panel, lag_alone), 1e-14);
  Matrix symmetric = symmetric_history(lag_alone);
  guess_symmetric(symmetric, {panel});
  EXPECT_LT(largest_error(symmetric, panel, lag_alone), 1e-11);
}

TEST_P(Guess, CausalRowsAreZeroBeyondTheDiagonalToTheirEnd) {
  Matrix m = causal_history(cubic);
  guess_causal(m, {panel});
  EXPECT_TRUE(zero_beyond_diagonal(m, panel));
}

TEST_P(Guess, CausalRowsAreZeroAgainAfterALongerPanelWasGivenUp) {
  Matrix m = causal_history(cubic);
  const Panel longer{kHistory, kHistory + 2 * kLongest};
  guess_causal(m, {longer});
  // A rejected panel whose sweeps diverged.
  for (int t = longer.begin; t < longer.end; ++t) std::fill_n(m.row(t), longer.end, kGarbage);
  guess_causal(m, {panel});
  EXPECT_TRUE(zero_beyond_diagonal(m, panel));
  EXPECT_LT(largest_error(m, panel, cubic), 1e-12);
}

TEST_P(Guess, SymmetricRowsAreMirroredIntoTheColumns) {
  Matrix m = symmetric_history(cubic);
  guess_symmetric(m, {panel});
  for (int t = panel.begin; t < panel.end; ++t) {
    for (int s = 0; s < panel.end; ++s) ASSERT_EQ(m(t, s), m(s, t)) << t << ", " << s;
  }
}

TEST_P(Guess, HistoryIsLeftAlone) {
  Matrix m = causal_history(cubic);
  guess_causal(m, {panel});
  for (int t = 0; t < kHistory; ++t) {
    for (int s = 0; s < kNodes; ++s) ASSERT_EQ(m(t, s), s <= t ? cubic(t, s) : 0.0) << t << ", " << s;
  }
}

INSTANTIATE_TEST_SUITE_P(PanelRows, Guess, testing::Values(1, 2, 7, 16, kLongest));

TEST(GuessAtTheStart, FirstPanelIsLeftAsItIs) {
  Matrix m(3, 3);
  guess_causal(m, {{0, 3}});
  guess_symmetric(m, {{0, 3}});
  EXPECT_TRUE(std::all_of(m.data(), m.data() + 9, [](double x) { return x == 0.0; }));
}

/// With little history nothing outside it is read, and the guess is finite.
TEST(GuessAtTheStart, ShortHistoriesDo) {
  for (int begin = 1; begin < 12; ++begin) {
    for (const int size : {1, 2, begin, 2 * begin}) {
      const Panel panel{begin, begin + size};
      Matrix causal(panel.end, panel.end);
      Matrix symmetric(panel.end, panel.end);
      for (int t = 0; t < begin; ++t) {
        for (int s = 0; s < begin; ++s) symmetric(t, s) = 0.25;
        for (int s = 0; s <= t; ++s) causal(t, s) = 0.25;
      }
      guess_causal(causal, {panel});
      guess_symmetric(symmetric, {panel});
      EXPECT_LT(largest_error(causal, panel, [](double, double) { return 0.25; }), 1e-12) << begin << " + " << size;
      EXPECT_LT(largest_error(symmetric, panel, [](double, double) { return 0.25; }), 1e-12) << begin << " + " << size;
      EXPECT_TRUE(zero_beyond_diagonal(causal, panel));
    }
  }
}

}  // namespace
}  // namespace lindmft::linalg
