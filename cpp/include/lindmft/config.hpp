// What this build is and what it runs on.
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
  std::string instruction_set;  ///< of our own kernels, chosen at run time: "x86-64-v4", "x86-64-v3" or "baseline"
  int threads = 1;              ///< the default: allowed physical cores
};

/// Throws std::bad_alloc.
[[nodiscard]] LINDMFT_EXPORT Config config();
/// Of the library; LINDMFT_VERSION in lindmft/version.h is that of the headers. Throws nothing.
[[nodiscard]] LINDMFT_EXPORT const char* version() noexcept;

}  // namespace lindmft
