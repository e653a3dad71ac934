// Which of up to 64 values are high, in three bits of four if a quarter is: the pairs of
// compress/tile_code.h.
#pragma once

#include <bit>
#include <cstdint>

#include "compress/bit_stream.h"

namespace compress {

// The low `count` bits.  Pre: 1 <= count <= 64.
constexpr uint64_t low_bits(uint32_t count) { return ~uint64_t{0} >> (64 - count); }

// Of 64 values or fewer so many pairs, the last maybe of one value.
constexpr uint32_t pairs_of(uint32_t count) { return (count + 1) / 2; }

// The most bits that the levels of `count` values take, 64 at a time.
constexpr uint64_t level_bits_max(uint32_t count) {
  const uint64_t rest = count % 64;
  return count / 64 * 96 + 3 * ((rest + 1) / 2);
}

// The bits of `flags` that stand where `mask` has ones, one after the other.
inline uint64_t bits_at(uint64_t flags, uint64_t mask) {
  uint64_t bits = 0;
  for (uint32_t i = 0; mask != 0; mask &= mask - 1, ++i) {
    bits |= (flags >> std::countr_zero(mask) & 1) << i;
  }
  return bits;
}

inline void put_levels(BitWriter& out, uint64_t high, uint32_t count) {
  const uint32_t pairs = pairs_of(count);
  const uint64_t first = high & low_bits(pairs);
  const uint64_t second = high >> pairs;
  const uint64_t any = first | second;
  out.put(any, pairs);
  out.put(bits_at(first, any), static_cast<uint32_t>(std::popcount(any)));
  out.put(bits_at(second, first), static_cast<uint32_t>(std::popcount(first)));
}

}  // namespace compress
