// The spectrum of the Hessian in the theory: numbers of the NumPy reference, grids, order of times, limits, refusals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lindmft/solve.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Problem problem(int depth, double width, double gamma0, double alpha, double lr, double noise = 0.0) {
  Problem p;
  p.network = {.depth = depth, .width = {width}, .gamma0 = gamma0};
  p.data = {.mode = std::isinf(alpha) ? DataMode::population : DataMode::full_batch,
            .alpha = alpha,
            .noise = noise,
            .spectrum = {}};
  p.optimizer.lr = {lr};
  return p;
}

Problem example() { return problem(2, 1.0, 1.5, 2.0, 0.05, 0.3); }

Problem with_modes() {
  Problem p = example();
  p.data.spectrum = {.eigenvalues = {2.0, 0.5}, .target_power = {1.5, 0.5}, .weights = {0.25, 0.75}};
  p.optimizer.lr = {0.03};
  return p;
}

SolveOptions at(std::vector<double> times, int lanczos = 8, Grid grid = Grid::exact) {
  SolveOptions options;
  options.spectrum_at = std::move(times);
  options.lanczos = lanczos;
  options.grid = grid;
  options.threads = 1;
  return options;
}

std::vector<double> numbers(const HessianSpectrum& of) {
  std::vector<double> out;
  HessianSpectrum::for_each(
      [&](const char*, const auto& values) {
        if constexpr (requires { values.rows(); }) {
          out.insert(out.end(), values.data(), values.data() + values.rows() * values.cols());
        } else {
          out.insert(out.end(), values.begin(), values.end());
        }
      },
      of);
  return out;
}

void expect_row(const Matrix& found, int row, const std::vector<double>& expected, double relative) {
  for (std::size_t k = 0; k < expected.size(); ++k)
    EXPECT_NEAR(found(row, static_cast<int>(k)), expected[k], relative * expected[k]) << row << ' ' << k;
}

TEST(TheorySpectrum, HasTheNumbersOfTheReferenceAtDepthOne) {
  const Solution s = solve(problem(1, 1.0, 2.0, kInfinity, 0.05), 25, at({19}));
  expect_row(s.spectrum.target_ritz, 0,
             {5.613343701570323, 5.270946735610235, 4.761612958561234, 4.144312653626583, 3.463356407150868,
              2.7791883734997747, 2.188095311073498, 1.800138595994467},
             1e-9);
  expect_row(s.spectrum.target_weight, 0,
             {0.033637230990412825, 0.12765585989350686, 0.23630440899386482, 0.2625215592103525, 0.18657737866841942,
              0.09693470569623192, 0.04101216626107029, 0.015356690286142142},
             1e-9);
}

TEST(TheorySpectrum, HasTheNumbersOfTheReferenceAtDepthTwo) {
  const Solution s = solve(example(), 25, at({24}));
  expect_row(s.spectrum.random_ritz, 0,
             {16.623666663841878, 14.996521010926323, 12.53969925075785, 9.597810926533441, 6.581786688616342,
              3.905567551644774, 1.88984413024471, 0.6465584472127093},
             1e-9);
  expect_row(s.spectrum.random_weight, 0,
             {0.009048042458949513, 0.03582506104088992, 0.07911647748351348, 0.13619198463380822, 0.19993099122068722,
              0.2471686322411843, 0.21345959670903647, 0.07925921421193116},
             1e-9);
}

TEST(TheorySpectrum, HasTheNumbersOfTheReferenceAtDepthThree) {
  const Solution s = solve(problem(3, 2.0, 2.0, 3.0, 0.02), 30, at({24}));
  expect_row(s.spectrum.target_ritz, 0, {25.251323475382556, 23.424, 20.393, 16.402, 11.880, 7.375, 3.679, 1.612},
             4e-4);
  expect_row(s.spectrum.random_ritz, 0, {25.024, 22.674, 19.127, 14.882, 10.523, 6.612, 3.577, 1.665}, 4e-4);
}

TEST(TheorySpectrum, IsTheSameForAnyOrderOfTimes) {
  for (const Grid grid : {Grid::exact, Grid::adaptive}) {
    const Solution sorted = solve(example(), 40, at({0, 3, 17, 39}, 6, grid));
    const Solution mixed = solve(example(), 40, at({17, 39, 0, 3, 17}, 6, grid));
    EXPECT_EQ(sorted.spectrum.time, (std::vector<double>{0, 3, 17, 39}));
    EXPECT_EQ(numbers(mixed.spectrum), numbers(sorted.spectrum));
  }
}

