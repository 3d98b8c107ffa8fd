# Target lindmft_flags: warnings, sanitizers and instruction sets, which belong to everything built here, not to those
# who link it.
if(MSVC)
  message(FATAL_ERROR "lindmft: needs the vector types of GCC and Clang, which this compiler does not have")
endif()
add_library(lindmft_flags INTERFACE)
target_compile_options(
  lindmft_flags
  INTERFACE -Wall
            -Wextra
            -Wconversion
            -Wno-sign-conversion
            -Wshadow
            # GCC 12 warns of overlaps that cannot be (GCC bug 105651)
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            $<$<BOOL:${LINDMFT_WERROR}>:-Werror>
            $<$<BOOL:${LINDMFT_NATIVE}>:-march=native>)
if(LINDMFT_SANITIZE)
  target_compile_options(lindmft_flags INTERFACE -fsanitize=${LINDMFT_SANITIZE} -fno-omit-frame-pointer)
  target_compile_definitions(lindmft_flags INTERFACE LINDMFT_NO_CLONES)
  target_link_options(lindmft_flags INTERFACE -fsanitize=${LINDMFT_SANITIZE})
endif()
if(LINDMFT_FUZZ)
  target_compile_options(lindmft_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
