// The random arrays of one seed, by the number of their stream. The numbers are part of what a seed means: do not
// change them.
//
// A number has 32 bits: 14 for the kind of array, 8 for the replica (of the initialization or of the data, whichever
// the array belongs to) and 10 for the output. Replica 0 and output 0 are what a plain network of one output draws.
#pragma once

#include <cstdint>

namespace lindmft::training {

inline constexpr std::uint32_t kTargetArray = 0;        ///< D          signs of a channel's modes; one an output
inline constexpr std::uint32_t kInputArray = 1;         ///< P x D      white inputs; one pass: steps x B x D
inline constexpr std::uint32_t kNoiseArray = 2;         ///< P          label noise, one an output; steps x B
inline constexpr std::uint32_t kSelectionArray = 3;     ///< steps x P  which samples a multi-pass step keeps
inline constexpr std::uint32_t kProbeArray = 4;         ///< D          direction that probes the kernel
inline constexpr std::uint32_t kFirstWeightArray = 16;  ///< + l: weight array l = 0 .. L; the last one an output

inline constexpr int kReplicaShift = 14;
inline constexpr int kOutputShift = 22;
inline constexpr int kLargestDepth = (1 << kReplicaShift) - 1 - static_cast<int>(kFirstWeightArray);
inline constexpr int kMostReplicas = 1 << (kOutputShift - kReplicaShift);
inline constexpr int kMostOutputs = 1 << (32 - kOutputShift);

/// The stream of an array that replica `replica` and output `output` have of their own.
constexpr std::uint32_t array_of(std::uint32_t array, int replica, int output = 0) {
  return array + (static_cast<std::uint32_t>(replica) << kReplicaShift) +
         (static_cast<std::uint32_t>(output) << kOutputShift);
}

}  // namespace lindmft::training