TEST(TheorySpectrum, DoesNotDependOnThreads) {
  SolveOptions options = at({0, 3, 17, 39});
  const std::vector<double> one = numbers(solve(with_modes(), 40, options).spectrum);
  options.threads = 2;
  EXPECT_EQ(numbers(solve(with_modes(), 40, options).spectrum), one);
}

TEST(TheorySpectrum, ChangesNothingElse) {
  for (const Problem& p : {example(), with_modes()}) {
    for (const Grid grid : {Grid::exact, Grid::adaptive}) {
      SolveOptions options = at({}, 8, grid);
      const Solution without = solve(p, 60, options);
      options.spectrum_at = {0, 31, 59};
      const Solution with = solve(p, 60, options);
      EXPECT_TRUE(without.spectrum.time.empty());
      EXPECT_EQ(with.time, without.time);
      EXPECT_EQ(with.test_loss, without.test_loss);
      EXPECT_EQ(with.train_loss, without.train_loss);
    }
  }
}

/// Steps of a coarse grid are solved in blocks that differ from its panels. With several modes their operators keep
/// inverses of blocks.
TEST(TheorySpectrum, OnACoarseGridIsThatOfEveryStep) {
  for (const Problem& p : {example(), with_modes()}) {
    const std::vector<double> times{0, 9, 14, 30, 77, 119};
    const HessianSpectrum exact = solve(p, 120, at(times)).spectrum;
    const Solution coarse = solve(p, 120, at(times, 8, Grid::adaptive));
    EXPECT_LT(coarse.time.size(), 120U);
    for (int k = 0; k < 6; ++k) {
      const auto row = [k](const Matrix& m) { return std::vector<double>(m.row(k), m.row(k) + m.cols()); };
      expect_row(coarse.spectrum.target_ritz, k, row(exact.target_ritz), 1e-7);
      expect_row(coarse.spectrum.random_ritz, k, row(exact.random_ritz), 1e-7);
    }
  }
}

TEST(TheorySpectrum, EndsBeforeRoundingErrorsAreVisible) {
  for (const double width : {1.0, 4.0, 20.0}) {
    const HessianSpectrum found = solve(problem(1, width, 0.1, kInfinity, 0.05), 2, at({0}, 64)).spectrum;
    const double edge = 1.0 + std::pow(1.0 + 1.0 / std::sqrt(width), 2);
    EXPECT_NEAR(found.bulk_edge[0], edge, 1e-4) << width;
    EXPECT_NEAR(found.sharpness[0], edge, 1e-4) << width;
    EXPECT_TRUE(std::isnan(found.random_ritz(0, 63))) << width;
    EXPECT_FALSE(std::isnan(found.random_ritz(0, 4))) << width;
  }
}

TEST(TheorySpectrum, IsInfinitePastADivergence) {
  Problem p = example();
  p.optimizer.lr = {1.0};
  for (const Grid grid : {Grid::exact, Grid::adaptive}) {
    const Solution s = solve(p, 300, at({0, 299}, 4, grid));
    ASSERT_TRUE(s.diverged_at.has_value());
    EXPECT_TRUE(std::isfinite(s.spectrum.sharpness[0]));
    EXPECT_EQ(s.spectrum.sharpness[1], kInfinity);
    EXPECT_EQ(s.spectrum.target_ritz(1, 3), kInfinity);
    EXPECT_EQ(s.spectrum.bulk_edge_error[1], kInfinity);
  }
}

TEST(TheorySpectrum, RefusesBadTimesAndNumbersOfSteps) {
  const auto refusal = [](const SolveOptions& options) -> std::string {
    try {
      static_cast<void>(solve(example(), 20, options));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  for (const double time : {-1.0, 20.0, 0.5, kInfinity, std::nan("")})
    EXPECT_NE(refusal(at({time})).find("spectrum_at"), std::string::npos) << time;
  for (const int lanczos : {0, 65}) EXPECT_NE(refusal(at({0}, lanczos)).find("lanczos"), std::string::npos) << lanczos;
  EXPECT_EQ(refusal(at({0, 19}, 2)), "accepted");
}

}  // namespace
}  // namespace lindmft
