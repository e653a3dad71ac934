// The bits of one tile.
//
//    4  Rice parameter r, 0 to 11;
//       or kPartialTile, then 12 bits of n, then r in 4 bits;
//       or kZeroTile, and nothing follows
//   16  high magnitude
//    8  ratio of the low one (compress/two_levels.h)
//       offsets, ascending, row by row: gap to the one before less one, Rice coded
//  1 n  signs, 1: negative
//  1 n  levels, 1: high; not there if ratio is 0, for then all are high
//
// n is the tile's `keep`; less only if so few values of the tile are not zero. No value is zero.
// Everything is canonical: r is the best, n in a partial tile below `keep`, and with a ratio both
// levels occur.
#pragma once

#include <cstdint>
#include <vector>

#include "compress/bit_stream.h"
#include "compress/layout.h"
#include "compress/two_levels.h"

namespace compress {

inline constexpr uint32_t kPartialTile = 14;
inline constexpr uint32_t kZeroTile = 15;

// One tile, quantised. Kept between tiles so that its memory is.
struct CodedTile {
  std::vector<uint16_t> offset;   // Ascending; row * cols + col in the tile.
  std::vector<uint8_t> negative;  // 0 or 1, as is
  std::vector<uint8_t> high;      //   this.
  TwoLevels levels;               // count == offset.size(); high_count is the sum of `high`.
  std::vector<uint16_t> gap;      // Scratch.
};

void write_tile(BitWriter& out, CodedTile& coded, const Tile& tile);

// False if the next bits are not what `write_tile` writes for any tile of this shape; `coded` is
// anything then.
bool read_tile(BitReader& in, const Tile& tile, CodedTile& coded);

// No tile of this shape takes more; the least is 4, of a zero tile.
uint64_t tile_bits_max(const Tile& tile);
inline constexpr uint64_t kTileBitsMin = 4;

}  // namespace compress
