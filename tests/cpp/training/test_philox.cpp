// The random numbers of training: the published generator, and normal numbers by position.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "training/random/normals.hpp"
#include "training/random/philox.hpp"

namespace lindmft::training {
namespace {

constexpr std::size_t kMany = 200000;
constexpr Stream kStream{.seed = 0x123456789ABCDEFU, .array = 5};

std::vector<double> normals(Stream stream, std::uint64_t first, std::size_t count) {
  std::vector<double> out(count);
  fill_normals(stream, first, out);
  return out;
}

double moment(std::span<const double> x, int power) {
  double sum = 0.0;
  for (const double value : x) sum += std::pow(value, power);
  return sum / static_cast<double>(x.size());
}

void expect_words(const PhiloxWords& words, std::uint64_t w0, std::uint64_t w1, std::uint64_t w2, std::uint64_t w3) {
  EXPECT_EQ(words.w0, w0);
  EXPECT_EQ(words.w1, w1);
  EXPECT_EQ(words.w2, w2);
  EXPECT_EQ(words.w3, w3);
}

// The test vectors that the authors distribute with Random123 (kat_vectors).
TEST(Philox, KnownAnswers) {
  expect_words(philox4x32_10({0, 0, 0, 0}, 0), 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
  expect_words(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff), 0x408f276d,
               0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
  expect_words(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822), 0xd16cfe09,
               0x94fdcceb, 0x5001e420, 0x24126ea1);
}

TEST(Philox, DrawIsTheGeneratorCounterByCounter) {
  RandomBits bits;
  constexpr std::uint64_t kFirst = 0xFFFFFFFE;  // the counter carries into its second word
  draw(kStream, kFirst, 5, bits);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const PhiloxWords words =
        philox4x32_10({(kFirst + i) & 0xFFFFFFFF, (kFirst + i) >> 32, kStream.array, 0}, kStream.seed);
    EXPECT_EQ(bits.even[i], words.w1 << 32 | words.w0);
    EXPECT_EQ(bits.odd[i], words.w3 << 32 | words.w2);
  }
}

TEST(Normals, AreBoxMullerOfTheBits) {
  RandomBits bits;
  draw(kStream, 0, RandomBits::kCounters, bits);
  const std::vector<double> z = normals(kStream, 0, 2 * RandomBits::kCounters);
  for (std::size_t i = 0; i < RandomBits::kCounters; ++i) {
    const double uniform = 1.0 - std::ldexp(static_cast<double>(bits.even[i] >> 12), -52);
    const double radius = std::sqrt(-2.0 * std::log(uniform));
    const double angle = std::numbers::pi / 2.0 * std::ldexp(static_cast<double>((bits.odd[i] << 2) >> 12), -52);
    EXPECT_NEAR(std::abs(z[2 * i]), radius * std::cos(angle), 4e-15);
    EXPECT_NEAR(std::abs(z[2 * i + 1]), radius * std::sin(angle), 4e-15);
    EXPECT_EQ(std::signbit(z[2 * i]), bits.odd[i] >> 63 == 1);
    EXPECT_EQ(std::signbit(z[2 * i + 1]), (bits.odd[i] >> 62 & 1) == 1);
  }
}

TEST(Normals, HaveTheMomentsOfAGaussian) {
  const std::vector<double> z = normals(kStream, 0, kMany);
  const double error = 1.0 / std::sqrt(static_cast<double>(kMany));
  EXPECT_NEAR(moment(z, 1), 0.0, 4.0 * error);
  EXPECT_NEAR(moment(z, 2), 1.0, 4.0 * error * std::sqrt(2.0));
  EXPECT_NEAR(moment(z, 3), 0.0, 4.0 * error * std::sqrt(15.0));
  EXPECT_NEAR(moment(z, 4), 3.0, 4.0 * error * std::sqrt(96.0));
}

/// Kolmogorov's distance to the normal distribution, in units of 1 / sqrt(n): above 1.95 for one in a thousand samples.
TEST(Normals, HaveTheDistributionOfAGaussian) {
  std::vector<double> z = normals(kStream, 0, kMany);
  std::ranges::sort(z);
  double distance = 0.0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double empirical = (static_cast<double>(i) + 0.5) / static_cast<double>(kMany);
    distance = std::max(distance, std::abs(empirical - 0.5 * std::erfc(-z[i] / std::numbers::sqrt2)));
  }
  EXPECT_LT(distance * std::sqrt(static_cast<double>(kMany)), 1.95);
}

TEST(Normals, DoNotDependOnHowTheStreamIsCut) {
  const std::vector<double> whole = normals(kStream, 0, 1001);
  for (const std::size_t first : {0U, 1U, 2U, 255U, 256U, 700U}) {
    const std::vector<double> part = normals(kStream, first, 301);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)))
        << "from " << first;
  }
}

TEST(Normals, OfDifferentStreamsAreUncorrelated) {
  const std::vector<double> z = normals(kStream, 0, kMany);
  for (const Stream other :
       {Stream{kStream.seed + 1, kStream.array}, Stream{kStream.seed, kStream.array + 1}, Stream{0, 0}}) {
    const std::vector<double> y = normals(other, 0, kMany);
    double product = 0.0;
    for (std::size_t i = 0; i < kMany; ++i) product += z[i] * y[i];
    EXPECT_LT(std::abs(product), 4.0 * std::sqrt(static_cast<double>(kMany)));
  }
}

TEST(Uniforms, FillTheUnitInterval) {
  std::vector<double> x(kMany);
  fill_uniforms(kStream, 3, x);
  EXPECT_GE(*std::ranges::min_element(x), 0.0);
  EXPECT_LT(*std::ranges::max_element(x), 1.0);
  const double error = 1.0 / std::sqrt(static_cast<double>(kMany));
  EXPECT_NEAR(moment(x, 1), 1.0 / 2.0, 4.0 * error * std::sqrt(1.0 / 12.0));
  EXPECT_NEAR(moment(x, 2), 1.0 / 3.0, 4.0 * error * std::sqrt(4.0 / 45.0));
}

}  // namespace
}  // namespace lindmft::training
