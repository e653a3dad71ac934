#include "compress/simd/sum.h"

#include <algorithm>

// Highway compiles the rest of this file once for each instruction set.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/simd/sum.cpp"
#include <hwy/foreach_target.h>
#include "compress/simd/blocks.inl"
#include "compress/simd/mean.inl"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace compress::simd::HWY_NAMESPACE {
namespace {

// One contributor's block, ready to be added.
struct Ready {
  alignas(64) uint16_t offset[64];
  alignas(64) float value[64 + kLanesMax];
  uint32_t count;
};

// The values with their signs; room for a whole vector behind the last.
HWY_INLINE void spell_out(const SentTile& sent, uint64_t high, uint64_t negative, Ready& out) {
#if COMPRESS_WIDE
  const auto low_value = hn::Set(Floats(), sent.value[0]);
  const auto high_value = hn::Set(Floats(), sent.value[1]);
  const auto* high_bits = reinterpret_cast<const uint8_t*>(&high);
  const auto* negative_bits = reinterpret_cast<const uint8_t*>(&negative);
  for (uint32_t i = 0; i < out.count; i += static_cast<uint32_t>(lanes())) {
    const auto is_high = hn::LoadMaskBits(Floats(), high_bits + i / 8);
    const auto is_negative = hn::LoadMaskBits(Floats(), negative_bits + i / 8);
    const auto magnitude = hn::IfThenElse(is_high, high_value, low_value);
    hn::Store(hn::IfThenElse(is_negative, hn::Neg(magnitude), magnitude), Floats(), out.value + i);
  }
#else
  for (uint32_t i = 0; i < out.count; ++i) {
    out.value[i] = sent.value[(high >> i & 1) + 2 * (negative >> i & 1)];
  }
#endif
}

HWY_INLINE void add_ready(const Ready& ready, bool count_senders, TileSum& sum) {
  for (uint32_t i = 0; i < ready.count; ++i) sum.value[ready.offset[i]] += ready.value[i];
  if (!count_senders) return;
  for (uint32_t i = 0; i < ready.count; ++i) ++sum.senders[ready.offset[i]];
}

#if COMPRESS_BYTES
constexpr uint32_t kStepsOf64 = 16;

// The same of 64 values; four at a step, for what a core can do least is to load.
HWY_INLINE void add_64(const Ready& ready, float* sum, MeanLines& lines) {
  const auto add = [&](uint64_t offset, __m128 value) {
    _mm_store_ss(sum + offset, _mm_add_ss(value, _mm_load_ss(sum + offset)));
  };
  for (uint32_t i = 0; i < 64; i += 64 / kStepsOf64) {
    lines.step();
    uint64_t offset;
    std::memcpy(&offset, ready.offset + i, sizeof offset);
    const __m128 value = _mm_load_ps(ready.value + i);
    add(offset & 0xFFFF, value);
    add(ready.offset[i + 1], _mm_movehdup_ps(value));
    add(ready.offset[i + 2], _mm_unpackhi_ps(value, value));
    add(offset >> 48, _mm_shuffle_ps(value, value, 0xFF));
  }
}
#endif

// With many contributors there are more streams than a core watches by itself. What is asked for
// may lie behind them: nothing is read.
HWY_INLINE void ask_ahead(const TileStreams& from) {
  constexpr uint64_t kAhead = 512;
  const uint8_t* const values = from.values.bytes + from.values.at / 8;
  __builtin_prefetch(values + kAhead);
  __builtin_prefetch(values + kAhead + 64);
  __builtin_prefetch(from.levels.bytes + from.levels.at / 8 + kAhead / 2);
}

// Blocks that are unpacked before they are added, a few at a time: what unpacking writes to memory
// is not at hand for a while.
constexpr uint32_t kTogether = 4;

// One contributor's tile of any kind. False as `unpack`.
HWY_NOINLINE bool add_any(const PackedTile& tile, const SentTile& sent, bool count_senders,
                          TileSum& sum) {
  const GapVectors gaps(tile.gaps);
  Blocks blocks(gaps, tile, *sent.from);
  while (blocks.left()) {
    Ready ready[kTogether];
    uint32_t filled = 0;
    for (; filled < kTogether && blocks.left(); ++filled) {
      Ready& next = ready[filled];
      next.count = blocks.count();
      uint64_t negative;
      uint64_t high;
      if (!blocks.take(next.offset, negative, high)) return false;
      spell_out(sent, high, negative, next);
    }
    for (uint32_t i = 0; i < filled; ++i) add_ready(ready[i], count_senders, sum);
  }
  return blocks.ends_well();
}

#if COMPRESS_BYTES

// Tiles of 64 values with two levels, as nearly all are, of several contributors: the same as
// add_any does, in half the instructions, and in steps that each need what the one before found, so
// that a core that waits for one contributor's can work on another's.

// What is the same for all. With 64 values or more of 4,096 a remainder is below 64: four of them
// sum to a byte.
struct Constants {
  HWY_INLINE explicit Constants(const GapCode& code)
      : mask(_mm512_set1_epi8(static_cast<char>((1u << code.width) - 1))),
        plain(_mm512_set1_epi8(static_cast<char>(code.plain))),
        modulus(set16(code.modulus)) {
    for (size_t i = 0; i < 3; ++i) iota[i] = iota8(static_cast<int>(64 * i));
    // Eight fields of w bits fill w bytes.
    alignas(64) uint8_t place_of[64];
    alignas(64) uint8_t shift_of[64];
    for (uint32_t i = 0; i < 64; ++i) {
      place_of[i] = static_cast<uint8_t>(i / 8 * code.width + i % 8);
      shift_of[i] = static_cast<uint8_t>(i % 8 * code.width);
    }
    place = _mm512_load_si512(place_of);
    shift = _mm512_load_si512(shift_of);
    for (uint32_t i = 0; i < 2; ++i) {
      const __m512i number = _mm512_add_epi16(iota16(), set16(32 * i));
      base[i] = _mm512_sub_epi16(number, _mm512_mullo_epi16(number, modulus));
    }
  }

