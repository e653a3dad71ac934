// Levels of up to 64 values (compress/tile_code.h), compiled once for each instruction set.
//
// No `#pragma once`: as lanes.inl.
#if defined(COMPRESS_SIMD_LEVELS_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef COMPRESS_SIMD_LEVELS_INL_
#undef COMPRESS_SIMD_LEVELS_INL_
#else
#define COMPRESS_SIMD_LEVELS_INL_
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "compress/bit_stream.h"
#include "compress/level_code.h"
#include "compress/simd/lanes.inl"

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

// The low bits of `bits`, one after the other, to where `mask` has ones.
HWY_INLINE uint64_t deposit(uint64_t bits, uint64_t mask) {
#if COMPRESS_DEPOSITS
  return _pdep_u64(bits, mask);
#else
  uint64_t placed = 0;
  for (; mask != 0; mask &= mask - 1, bits >>= 1) placed |= mask & -mask & -(bits & 1);
  return placed;
#endif
}

HWY_INLINE uint32_t ones(uint64_t bits) { return static_cast<uint32_t>(std::popcount(bits)); }

// 57 bits from a bit on, at least.
HWY_INLINE uint64_t bits_from(const uint8_t* bytes, uint64_t bit) {
  uint64_t bits;
  std::memcpy(&bits, bytes + bit / 8, sizeof bits);
  return bits >> bit % 8;
}

// Levels of up to 64 values, and how many bits they took.
HWY_INLINE uint64_t levels_at(const BitCursor& in, uint32_t count, uint32_t& bits) {
  const uint32_t pairs = pairs_of(count);
  const uint64_t any = bits_from(in.bytes, in.at) & low_bits(pairs);
  const uint32_t any_count = ones(any);
  const uint64_t first = deposit(bits_from(in.bytes, in.at + pairs), any);
  const uint64_t both = deposit(bits_from(in.bytes, in.at + pairs + any_count), first);
  bits = pairs + any_count + ones(first);
  return first | ((any & ~first) | both) << pairs;
}

// How many of them are high; moves the cursor.
HWY_INLINE uint32_t take_high_count(BitCursor& in, uint32_t count) {
  // Of nothing nothing is left.
  const auto first_of = [](uint64_t bits, uint32_t wanted) {
    return bits & ((uint64_t{1} << wanted) - 1);
  };
  const uint32_t pairs = pairs_of(count);
  const uint32_t any = ones(first_of(bits_from(in.bytes, in.at), pairs));
  const uint32_t first = ones(first_of(bits_from(in.bytes, in.at + pairs), any));
  const uint32_t both = ones(first_of(bits_from(in.bytes, in.at + pairs + any), first));
  in.at += pairs + any + first;
  return any + both;
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
