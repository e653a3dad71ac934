// How many bits the numbers in a group's heads have (compress/tile_code.h).
#pragma once

#include <cstdint>

namespace compress {

// Of a group's head,
inline constexpr uint32_t kLevelSizeBits = 32;
inline constexpr uint32_t kHighRiceBits = 4;
inline constexpr uint32_t kRatioRiceBits = 3;
inline constexpr uint32_t kGroupHeadBits = kLevelSizeBits + 1 + kHighRiceBits + kRatioRiceBits;
// and of a tile's, the count of a partial one.
inline constexpr uint32_t kCountBits = 12;

}  // namespace compress
