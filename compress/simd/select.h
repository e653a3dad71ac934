// The largest magnitudes of one tile, and their order. Magnitudes compare as their bits do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compress/layout.h"
#include "compress/simd/ahead.h"

namespace compress::simd {

// Room behind the last number of an array, so that whole vectors may be read and written.
inline constexpr size_t kRoom = 64;

// Magnitudes, as bits, and where they stand; 32 bits each, so that they fit the same lanes.
struct Selection {
  alignas(64) int32_t bits[kTileMax + kRoom];
  alignas(64) int32_t offset[kTileMax + kRoom];  // And in the highest bit the value's sign.
  size_t count = 0;
};

// One tile, row by row; zeros behind its `size` values up to a multiple of 64 at least.
struct TileValues {
  alignas(64) float value[kTileMax + kRoom];
};

// The `keep` largest magnitudes by ascending offset: of equal ones those of lower offset. NaN and
// infinity are a bug (CHECK).
void select(const TileValues& values, size_t size, size_t keep, Ahead& ahead, Selection& out);

// sorted (n): `bits` (n), all of them magnitudes, as fp32 from the largest to the least.
void sort_descending(std::span<const int32_t> bits, Ahead& ahead, std::span<float> sorted);

}  // namespace compress::simd