  __m512i place;  // The bytes of eight fields, to a word of 64 bits,
  __m512i shift;  //   and where in it they begin.
  __m512i mask;
  __m512i plain;
  __m512i modulus;
  __m512i base[2];  // What an offset is without stop bit and remainders.
  __m512i iota[3];
};

struct Step {
  alignas(64) uint64_t front[8];  // Fields, signs, last bits.
  __m512i field;
  __m512i stop;
  uint64_t has_last;
  uint64_t quotients;  // Where they begin,
  uint64_t next;       //   and what follows them.
  uint64_t high;
  uint64_t next_level;
};

HWY_INLINE void read_front(const Constants& all, uint32_t width, const TileStreams& from,
                           Step& step) {
  const __m512i bits = bits_at(from.values.bytes, from.values.at);
  _mm512_store_si512(step.front, bits);
  step.field = _mm512_and_si512(
      _mm512_multishift_epi64_epi8(all.shift, _mm512_permutexvar_epi8(all.place, bits)), all.mask);
  step.has_last = _cvtmask64_u64(_mm512_cmpge_epu8_mask(step.field, all.plain));
  step.quotients = from.values.at + 64 * (width + 1) + ones(step.has_last);
  uint32_t level_bits;
  step.high = levels_at(from.levels, 64, level_bits);
  step.next_level = from.levels.at + level_bits;
}

// False where it cannot tell.
HWY_INLINE bool read_quotients(const Constants& all, const TileStreams& from, Step& step) {
  const __m512i bits = bits_at(from.values.bytes, step.quotients);
  const __m128i low = _mm512_castsi512_si128(bits);
  const uint64_t word[3] = {
      static_cast<uint64_t>(_mm_cvtsi128_si64(low)),
      static_cast<uint64_t>(_mm_extract_epi64(low, 1)),
      static_cast<uint64_t>(_mm_cvtsi128_si64(_mm512_extracti64x2_epi64(bits, 1)))};
  const uint32_t first_count = ones(word[0]);
  const uint32_t two_count = first_count + ones(word[1]);
  step.stop = places_of_ones(all.iota, word, first_count, two_count);
  const auto last_stop =
      static_cast<uint32_t>(_mm_extract_epi8(_mm512_extracti32x4_epi32(step.stop, 3), 15));
  step.next = step.quotients + last_stop + 1;
  return (two_count + ones(word[2]) >= 64) & (step.next <= from.values.end) &
         (step.next_level <= from.levels.end) & (step.high + 1 > 1);
}

// Sums of 32 numbers, which are sums of four already: of eight, 16 and 32.
HWY_INLINE __m512i sums_of_fours(__m512i x) {
  const __m512i eight =
      _mm512_broadcast_i32x4(_mm_set_epi8(7, 6, 7, 6, 7, 6, 7, 6, -1, -1, -1, -1, -1, -1, -1, -1));
  x = _mm512_add_epi16(x, _mm512_shuffle_epi8(x, eight));
  // Of the quarter before, in every other quarter; of the half before.
  const __m512i quarter =
      _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set1_epi16(7)), _mm256_set1_epi16(23), 1);
  x = _mm512_add_epi16(x, _mm512_maskz_permutexvar_epi16(0xFF00FF00, quarter, x));
  return _mm512_add_epi16(x, _mm512_maskz_permutexvar_epi16(0xFFFF0000, set16(15), x));
}

