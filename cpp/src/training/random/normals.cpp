#include "training/random/normals.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "support/interruption.hpp"
#include "support/platform.hpp"

namespace lindmft::training {
namespace {

constexpr std::size_t kBlock = 2 * RandomBits::kCounters;  // each counter gives two numbers
// Approximate number of floating-point operations that a random number costs.
constexpr double kOperations = 10.0;

// The functions inlined into the clones below are written so that loops over them vectorize: no branches, and no calls
// except sqrt, which is a single instruction if it need not set errno (-fno-math-errno; without it the loops are four
// times slower).

constexpr std::uint64_t kSignBit = 0x8000000000000000U;

/// A number in [1, 2) whose mantissa is the first 52 bits.
inline double one_to_two(std::uint64_t bits) { return std::bit_cast<double>(bits >> 12U | 0x3FF0000000000000U); }

inline double with_sign(double x, std::uint64_t sign_bit) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) ^ (sign_bit & kSignBit));
}

template <std::size_t N>
inline double horner(const std::array<double, N>& coefficients, double x) {
  double sum = coefficients[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

/// Coefficients of (-1)^k x^(2k) / (2k + offset)!, the Taylor series of cos x (offset 0) and sin x / x (offset 1).
template <std::size_t N>
constexpr std::array<double, N> alternating_series(int offset) {
  std::array<double, N> c{};
  c[0] = 1.0;
  for (std::size_t k = 1; k < N; ++k) {
    const double n = 2.0 * static_cast<double>(k) + offset;
    c[k] = -c[k - 1] / (n * (n - 1.0));
  }
  return c;
}

/// Coefficients of x^(2k) / (2k + 1), the series of atanh x / x.
template <std::size_t N>
constexpr std::array<double, N> atanh_series() {
  std::array<double, N> c{};
  for (std::size_t k = 0; k < N; ++k) c[k] = 1.0 / (2.0 * static_cast<double>(k) + 1.0);
  return c;
}

// The series are long enough to be accurate to the last bit for the arguments used: |x| <= pi/4, and |x| <= (sqrt(2) -
// 1) / (sqrt(2) + 1).
constexpr auto kCosine = alternating_series<9>(0);
constexpr auto kSine = alternating_series<8>(1);
constexpr auto kAtanh = atanh_series<10>();

/// -log(x) for x in (0, 1]: x = m / 2^k with m in [sqrt(1/2), sqrt(2)), and log m = 2 atanh((m - 1) / (m + 1)).
inline double minus_log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t exponent = (bits - std::bit_cast<std::uint64_t>(std::numbers::sqrt2 / 2.0)) & 0xFFF0000000000000U;
  const auto m = std::bit_cast<double>(bits - exponent);
  constexpr double kTwo52 = 4503599627370496.0;  // adding a small integer to it changes the last bits of its mantissa
  const double k = std::bit_cast<double>((0U - exponent) >> 52U | std::bit_cast<std::uint64_t>(kTwo52)) - kTwo52;
  const double s = (m - 1.0) / (m + 1.0);
  return k * std::numbers::ln2 - 2.0 * s * horner(kAtanh, s * s);
}

/// Box and Muller's transformation, with the angle drawn as two random signs and a uniform in the first quadrant.
/// Measured from the quadrant's middle, phi in [-pi/4, pi/4), cosine and sine of the angle are (cos phi -+ sin phi) /
/// sqrt(2).
LINDMFT_CLONES void box_muller(const RandomBits& bits, std::size_t counters, double* out) {
  for (std::size_t i = 0; i < counters; ++i) {
    const double radius = std::sqrt(minus_log(2.0 - one_to_two(bits.even[i])));  // the radius divided by sqrt(2)
    const std::uint64_t angle = bits.odd[i];
    const double phi = (one_to_two(angle << 2U) - 1.5) * (std::numbers::pi / 2.0);
    const double cosine = horner(kCosine, phi * phi);
    const double sine = phi * horner(kSine, phi * phi);
    out[2 * i] = with_sign(radius * (cosine - sine), angle);
    out[2 * i + 1] = with_sign(radius * (cosine + sine), angle << 1U);
  }
}

LINDMFT_CLONES void unit_interval(const RandomBits& bits, std::size_t counters, double* out) {
  for (std::size_t i = 0; i < counters; ++i) {
    out[2 * i] = one_to_two(bits.even[i]) - 1.0;
    out[2 * i + 1] = one_to_two(bits.odd[i]) - 1.0;
  }
}

/// Fills `out` with the transformed bits of [first, first + size), in blocks that start at whole counters.
template <class T, class Transform>
void fill(Stream stream, std::uint64_t first, std::span<T> out, Transform transform) {
  RandomBits bits;
  std::array<double, kBlock> block;
  while (!out.empty()) {
    const auto skip = static_cast<std::size_t>(first % 2);
    const std::size_t count = std::min(out.size(), block.size() - skip);
    const std::size_t counters = (skip + count + 1) / 2;
    support::interruption_point(kOperations * static_cast<double>(count));
    draw(stream, first / 2, counters, bits);
    transform(bits, counters, block.data());
    std::transform(block.data() + skip, block.data() + skip + count, out.data(),
                   [](double x) { return static_cast<T>(x); });
    out = out.subspan(count);
    first += count;
  }
}

}  // namespace

void fill_normals(Stream stream, std::uint64_t first, std::span<double> out) { fill(stream, first, out, box_muller); }
void fill_normals(Stream stream, std::uint64_t first, std::span<float> out) { fill(stream, first, out, box_muller); }

void fill_uniforms(Stream stream, std::uint64_t first, std::span<double> out) {
  fill(stream, first, out, unit_interval);
}
void fill_uniforms(Stream stream, std::uint64_t first, std::span<float> out) {
  fill(stream, first, out, unit_interval);
}

}  // namespace lindmft::training
