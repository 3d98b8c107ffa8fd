// Run-time dispatch for our kernels: the portable binary has a clone of each for every instruction set.
#pragma once

// Not with sanitizers: they instrument the resolver, which runs before their run-time library is ready.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(LINDMFT_NO_CLONES)
#define LINDMFT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LINDMFT_CLONES
#endif

namespace lindmft::support {

/// The instruction set of the clones that this processor uses: "x86-64-v4", "x86-64-v3" or "baseline".
const char* instruction_set();

}  // namespace lindmft::support
