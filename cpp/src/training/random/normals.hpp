// Random numbers by position: entry i of a stream is the same however the stream is cut into calls.
#pragma once

#include <cstdint>
#include <span>

#include "training/random/philox.hpp"

namespace lindmft::training {

/// Entries first, first + 1, ... of the stream's standard normals.
void fill_normals(Stream stream, std::uint64_t first, std::span<double> out);
/// The same numbers, rounded
void fill_normals(Stream stream, std::uint64_t first, std::span<float> out);

/// Entries of the stream's uniforms on [0, 1).
void fill_uniforms(Stream stream, std::uint64_t first, std::span<double> out);
void fill_uniforms(Stream stream, std::uint64_t first, std::span<float> out);

}  // namespace lindmft::training
