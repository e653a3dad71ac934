// The sum of many contributors' tiles, a tile at a time.
#pragma once

#include <cstdint>

#include "compress/layout.h"
#include "compress/simd/ahead.h"
#include "compress/simd/select.h"

namespace compress::simd {

// The sum of one tile, row by row, and how many added to each place.
struct TileSum {
  alignas(64) float value[kTileMax + kRoom];
  alignas(64) uint16_t senders[kTileMax + kRoom];
};

// One contributor's values of a tile.
struct SentTile {
  uint32_t count = 0;
  const int32_t* step = nullptr;  // Each offset less the one before; before the first is -1.
  // Bit i of word i / 64: of value i.
  const uint64_t* high = nullptr;
  const uint64_t* negative = nullptr;
  // What is added: for a low and for a high one.
  float low_value = 0;
  float high_value = 0;
};

// Adds them in the order of their offsets, all of which are in the tile.
void add_sent(const SentTile& sent, bool count_senders, TileSum& sum);

// to = factor * sum, and the sum is zero again, of some rows of a tile.
//   sum  `rows` runs of `cols` values, one after the other      to   the same, `stride` apart
void take_sum(float factor, uint32_t rows, uint32_t cols, uint64_t stride, float* sum, float* to);

// to = factor[senders] * sum of each place, and both are zero again.
void take_sum_by_senders(const float* factor, uint32_t rows, uint32_t cols, uint64_t stride,
                         float* sum, uint16_t* senders, float* to);

}  // namespace compress::simd
