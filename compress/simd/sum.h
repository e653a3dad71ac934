// The sum of many contributors' tiles, and their mean to memory.
#pragma once

#include <cstdint>
#include <span>

#include "compress/simd/unpack.h"

namespace compress::simd {

// The sum of one tile, row by row, and how many added to each place.
struct TileSum {
  alignas(64) float value[kTileMax + kRoom];
  alignas(64) uint16_t senders[kTileMax + kRoom];
};

// One contributor's values of a tile.
struct SentTile {
  TileStreams* from = nullptr;
  uint32_t count = 0;  // 0: nothing is read.
  bool two_levels = false;
  float value[4] = {};  // What is added for a low and for a high one, and if they are negative.
};

// The mean of a tile that was summed, on its way to memory. What it takes from the sum is zero
// again.
struct MeanRows {
  TileSum* sum = nullptr;  // Null: there is none.
  float* to = nullptr;     // Where the tile begins.
  uint32_t rows = 0;
  uint32_t cols = 0;
  uint64_t stride = 0;            // Of rows in memory.
  float share = 1;                // What sums are multiplied by,
  const float* shares = nullptr;  //   or, if not null, what for so many senders.
  uint32_t written = 0;           // Rows that were.
};

// Writes rows until `rows` are. They go past the caches where they are whole lines; what was
// written before, too, is at hand for other threads afterwards.
void write_mean(MeanRows& mean, uint32_t rows);

// Adds each contributor's values, of tiles of `size` values, in the order of `sent` and of their
// offsets. Between contributors writes its part of `mean`, another sum's: memory takes its time.
// Returns the first who is refused (compress/simd/unpack.h), whose values may be there in part; or
// how many there are.
size_t add_tiles(uint32_t size, const GapCode& gaps, std::span<const SentTile> sent,
                 bool count_senders, TileSum& sum, MeanRows& mean);

}  // namespace compress::simd
