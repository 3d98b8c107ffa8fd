// A description of this build and of the machine that it runs on.
#pragma once

#include <string>

#include "lindmft/export.h"

namespace lindmft {

struct Config {
  std::string version;
  std::string compiler;
  std::string build_type;
  std::string blas;             ///< the BLAS library's own description, with the kernels it chose
  std::string openmp;           ///< version of the OpenMP run-time, or "off"
  std::string instruction_set;  ///< the one that our kernels use here: "x86-64-v4", "x86-64-v3" or "baseline"
  int cores = 1;                ///< physical cores that this process may use (affinity, CPU quota)
  int threads = 1;              ///< the default of `threads`: LINDMFT_NUM_THREADS if it is set, else `cores`
};

/// Throws std::bad_alloc, and std::invalid_argument if LINDMFT_NUM_THREADS is not a number of threads.
[[nodiscard]] LINDMFT_EXPORT Config config();
/// The version of the library. LINDMFT_VERSION in lindmft/version.h is the version of the headers.
[[nodiscard]] LINDMFT_EXPORT const char* version() noexcept;

}  // namespace lindmft
