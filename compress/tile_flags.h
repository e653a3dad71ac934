// A flag of each value of a tile.
#pragma once

#include <array>
#include <cstdint>

#include "compress/layout.h"

namespace compress {

// Bit i of word i / 64. The bits behind the last are zero.
using TileFlags = std::array<uint64_t, kTileMax / 64>;

}  // namespace compress
