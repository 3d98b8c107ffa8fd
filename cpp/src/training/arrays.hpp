// The random arrays of one seed, by the number of their stream. The numbers are part of what a seed means: do not
// change them.
#pragma once

#include <cstdint>

namespace lindmft::training {

inline constexpr std::uint32_t kTargetArray = 0;        ///< D          signs of the target's modes
inline constexpr std::uint32_t kInputArray = 1;         ///< P x D      white inputs; one pass: steps x B x D
inline constexpr std::uint32_t kNoiseArray = 2;         ///< P          label noise; one pass: steps x B
inline constexpr std::uint32_t kSelectionArray = 3;     ///< steps x P  which samples a multi-pass step keeps
inline constexpr std::uint32_t kFirstWeightArray = 16;  ///< + l: weight array l = 0 .. L

}  // namespace lindmft::training
