// From the values of a tile to what is sent of them.
#pragma once

#include <array>
#include <cstdint>

#include "compress/simd/select.h"
#include "compress/tile_code.h"

namespace compress {

// Takes a tile's `keep` largest magnitudes to signs and two levels (compress/two_levels.h). Large,
// for it holds its scratch: made once, used for every tile.
class Quantiser {
 public:
  // Of the tile's first `size` values, finite (CHECK).
  // Meanwhile asks for what is `ahead`.
  const CodedTile& quantise(const simd::TileValues& values, uint32_t size, uint32_t keep,
                            simd::Ahead& ahead);

 private:
  simd::Selection selection_;
  std::array<float, kTileMax> sorted_;  // Magnitudes, descending.
  CodedTile coded_;
};

}  // namespace compress
