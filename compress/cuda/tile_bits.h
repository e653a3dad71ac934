// The bits of one tile's values and levels (compress/tile_code.h), a value a thread.
#pragma once

#include "compress/cuda/both.h"
#include "compress/golomb.h"
#include "compress/level_code.h"

namespace compress::cuda {

// An offset in a tile and its flags.
inline constexpr uint32_t kOffsetMask = 0x0FFF;
inline constexpr uint32_t kHighFlag = 0x1000;
inline constexpr uint32_t kNegativeFlag = 0x2000;

template <class Block>
class TileBits {
 public:
  static constexpr uint32_t kThreads = Block::kThreads;
  static constexpr uint32_t kBlocks = kThreads / 64;  // Of 64 values, that are coded at a time.

  struct Shared {
    uint16_t* kept;         // (keep) ascending offsets with flags
    uint32_t* value_words;  // Zero at first.
    uint32_t* level_words;  // So are these.
    uint32_t* block_start;  // (kBlocks + 1)
    uint32_t* high;         // (2 a block) flags of the blocks at hand

    MUSTER_BOTH static Shared of(SharedRoom& room, uint32_t keep, uint32_t value_words,
                                 uint32_t level_words) {
      return {room.take<uint16_t>(keep), room.take<uint32_t>(value_words),
              room.take<uint32_t>(level_words), room.take<uint32_t>(kBlocks + 1),
              room.take<uint32_t>(2 * kBlocks)};
    }
  };

  MUSTER_BOTH TileBits(Block& block, const Shared& shared) : block_(block), shared_(shared) {}

  // Both: `count` of the kept to bits; how many those are.
  MUSTER_BOTH uint32_t code_values(uint32_t count, const GapCode& gaps) {
    uint32_t bits = 0;
    for (uint32_t first = 0; first < count; first += kThreads) {
      bits += code_some(first, least(kThreads, count - first), bits, gaps);
    }
    return bits;
  }
  MUSTER_BOTH uint32_t code_levels(uint32_t count) {
    uint32_t bits = 0;
    for (uint32_t first = 0; first < count; first += kThreads) {
      bits += code_some_levels(first, least(kThreads, count - first), bits);
    }
    return bits;
  }

 private:
  // What a thread's value is made of.
  struct Parts {
    uint32_t field;
    uint32_t has_last;
    uint32_t last;
    uint32_t quotient;
  };

  MUSTER_BOTH Parts parts_of(uint32_t i, const GapCode& gaps) const {
    const uint32_t after = i == 0 ? 0 : (shared_.kept[i - 1] & kOffsetMask) + 1;
    const uint32_t gap = (shared_.kept[i] & kOffsetMask) - after;
    const uint32_t quotient = gaps.quotient(gap);
    const uint32_t remainder = gap - quotient * gaps.modulus;
    const uint32_t has_last = remainder >= gaps.plain ? 1 : 0;
    const uint32_t whole = remainder + gaps.plain * has_last;
    return {whole >> has_last, has_last, whole & has_last, quotient};
  }

  // Bits of varying length are summed in one number: last bits, and above 2^16 quotients.
  MUSTER_BOTH static uint32_t lasts(uint32_t sums) { return sums & 0xFFFF; }
  MUSTER_BOTH static uint32_t quotients(uint32_t sums) { return sums >> 16; }

  // Up to a value a thread, `first` being a multiple of their number. They begin at bit `at`.
  MUSTER_BOTH uint32_t code_some(uint32_t first, uint32_t count, uint32_t at, const GapCode& gaps) {
    typename Block::template Local<Parts> parts;
    typename Block::template Local<uint32_t> before;
    block_.each([&](uint32_t t) {
      before[t] = 0;
      if (t >= count) return;
      parts[t] = parts_of(first + t, gaps);
      before[t] = parts[t].has_last | (parts[t].quotient + 1) << 16;
    });
    const uint32_t all = block_.exclusive_sum(before);
    block_.each([&](uint32_t t) {
      if (t % 64 == 0 && t < count) shared_.block_start[t / 64] = before[t];
      if (t == 0) shared_.block_start[(count + 63) / 64] = all;
    });
    block_.each([&](uint32_t t) {
      if (t < count) put_value(first, count, t, at, gaps, parts[t], before[t]);
    });
    return count * (gaps.width + 1) + lasts(all) + quotients(all);
  }