// Returns the last offset.
HWY_INLINE uint32_t make_ready(const Constants& all, uint32_t width, const SentTile& sent,
                               const Step& step, Ready& out) {
  const uint64_t last = deposit(step.front[width + 1], step.has_last);
  __m512i gap = _mm512_mask_add_epi8(step.field, step.has_last, step.field,
                                     _mm512_sub_epi8(step.field, all.plain));
  gap = _mm512_mask_sub_epi8(gap, last, gap, _mm512_set1_epi8(-1));
  const __m512i fours = _mm512_mullo_epi32(gap, _mm512_set1_epi32(0x01010101));
  const auto low_half = [](__m512i bytes) {
    return _mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes));
  };
  const auto high_half = [](__m512i bytes) {
    return _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(bytes, 1));
  };
  const auto far_of = [&](__m512i stops, size_t i) {
    return _mm512_add_epi16(_mm512_mullo_epi16(stops, all.modulus), all.base[i]);
  };
  const __m512i near_low = sums_of_fours(low_half(fours));
  const __m512i near_high = sums_of_fours(high_half(fours));
  const __m512i low = _mm512_add_epi16(far_of(low_half(step.stop), 0), near_low);
  const __m512i high =
      _mm512_add_epi16(_mm512_add_epi16(far_of(high_half(step.stop), 1), near_high),
                       _mm512_permutexvar_epi16(set16(31), near_low));
  _mm512_store_si512(out.offset, low);
  _mm512_store_si512(out.offset + 32, high);

  alignas(64) uint8_t kind[64];
  const __m512i kinds = _mm512_maskz_mov_epi8(step.high, _mm512_set1_epi8(1));
  _mm512_store_si512(kind,
                     _mm512_mask_add_epi8(kinds, step.front[width], kinds, _mm512_set1_epi8(2)));
  const __m512 values = _mm512_broadcast_f32x4(_mm_loadu_ps(sent.value));
  for (uint32_t i = 0; i < 64; i += 16) {
    const __m512i here =
        _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(kind + i)));
    _mm512_store_ps(out.value + i, _mm512_permutexvar_ps(here, values));
  }
  return static_cast<uint16_t>(_mm_extract_epi16(_mm512_extracti32x4_epi32(high, 3), 7));
}

