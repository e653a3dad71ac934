// The blocks of a tile, up to 64 values each (compress/tile_code.h), compiled once for each
// instruction set.
//
// No `#pragma once`: as lanes.inl.
#if defined(COMPRESS_SIMD_BLOCKS_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef COMPRESS_SIMD_BLOCKS_INL_
#undef COMPRESS_SIMD_BLOCKS_INL_
#else
#define COMPRESS_SIMD_BLOCKS_INL_
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "compress/simd/gaps.inl"
#include "compress/simd/unpack.h"

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

#if COMPRESS_BYTES

HWY_INLINE __m512i set16(uint32_t value) { return _mm512_set1_epi16(static_cast<int16_t>(value)); }

// 0 to 31.
HWY_INLINE __m512i iota16() {
  const __m512i low = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i even = _mm512_add_epi32(low, low);
  return _mm512_or_si512(even, _mm512_slli_epi32(_mm512_add_epi32(even, _mm512_set1_epi32(1)), 16));
}

// `first` to `first` + 63.
HWY_INLINE __m512i iota8(int first) {
  const __m512i low = iota16();
  const __m512i bytes =
      _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(low)),
                         _mm512_cvtepi16_epi8(_mm512_add_epi16(low, set16(32))), 1);
  return _mm512_add_epi8(bytes, _mm512_set1_epi8(static_cast<char>(first)));
}

// What is the same for all tiles of a shape; of 64 numbers the low 32 and the high.
struct GapVectors {
  HWY_INLINE explicit GapVectors(const GapCode& code)
      : mask(set16((1u << code.width) - 1)),
        plain(set16(code.plain)),
        modulus(set16(code.modulus)),
        iota{iota8(0), iota8(64), iota8(128)} {
    for (uint32_t i = 0; i < 2; ++i) {
      const __m512i number = _mm512_add_epi16(iota16(), set16(32 * i));
      const __m512i bit = _mm512_mullo_epi16(number, set16(code.width));
      const __m512i byte = _mm512_srli_epi16(bit, 3);
      // The byte where a field begins, and the next.
      pair[i] = _mm512_add_epi16(_mm512_or_si512(byte, _mm512_slli_epi16(byte, 8)), set16(0x0100));
      shift[i] = _mm512_and_si512(bit, set16(7));
      base[i] =
          _mm512_sub_epi16(_mm512_add_epi16(number, set16(1)), _mm512_mullo_epi16(number, modulus));
    }
  }

  // 32 of the fields at the beginning of `bits`; they have 7 bits at most.
  HWY_INLINE __m512i field_of(size_t i, __m512i bits) const {
    return _mm512_and_si512(_mm512_srlv_epi16(_mm512_permutexvar_epi8(pair[i], bits), shift[i]),
                            mask);
  }
  // Which of 64 fields are not all of their remainder.
  HWY_INLINE uint64_t has_last(const __m512i* field) const {
    return _cvtmask64_u64(_mm512_kunpackd(_mm512_cmpge_epu16_mask(field[1], plain),
                                          _mm512_cmpge_epu16_mask(field[0], plain)));
  }
  // Returns the last of 64.
  HWY_INLINE uint32_t store_offsets(const __m512i* field, uint64_t has_last, uint64_t last,
                                    __m512i stop, uint32_t before, uint16_t* offset) const;

  __m512i pair[2];
  __m512i shift[2];
  __m512i base[2];  // What an offset is without stop bit, remainders and the offset before.
  __m512i mask;
  __m512i plain;
  __m512i modulus;
  __m512i iota[3];
};

// The next 512 bits.
HWY_INLINE __m512i bits_at(const uint8_t* bytes, uint64_t bit) {
  const __m512i shift = _mm512_set1_epi64(static_cast<long long>(bit % 8));
  return _mm512_shrdv_epi64(_mm512_loadu_si512(bytes + bit / 8),
                            _mm512_loadu_si512(bytes + bit / 8 + 8), shift);
}

