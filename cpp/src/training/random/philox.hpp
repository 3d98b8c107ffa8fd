// Counter-based random bits: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011). Random numbers have no state: entry i of an array depends only on (seed, array, i), not on the thread or on
// the order of calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lindmft::training {

/// Four 32-bit words, each in a separate 64-bit integer, so that compilers vectorize the products of 64 bits.
struct PhiloxWords {
  std::uint64_t w0, w1, w2, w3;
};

/// The generator: a bijection of 128-bit counters that depends on a key.
inline PhiloxWords philox4x32_10(PhiloxWords counter, std::uint64_t key) {
  constexpr std::uint64_t kLow = 0xFFFFFFFFU;
  std::uint64_t key0 = key & kLow;
  std::uint64_t key1 = key >> 32U;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = 0xD2511F53U * counter.w0;
    const std::uint64_t product1 = 0xCD9E8D57U * counter.w2;
    counter = {(product1 >> 32U) ^ counter.w1 ^ key0, product1 & kLow, (product0 >> 32U) ^ counter.w3 ^ key1,
               product0 & kLow};
    key0 = (key0 + 0x9E3779B9U) & kLow;
    key1 = (key1 + 0xBB67AE85U) & kLow;
  }
  return counter;
}

/// One array of random numbers. The seed is the key and the array's number is a part of the counter, so that streams
/// never overlap. `draw` numbers independent draws of the same array.
struct Stream {
  std::uint64_t seed;
  std::uint32_t array;
  std::uint32_t draw = 0;
};

/// The bits of consecutive counters; each counter gives two words of 64 bits.
struct RandomBits {
  static constexpr std::size_t kCounters = 128;
  alignas(64) std::array<std::uint64_t, kCounters> even;
  alignas(64) std::array<std::uint64_t, kCounters> odd;
};

/// Fills the first `counters` entries of `bits` from counters first, first + 1, ... of the stream.
void draw(Stream stream, std::uint64_t first, std::size_t counters, RandomBits& bits);

}  // namespace lindmft::training