  MUSTER_BOTH void put_value(uint32_t first, uint32_t count, uint32_t t, uint32_t at,
                             const GapCode& gaps, const Parts& parts, uint32_t before) {
    uint32_t* const out = shared_.value_words;
    const uint32_t b = t / 64;
    const uint32_t i = t % 64;
    const uint32_t here = least(64, count - b * 64);
    const uint32_t start = shared_.block_start[b];
    const uint32_t end = shared_.block_start[b + 1];
    const uint32_t fields = at + b * 64 * (gaps.width + 1) + lasts(start) + quotients(start);
    const uint32_t signs = fields + here * gaps.width;
    const uint32_t last_bits = signs + here;
    const uint32_t stops = last_bits + lasts(end) - lasts(start);
    put(out, fields + i * gaps.width, parts.field, gaps.width);
    put(out, signs + i, (shared_.kept[first + t] & kNegativeFlag) != 0 ? 1 : 0, 1);
    put(out, last_bits + lasts(before) - lasts(start), parts.last, 1);
    put(out, stops + quotients(before) - quotients(start) + parts.quotient, 1, 1);
  }

  // Which of a block's values are high.
  MUSTER_BOTH uint64_t high_of(uint32_t b) const {
    return uint64_t{shared_.high[2 * b + 1]} << 32 | shared_.high[2 * b];
  }

  // The pairs of a block of `count` values (compress/level_code.h).
  struct Pairs {
    uint32_t count;
    uint32_t first;  // Bits: the first of a pair is high,
    uint32_t second;

    MUSTER_BOTH Pairs(uint64_t high, uint32_t values)
        : count(pairs_of(values)),
          first(static_cast<uint32_t>(high & low_bits(count))),
          second(static_cast<uint32_t>(high >> count)) {}
    MUSTER_BOTH uint32_t any() const { return first | second; }
    MUSTER_BOTH uint32_t bits() const { return count + ones(any()) + ones(first); }
  };

  MUSTER_BOTH uint32_t code_some_levels(uint32_t first, uint32_t count, uint32_t at) {
    typename Block::template Local<uint32_t> before;
    const auto values_of = [&](uint32_t b) { return least(64, count - b * 64); };
    block_.each([&](uint32_t t) {
      if (t < 2 * kBlocks) shared_.high[t] = 0;
    });
    block_.each([&](uint32_t t) {
      if (t >= count || (shared_.kept[first + t] & kHighFlag) == 0) return;
      or_into(shared_.high[t / 32], 1u << t % 32);
    });
    block_.each([&](uint32_t t) {
      before[t] = t * 64 < count ? Pairs(high_of(t), values_of(t)).bits() : 0;
    });
    const uint32_t all = block_.exclusive_sum(before);
    block_.each([&](uint32_t t) {
      if (t < kBlocks) shared_.block_start[t] = before[t];
    });
    block_.each([&](uint32_t t) {
      const uint32_t b = t / 64;
      if (t >= count) return;
      put_pair(Pairs(high_of(b), values_of(b)), t % 64, at + shared_.block_start[b]);
    });
    return all;
  }

  MUSTER_BOTH void put_pair(const Pairs& pairs, uint32_t p, uint32_t at) {
    if (p >= pairs.count || (pairs.any() >> p & 1) == 0) return;
    uint32_t* const out = shared_.level_words;
    put(out, at + p, 1, 1);
    const uint32_t firsts = at + pairs.count;
    put(out, firsts + ones(low(pairs.any(), p)), pairs.first >> p & 1, 1);
    if ((pairs.first >> p & 1) == 0) return;
    const uint32_t seconds = firsts + ones(pairs.any());
    put(out, seconds + ones(low(pairs.first, p)), pairs.second >> p & 1, 1);
  }

  Block& block_;
  Shared shared_;
};

}  // namespace compress::cuda
