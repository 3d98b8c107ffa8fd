// Random numbers by position: entry i of a stream does not depend on how the stream is divided into calls.
#pragma once

#include <cstdint>
#include <span>

#include "training/random/philox.hpp"

namespace lindmft::training {

/// Fills `out` with entries first, first + 1, ... of the stream's standard normal numbers.
void fill_normals(Stream stream, std::uint64_t first, std::span<double> out);
/// The same numbers, rounded to single precision.
void fill_normals(Stream stream, std::uint64_t first, std::span<float> out);

/// Fills `out` with entries of the stream's uniform numbers on [0, 1).
void fill_uniforms(Stream stream, std::uint64_t first, std::span<double> out);
void fill_uniforms(Stream stream, std::uint64_t first, std::span<float> out);

}  // namespace lindmft::training