// Sums of the numbers up to each.
HWY_INLINE __m512i sums_of(__m512i x) {
  // In each quarter,
  x = _mm512_add_epi16(x, _mm512_bslli_epi128(x, 2));
  x = _mm512_add_epi16(x, _mm512_bslli_epi128(x, 4));
  x = _mm512_add_epi16(x, _mm512_bslli_epi128(x, 8));
  // and what the quarters before sum to: of one, and of two.
  const auto last_of_each = [](__m512i y) {
    const __m512i high = _mm512_shufflehi_epi16(y, 0xFF);
    return _mm512_unpackhi_epi64(high, high);
  };
  const __m512i one = last_of_each(x);
  x = _mm512_add_epi16(x, _mm512_maskz_shuffle_i64x2(0xFC, one, one, 0b10'01'00'00));
  const __m512i two = last_of_each(x);
  return _mm512_add_epi16(x, _mm512_maskz_shuffle_i64x2(0xF0, two, two, 0b01'00'00'00));
}

// Remainders from their fields and last bits.
HWY_INLINE __m512i remainders_of(__m512i field, uint64_t has_last, uint64_t last, __m512i plain) {
  const __m512i more = _mm512_mask_add_epi16(field, static_cast<__mmask32>(has_last), field,
                                             _mm512_sub_epi16(field, plain));
  return _mm512_mask_sub_epi16(more, static_cast<__mmask32>(last), more, _mm512_set1_epi16(-1));
}

HWY_INLINE uint32_t GapVectors::store_offsets(const __m512i* field, uint64_t has_last,
                                              uint64_t last, __m512i stop, uint32_t before,
                                              uint16_t* offset) const {
  const auto far_of = [&](size_t i, __m256i stops) {
    const __m512i quotient = _mm512_mullo_epi16(_mm512_cvtepu8_epi16(stops), modulus);
    return _mm512_add_epi16(_mm512_add_epi16(quotient, base[i]), set16(before));
  };
  const __m512i near_low = sums_of(remainders_of(field[0], has_last, last, plain));
  const __m512i near_high = sums_of(remainders_of(field[1], has_last >> 32, last >> 32, plain));
  const __m512i low = _mm512_add_epi16(far_of(0, _mm512_castsi512_si256(stop)), near_low);
  const __m512i high =
      _mm512_add_epi16(_mm512_add_epi16(far_of(1, _mm512_extracti64x4_epi64(stop, 1)), near_high),
                       _mm512_permutexvar_epi16(set16(31), near_low));
  _mm512_storeu_si512(offset, low);
  _mm512_storeu_si512(offset + 32, high);
  return static_cast<uint16_t>(_mm_extract_epi16(_mm512_extracti32x4_epi32(high, 3), 7));
}

// Where the ones of 192 bits are, as many as go into bytes.
HWY_INLINE __m512i places_of_ones(const __m512i* iota, const uint64_t* word, uint32_t first_count,
                                  uint32_t two_count) {
  const auto behind = [](uint32_t count) { return ~_bzhi_u64(~uint64_t{0}, count); };
  const __m512i two =
      _mm512_mask_expand_epi8(_mm512_maskz_compress_epi8(word[0], iota[0]), behind(first_count),
                              _mm512_maskz_compress_epi8(word[1], iota[1]));
  return _mm512_mask_expand_epi8(two, behind(two_count),
                                 _mm512_maskz_compress_epi8(word[2], iota[2]));
}

// Unpacks by whole vectors. False where it cannot tell, too: then ask unpack_gaps; the cursor
// stands where it did.
HWY_INLINE bool unpack_vectors(const GapVectors& all, const Block& block, BitCursor& in) {
  if (HWY_UNLIKELY(block.tile.gaps.width > 7)) return false;
  const __m512i bits = bits_at(in.bytes, in.at);
  const __m512i field[2] = {all.field_of(0, bits), all.field_of(1, bits)};
  const uint64_t has_last = all.has_last(field) & low_bits(block.count);
  const uint64_t rest = in.at + block.plain_bits();
  const uint64_t last = deposit(BitCursor{in.bytes, rest, in.end}.word(), has_last);
  const uint64_t quotients = rest + ones(has_last);

  alignas(64) uint64_t word[8];
  _mm512_store_si512(word, bits_at(in.bytes, quotients));
  const uint32_t first_count = ones(word[0]);
  const uint32_t two_count = first_count + ones(word[1]);
  if (HWY_UNLIKELY(two_count + ones(word[2]) < block.count)) return false;
  const __m512i stop = places_of_ones(all.iota, word, first_count, two_count);
  const __m512i end =
      _mm512_permutexvar_epi8(_mm512_set1_epi8(static_cast<char>(block.count - 1)), stop);
  const uint32_t last_stop = static_cast<uint8_t>(_mm_cvtsi128_si32(_mm512_castsi512_si128(end)));
  const uint64_t next = quotients + last_stop + 1;
  // No offset is 2^16 or more: 128 quotients of 255 at most, and 64 remainders.
  if (HWY_UNLIKELY(next > in.end)) return false;

  all.store_offsets(field, has_last, last, stop, block.before, block.offset);
  in.at = next;
  return true;
}

#else

struct GapVectors {
  explicit GapVectors(const GapCode&) {}
};

HWY_INLINE bool unpack_vectors(const GapVectors&, const Block&, BitCursor&) { return false; }

#endif

// Reads a tile block by block.
class Blocks {
 public:
  HWY_INLINE Blocks(const GapVectors& gaps, const PackedTile& tile, TileStreams& from)
      : gaps_(gaps), tile_(tile), from_(from) {}

  HWY_INLINE bool left() const { return first_ < tile_.count; }
  HWY_INLINE uint32_t first() const { return first_; }
  HWY_INLINE uint32_t count() const { return std::min(64u, tile_.count - first_); }

  // The next one; `offset` has room for 64. False as `unpack`.
  HWY_INLINE bool take(uint16_t* offset, uint64_t& negative, uint64_t& high) {
    const uint32_t here = count();
    const Block block{tile_, here, before_, offset};
    BitCursor& in = from_.values;
    // Each quotient has a bit at least. Now fields and signs are there.
    if (HWY_UNLIKELY(in.at + block.plain_bits() + here > in.end)) return false;
    const uint64_t signs = in.at + uint64_t{here} * tile_.gaps.width;
    negative = BitCursor{in.bytes, signs, in.end}.word() & low_bits(here);
    high = low_bits(here);
    if (tile_.two_levels && !take_levels(here, high)) return false;
    if (HWY_UNLIKELY(!unpack_vectors(gaps_, block, in)) && !unpack_gaps(block, in)) return false;
    before_ = offset[here - 1];
    first_ += here;
    return before_ < tile_.size;
  }
  // Behind the last one.
  HWY_INLINE bool ends_well() const {
    return !tile_.two_levels || (high_count_ != 0 && high_count_ != tile_.count);
  }

 private:
  HWY_INLINE bool take_levels(uint32_t here, uint64_t& high) {
    uint32_t bits;
    high = levels_at(from_.levels, here, bits);
    from_.levels.at += bits;
    high_count_ += ones(high);
    return (high & ~low_bits(here)) == 0 && from_.levels.ok();
  }

  const GapVectors& gaps_;
  const PackedTile& tile_;
  TileStreams& from_;
  uint32_t first_ = 0;
  uint32_t before_ = ~0u;
  uint32_t high_count_ = 0;
};

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
