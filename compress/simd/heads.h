// The heads of a group's tiles (compress/tile_code.h).
#pragma once

#include <cstdint>
#include <span>

#include "compress/bit_stream.h"

namespace compress::simd {

// What a tile's head says.
struct TileHead {
  uint16_t count = 0;       // 0: a zero tile.
  uint16_t high_count = 0;  // Of its levels; `count` where they were not asked for.
  uint16_t high_code = 0;
  uint8_t ratio = 0;
};

struct HeadCode {
  bool all_whole = false;
  uint32_t high_parameter = 0;
  uint32_t ratio_parameter = 0;
};

// Reads what is there for tiles that keep `count` each, and moves the cursor. False for what is
// never written.
//   levels  moved behind the tiles' levels, to count the high ones; null: not asked for
bool read_heads(const HeadCode& code, BitCursor& in, BitCursor* levels, std::span<TileHead> heads);

}  // namespace compress::simd
