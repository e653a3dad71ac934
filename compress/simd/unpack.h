// The bits of a tile to offsets, signs and levels (compress/tile_code.h).
#pragma once

#include <array>
#include <cstdint>

#include "compress/bit_stream.h"
#include "compress/golomb.h"
#include "compress/simd/select.h"
#include "compress/tile_flags.h"

namespace compress::simd {

// Where the next tile's bits are.
struct TileStreams {
  BitCursor levels;
  BitCursor values;
};

struct PackedTile {
  uint32_t count = 0;  // 1 to `size`.
  uint32_t size = 0;   // At most kTileMax.
  bool two_levels = false;
  GapCode gaps;
};

struct UnpackedTile {
  alignas(64) std::array<uint16_t, kTileMax + kRoom> offset;  // Ascending.
  TileFlags negative;
  TileFlags high;
};

// Moves the cursors behind the tile. False for what is never written: offsets beyond the tile, two
// levels of which one does not occur, a flag of a value that is not there, streams that end early.
bool unpack(const PackedTile& tile, TileStreams& from, UnpackedTile& to);

}  // namespace compress::simd
