// The gaps of a block, up to 64, as any machine reads them (compress/tile_code.h), compiled once
// for each instruction set.
//
// No `#pragma once`: as lanes.inl.
#if defined(COMPRESS_SIMD_GAPS_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef COMPRESS_SIMD_GAPS_INL_
#undef COMPRESS_SIMD_GAPS_INL_
#else
#define COMPRESS_SIMD_GAPS_INL_
#endif

#include <bit>
#include <cstdint>
#include <cstring>

#include "compress/simd/levels.inl"
#include "compress/simd/unpack.h"

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

// Where a block's gaps are read from and to.
struct Block {
  const PackedTile& tile;
  uint32_t count;    // 1 to 64.
  uint32_t before;   // The offset before, or -1.
  uint16_t* offset;  // Room for 64.

  // Of the fields and signs.
  uint64_t plain_bits() const { return uint64_t{count} * (tile.gaps.width + 1); }
};

// Fields of up to 64 gaps, and which of them are not all of their remainder.
HWY_INLINE uint64_t take_fields(const Block& block, const BitCursor& in, uint16_t* field) {
  const GapCode code = block.tile.gaps;
  uint64_t has_last = 0;
#if COMPRESS_WIDE && COMPRESS_DEPOSITS
  const uint64_t places = 0x0001000100010001 * ((1u << code.width) - 1);
  for (uint32_t i = 0; i < block.count; i += 4) {
    const uint64_t four = deposit(bits_from(in.bytes, in.at + i * code.width), places);
    std::memcpy(field + i, &four, sizeof four);
  }
  const hn::Rebind<uint16_t, Lanes> halves;
  const Vector most = hn::Set(Lanes(), static_cast<int32_t>(code.plain) - 1);
  for (uint32_t i = 0; i < block.count; i += static_cast<uint32_t>(lanes())) {
    const Vector here = hn::PromoteTo(Lanes(), hn::LoadU(halves, field + i));
    has_last |= bits_of(hn::Gt(here, most)) << i;
  }
  return has_last & low_bits(block.count);
#else
  for (uint32_t i = 0; i < block.count; ++i) {
    const uint64_t bits = bits_from(in.bytes, in.at + i * code.width);
    field[i] = static_cast<uint16_t>(bits & ((1u << code.width) - 1));
    has_last |= uint64_t{field[i] >= code.plain} << i;
  }
  return has_last;
#endif
}

// What is between offsets, from their quotients' stop bits, fields and last bits.
//   stop  of the one before stands in front
HWY_INLINE void take_steps(const Block& block, const int32_t* stop, const uint16_t* field,
                           uint64_t has_last, uint64_t last, int32_t* step) {
  const GapCode code = block.tile.gaps;
#if COMPRESS_WIDE
  const hn::Rebind<uint16_t, Lanes> halves;
  const auto* more_bits = reinterpret_cast<const uint8_t*>(&has_last);
  const auto* last_bits = reinterpret_cast<const uint8_t*>(&last);
  const Vector modulus = hn::Set(Lanes(), static_cast<int32_t>(code.modulus));
  const Vector plain = hn::Set(Lanes(), static_cast<int32_t>(code.plain));
  const Vector one = hn::Set(Lanes(), 1);
  for (uint32_t i = 0; i < block.count; i += static_cast<uint32_t>(lanes())) {
    const Vector here = hn::PromoteTo(Lanes(), hn::LoadU(halves, field + i));
    const auto more = hn::LoadMaskBits(Lanes(), more_bits + i / 8);
    const auto is_last = hn::LoadMaskBits(Lanes(), last_bits + i / 8);
    const Vector low = hn::Add(hn::Add(here, hn::IfThenElseZero(more, hn::Sub(here, plain))),
                               hn::IfThenElseZero(is_last, one));
    const Vector quotient =
        hn::Sub(hn::Sub(hn::LoadU(Lanes(), stop + i), hn::LoadU(Lanes(), stop + i - 1)), one);
    hn::StoreU(hn::Add(hn::Add(hn::Mul(quotient, modulus), low), one), Lanes(), step + i);
  }
#else
  const auto modulus = static_cast<int32_t>(code.modulus);
  const auto plain = static_cast<int32_t>(code.plain);
  for (uint32_t i = 0; i < block.count; ++i) {
    const int32_t more = -static_cast<int32_t>(has_last >> i & 1);
    const int32_t low =
        field[i] + (more & (field[i] - plain)) + static_cast<int32_t>(last >> i & 1);
    const int32_t* const end = stop + i;
    step[i] = (end[0] - end[-1] - 1) * modulus + low + 1;
  }
#endif
}

// False for what is never written, but the last offset may be anywhere up to 2^16.
bool unpack_gaps(const Block& block, BitCursor& in) {
  const GapCode code = block.tile.gaps;
  alignas(64) uint16_t field[64];
  const uint64_t has_last = take_fields(block, in, field);
  const uint64_t rest = in.at + block.plain_bits();
  const uint64_t last = deposit(BitCursor{in.bytes, rest, in.end}.word(), has_last);
  const BitCursor quotients{in.bytes, rest + ones(has_last), in.end};

  // Quotients sum to no more than the gaps may.
  const uint32_t bits_max = block.count + (block.tile.size - block.count) / code.modulus;
  constexpr uint32_t kUnrolled = 16;
  int32_t stop_room[1 + 64 + 64 + kUnrolled];
  int32_t* const stop = stop_room + 1;
  stop[-1] = -1;
  uint32_t found = 0;
  for (uint32_t base = 0; found < block.count; base += 64) {
    if (base >= bits_max || quotients.at + base >= in.end) return false;
    uint64_t word = quotients.word(base);
    const uint32_t here = ones(word);
    // So many at a time: a branch at each would be mispredicted at the last.
    for (uint32_t i = 0; i < here; i += kUnrolled) {
      for (uint32_t j = found + i; j < found + i + kUnrolled; ++j, word &= word - 1) {
        stop[j] = static_cast<int32_t>(base) + std::countr_zero(word);
      }
    }
    found += here;
  }
  const uint32_t bits = static_cast<uint32_t>(stop[block.count - 1]) + 1;
  if (bits > bits_max || quotients.at + bits > in.end) return false;
  alignas(64) int32_t step[64 + kLanesMax];
  take_steps(block, stop, field, has_last, last, step);
  uint32_t at = block.before;
  for (uint32_t i = 0; i < block.count; ++i) {
    at += static_cast<uint32_t>(step[i]);
    block.offset[i] = static_cast<uint16_t>(at);
  }
  in.at = quotients.at + bits;
  return true;
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
