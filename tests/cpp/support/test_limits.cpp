// The limits of the machine: no time is asserted, only that the rates are consistent.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "lindmft/config.hpp"
#include "lindmft/limits.hpp"

namespace lindmft {
namespace {

constexpr double kShort = 1e-3;

void expect_sensible(const Rates& rates, int threads, const char* name) {
  SCOPED_TRACE(name);
  for (const double rate : {rates.one, rates.all}) {
    EXPECT_TRUE(std::isfinite(rate));
    EXPECT_GT(rate, 1e6);   // far below the rate of any machine
    EXPECT_LT(rate, 1e15);  // far above the rate of any machine
  }
  // A factor of ten, because other programs may have used the core of the single thread.
  EXPECT_LT(rates.all, 10.0 * threads * rates.one);
}

TEST(MachineLimits, ArePositiveAndHangTogether) {
  const MachineLimits limits = machine_limits(2, kShort);
  const int threads = config().openmp == "off" ? 1 : 2;
  EXPECT_EQ(limits.threads, threads);
  expect_sensible(limits.gemm, threads, "gemm");
  expect_sensible(limits.triad, threads, "triad");
  expect_sensible(limits.update, threads, "update");
  expect_sensible(limits.read, threads, "read");
  EXPECT_GT(limits.array_bytes, 0.0);
  EXPECT_GE(limits.cores, 1);
  EXPECT_EQ(limits.blas, config().blas);
  EXPECT_EQ(limits.instruction_set, config().instruction_set);
}

TEST(MachineLimits, OnOneThreadAllIsOne) {
  const MachineLimits limits = machine_limits(1, kShort);
  EXPECT_EQ(limits.threads, 1);
  EXPECT_EQ(limits.gemm.one, limits.gemm.all);
  EXPECT_EQ(limits.triad.one, limits.triad.all);
  EXPECT_EQ(limits.update.one, limits.update.all);
  EXPECT_EQ(limits.read.one, limits.read.all);
}

TEST(MachineLimits, RefuseWhatCannotBe) {
  for (const double seconds : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    EXPECT_THROW(static_cast<void>(machine_limits(1, seconds)), std::invalid_argument) << seconds;
  EXPECT_THROW(static_cast<void>(machine_limits(-1, kShort)), std::invalid_argument);
}

}  // namespace
}  // namespace lindmft
