// Ascending offsets of a tile to gaps in Rice code (compress/rice.h), and back.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "compress/bit_stream.h"
#include "compress/layout.h"
#include "compress/simd/select.h"

namespace compress::simd {

// Writes the gaps between `offset` (n >= 1, ascending), and before the first: their quotients in
// unary to one stream, their remainders to another. Returns the parameter, which is the one that
// takes the fewest bits, the lowest of several.
uint32_t write_gaps(std::span<const int32_t> offset, BitWriter& remainders, BitWriter& quotients);

// What a stranger wrote.
struct GapCode {
  uint32_t count = 0;      // 1 to `tile_size`.
  uint32_t parameter = 0;  // 0 to kRiceMax.
  uint32_t tile_size = 0;  // At most kTileMax.
};

// Where the stop bits of a tile's quotients stand, counted from the first quotient; before them is
// -1, and there is room for a word's more behind.
class StopBits {
 public:
  StopBits() { room_[kRoom - 1] = -1; }
  int32_t* place() { return room_.data() + kRoom; }
  const int32_t* place() const { return room_.data() + kRoom; }

 private:
  alignas(64) std::array<int32_t, kRoom + kTileMax + 2 * kRoom> room_;
};

// Reading takes two steps: what the first writes to memory is not at hand for a while, and another
// tile's first step may stand between.

// Moves the cursor behind the quotients; false if they end early or are more than the tile allows.
bool read_stop_bits(const GapCode& code, BitCursor& quotients, StopBits& stops);

// step (count): each offset less the one before; before the first is -1. False if an offset lies
// beyond the tile or the parameter is not the one that `write_gaps` finds.
//   remainders  where the tile's begin; they are there
bool read_steps(const GapCode& code, const BitCursor& remainders, const StopBits& stops,
                std::span<int32_t, kTileMax + kRoom> step);

}  // namespace compress::simd
