#include "training/random/philox.hpp"

#include "support/platform.hpp"

namespace lindmft::training {

LINDMFT_CLONES void draw(Stream stream, std::uint64_t first, std::size_t counters, RandomBits& bits) {
  for (std::size_t i = 0; i < counters; ++i) {
    const std::uint64_t counter = first + i;
    const PhiloxWords words =
        philox4x32_10({counter & 0xFFFFFFFFU, counter >> 32U, stream.array, stream.draw}, stream.seed);
    bits.even[i] = words.w1 << 32U | words.w0;
    bits.odd[i] = words.w3 << 32U | words.w2;
  }
}

}  // namespace lindmft::training
