// What this machine can do at most, measured: the limits that computations are held against.
#pragma once

#include <string>

#include "lindmft/export.h"
#include "lindmft/progress.hpp"

namespace lindmft {

/// On one thread, and on all of them at once.
struct Rates {
  double one = 0.0;
  double all = 0.0;
};

/// Each is the best of at least five repetitions, as is customary for limits: whatever else runs only slows them down.
struct MachineLimits {
  Rates gemm;                   ///< operations a second: products of 1024 x 1024 matrices, a product a thread
  Rates triad;                  ///< bytes a second: a = b + s c on long arrays, 24 bytes an entry
  Rates update;                 ///< bytes a second: a = s a in place, 16 bytes an entry
  Rates read;                   ///< bytes a second: the sum of a, 8 bytes an entry
  double array_bytes = 0.0;     ///< size of each of the three long arrays
  int threads = 1;              ///< of `all`
  int cores = 1;                ///< physical ones that this process may use
  std::string blas;             ///< the BLAS library, with the kernels it chose
  std::string instruction_set;  ///< of our own kernels
};

/// Measures for about `seconds`, longer if five repetitions take longer; threads = 0: the allowed physical cores. The
/// arrays have four times the last-level caches, at least 64 MiB, and together at most a quarter of the free memory.
/// Throws std::invalid_argument for bad threads and for seconds that are not positive and finite, MemoryLimit, and
/// Interrupted: progress(0, 1) is asked between repetitions.
[[nodiscard]] LINDMFT_EXPORT MachineLimits machine_limits(int threads = 0, double seconds = 2.0,
                                                          const Progress& progress = {});

/// Free memory in bytes, reclaimable cache included: that of the machine, or what is left of a limit on the process
/// (ulimit -v) or on a control group it is in (containers, batch systems). Infinity where the system does not say.
/// Throws std::bad_alloc.
[[nodiscard]] LINDMFT_EXPORT double free_memory();

}  // namespace lindmft
