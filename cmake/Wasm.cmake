# WebAssembly, by Emscripten (emcmake cmake ...): flags that every source and the link need, and a CBLAS, which
# Emscripten lacks. old_libcxx.hpp has the functions that the C++ library of Debian's Emscripten lacks.
set(LINDMFT_WASM_DIR ${CMAKE_CURRENT_SOURCE_DIR}/cpp/wasm)
# The most that a module may take: its addresses have 32 bits.
set(LINDMFT_WASM_BYTES 4294967296)
target_compile_options(lindmft_flags INTERFACE -msimd128 -fwasm-exceptions
                                               "SHELL:-include ${LINDMFT_WASM_DIR}/old_libcxx.hpp")
target_compile_definitions(lindmft_flags INTERFACE LINDMFT_WASM_BYTES=${LINDMFT_WASM_BYTES}.0)
target_link_options(lindmft_flags INTERFACE -O3 -msimd128 -fwasm-exceptions)
add_library(lindmft_cblas INTERFACE)
target_include_directories(lindmft_cblas INTERFACE ${LINDMFT_WASM_DIR})