// kTogether contributors; false where it cannot tell, and then nothing has moved or was added.
HWY_INLINE bool add_together(const Constants& all, uint32_t width, uint32_t size,
                             const SentTile* sent, TileSum& sum, MeanLines& lines) {
  Step step[kTogether];
  Ready ready[kTogether];
  bool fine = true;
  for (uint32_t i = 0; i < kTogether; ++i) {
    const TileStreams& from = *sent[i].from;
    ask_ahead(from);
    fine &= sent[i].count == 64 && sent[i].two_levels &&
            from.values.at + 64 * (width + 2) <= from.values.end;
  }
  if (HWY_UNLIKELY(!fine)) return false;
  for (uint32_t i = 0; i < kTogether; ++i) read_front(all, width, *sent[i].from, step[i]);
  for (uint32_t i = 0; i < kTogether; ++i) fine &= read_quotients(all, *sent[i].from, step[i]);
  if (HWY_UNLIKELY(!fine)) return false;
  for (uint32_t i = 0; i < kTogether; ++i) {
    fine &= make_ready(all, width, sent[i], step[i], ready[i]) < size;
  }
  if (HWY_UNLIKELY(!fine)) return false;
  for (uint32_t i = 0; i < kTogether; ++i) {
    add_64(ready[i], sum.value, lines);
    sent[i].from->values.at = step[i].next;
    sent[i].from->levels.at = step[i].next_level;
  }
  return true;
}

// As many contributors as it can, from `first` on. Returns the first that is left. Nothing is
// called from here, so that what is the same for all stays in registers.
HWY_NOINLINE uint32_t add_run(const GapCode& code, uint32_t size, const SentTile* sent,
                              uint32_t first, uint32_t count, TileSum& sum, MeanRows& mean) {
  if (code.modulus > 64 || first + kTogether > count) return first;
  const Constants all(code);
  uint32_t i = first;
  MeanLines lines(mean, kStepsOf64 * ((count - i) / kTogether * kTogether));
  ask_for_ends(mean, mean.written, mean.rows * (i + kTogether) / count);
  for (; i + kTogether <= count; i += kTogether) {
    if (!add_together(all, code.width, size, sent + i, sum, lines)) break;
    if (!lines.writes()) write_shares(mean, mean.rows * (i + kTogether) / count);
  }
  lines.end_row();
  return i;
}

#else

uint32_t add_run(const GapCode&, uint32_t, const SentTile*, uint32_t first, uint32_t, TileSum&,
                 MeanRows&) {
  return first;
}

#endif

void write_mean_here(MeanRows& mean, uint32_t rows) { write_here(mean, rows); }

size_t add_here(uint32_t size, const GapCode& code, const SentTile* sent, uint32_t count,
                bool count_senders, TileSum& sum, MeanRows& mean) {
  if (mean.shares != nullptr) write_here(mean, mean.rows);
  for (uint32_t i = 0; i < count; ++i) {
    if (!count_senders) i = add_run(code, size, sent, i, count, sum, mean);
    if (i == count) break;
    write_here(mean, mean.rows * (i + 1) / count);
    if (sent[i].count == 0) continue;
    ask_ahead(*sent[i].from);
    const PackedTile tile{
        .count = sent[i].count, .size = size, .two_levels = sent[i].two_levels, .gaps = code};
    if (!add_any(tile, sent[i], count_senders, sum)) return i;
  }
  return count;
}

}  // namespace
}  // namespace compress::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace compress::simd {

HWY_EXPORT(add_here);
HWY_EXPORT(write_mean_here);

void write_mean(MeanRows& mean, uint32_t rows) {
  HWY_DYNAMIC_DISPATCH(write_mean_here)(mean, rows);
  // What goes past the caches is seen by other threads only after this.
  hwy::FlushStream();
}

size_t add_tiles(uint32_t size, const GapCode& gaps, std::span<const SentTile> sent,
                 bool count_senders, TileSum& sum, MeanRows& mean) {
  return HWY_DYNAMIC_DISPATCH(add_here)(size, gaps, sent.data(), static_cast<uint32_t>(sent.size()),
                                        count_senders, sum, mean);
}

}  // namespace compress::simd
#endif
