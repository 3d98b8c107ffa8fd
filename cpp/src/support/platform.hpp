// The only file of the core that depends on the operating system, the processor or the compiler. Where a system does
// not report a limit, a function here returns the value that limits nothing.
#pragma once

#include <cstddef>  // defines __GLIBC__ where the C library is GNU's

// Run-time dispatch for our kernels: the portable binary has a clone of each for every instruction set. It needs GCC,
// an x86-64 processor, and a loader that chooses functions (GNU's C library on Linux). Not with sanitizers: they
// instrument the function that chooses, which runs before their run-time library is ready. Not with clang: clones of
// templates end the program (clang 19), other files cannot call clones (14), and clones cannot call functions that
// return vectors.
#if defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(LINDMFT_NO_CLONES)
#define LINDMFT_HAS_CLONES
#define LINDMFT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define LINDMFT_WIDE __attribute__((target("arch=x86-64-v4")))
#else
#define LINDMFT_CLONES
#define LINDMFT_WIDE
#endif

namespace lindmft::support {

/// The instruction set of the clones that this processor uses: "x86-64-v4", "x86-64-v3" or "baseline".
const char* instruction_set();

/// Bytes that the system can give to programs; infinity where it does not say.
double left_on_machine();

/// Bytes left below the limit on addresses (ulimit -v); infinity without one.
double left_of_addresses();

/// Returns free parts of the heap to the system. Without this, small results that stay alive can keep large freed
/// blocks between them from being returned. Other C libraries than GNU's do it by themselves or not at all.
void trim_heap();

/// Physical cores of the processors that the system lets this process run on; on a Mac those of the fast kind.
int cores_of_affinity();

/// Bytes of all last-level caches of the machine; 0 where the system does not say.
double last_level_caches();

/// Calls `handler` in every child that fork() makes, on systems that have fork().
void after_fork(void (*handler)());

}  // namespace lindmft::support
