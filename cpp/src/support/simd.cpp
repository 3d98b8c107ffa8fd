#include "support/simd.hpp"

namespace lindmft::support {

const char* instruction_set() {
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(LINDMFT_NO_CLONES)
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "baseline";
}

}  // namespace lindmft::support
