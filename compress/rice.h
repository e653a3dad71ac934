// Rice codes for the gaps between sorted offsets: gap >> r in unary, then its low r bits.
//
// The parameter r is not a choice: it is the one that takes the fewest bits, the lowest of several.
// From r to r + 1 each gap pays one bit more and saves ceil((gap >> r) / 2). The saving falls as r
// grows, so the cost is convex, and the first r whose step saves no more than it costs is the
// answer.
//
// For 64 of 4,096 offsets at random it is 5 or 6 and costs 7.5 bits an offset; the bound
// log2(C(4096, 64)) / 64 is 7.36. Source: Rice & Plaunt 1971; Golomb 1966.
#pragma once

#include <algorithm>
#include <cstdint>

namespace compress {

// No larger parameter is ever the lowest of the best: the gaps of one tile sum to less than 4,096,
// so that at 11 one gap at most costs 13 bits and the others 12, while at 12 each costs 13.
inline constexpr uint32_t kRiceMax = 11;

// No `count` sorted offsets below `size` take more bits under their best parameter.
// Their gaps sum to size - count at most, and the best parameter is no worse than any fixed one.
inline uint32_t rice_bits_max(uint32_t count, uint32_t size) {
  uint32_t least = size;  // Parameter 0: count stop bits and the gaps themselves.
  for (uint32_t r = 1; r <= kRiceMax; ++r) {
    least = std::min(least, count * (1 + r) + ((size - count) >> r));
  }
  return least;
}

}  // namespace compress
