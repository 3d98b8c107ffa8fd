// The random arrays of one seed, by the number of their stream. The numbers define the results of a seed: do not change
// them.
//
// A number has 32 bits: 14 for the kind of array, 8 for the replica (of the initialization or of the data, whichever
// the array belongs to) and 10 for the output. A single network with one output draws the arrays of replica 0 and
// output 0.
#pragma once

#include <cstdint>

namespace lindmft::training {

inline constexpr std::uint32_t kTargetArray = 0;  ///< D          signs of a channel's modes; one per output
inline constexpr std::uint32_t kInputArray = 1;   ///< P x D      white inputs; one pass: steps x B x D
inline constexpr std::uint32_t kNoiseArray = 2;   ///< P          label noise; one pass: steps x B; one per output
inline constexpr std::uint32_t kSelectionArray =
    3;  ///< steps x P  selects the samples of a multi-pass step; epochs x P: their order
inline constexpr std::uint32_t kProbeArray = 4;         ///< D          direction that probes the kernel
inline constexpr std::uint32_t kSpectrumArray = 5;      ///< D          start vector for the spectrum of the Hessian
inline constexpr std::uint32_t kSecondTargetArray = 6;  ///< D          order of the signs of a second target
inline constexpr std::uint32_t kFirstWeightArray = 16;  ///< + l: weight array l = 0 .. L; for l = L one per output

// Layout of a number, and the limits that follow from it.
inline constexpr int kReplicaShift = 14;
inline constexpr int kOutputShift = 22;
inline constexpr int kLargestDepth = (1 << kReplicaShift) - 1 - static_cast<int>(kFirstWeightArray);
inline constexpr int kMostReplicas = 1 << (kOutputShift - kReplicaShift);
inline constexpr int kMostOutputs = 1 << (32 - kOutputShift);

/// The stream of an array of replica `replica` and output `output`.
constexpr std::uint32_t array_of(std::uint32_t array, int replica, int output = 0) {
  return array + (static_cast<std::uint32_t>(replica) << kReplicaShift) +
         (static_cast<std::uint32_t>(output) << kOutputShift);
}

}  // namespace lindmft::training
