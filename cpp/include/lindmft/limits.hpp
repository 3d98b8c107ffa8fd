// Measured limits of this machine, with which the speed of computations is compared.
#pragma once

#include <string>

#include "lindmft/export.h"
#include "lindmft/progress.hpp"

namespace lindmft {

/// A rate on one thread, and on all threads at once.
struct Rates {
  double one = 0.0;
  double all = 0.0;
};

/// Each rate is the best of at least five repetitions, as is usual for limits: other work on the machine can only slow
/// a repetition down.
struct MachineLimits {
  Rates gemm;                   ///< operations per second: products of 1024 x 1024 matrices, one product on each thread
  Rates triad;                  ///< bytes per second: a = b + s c on long arrays, 24 bytes per entry
  Rates update;                 ///< bytes per second: a = s a in place, 16 bytes per entry
  Rates read;                   ///< bytes per second: the sum of a, 8 bytes per entry
  double array_bytes = 0.0;     ///< size of each of the three long arrays
  int threads = 1;              ///< number of threads in `all`
  int cores = 1;                ///< physical cores that this process may use (affinity, CPU quota)
  std::string blas;             ///< the BLAS library, with the kernels that it chose
  std::string instruction_set;  ///< the one that our kernels use
};

/// Measures the limits for about `seconds`, longer if five repetitions take longer. threads = 0 is the default
/// (`Config::threads`). Each array is four times as large as all last-level caches, at least 64 MiB; all arrays
/// together take at most a quarter of the free memory. progress(0, 1) is called between repetitions and can stop the
/// measurement. Throws BadInput for bad threads and for seconds that are not positive and finite,
/// MemoryLimit, and Interrupted.
[[nodiscard]] LINDMFT_EXPORT MachineLimits machine_limits(int threads = 0, double seconds = 2.0,
                                                          const Progress& progress = {});

/// Free memory in bytes, including cached files that the system can drop: of the machine, or, if that is less, below a
/// limit on the process (ulimit -v) or on one of its control groups (containers, batch systems). Infinity if the system
/// does not tell.
/// Throws std::bad_alloc.
[[nodiscard]] LINDMFT_EXPORT double free_memory();

}  // namespace lindmft
