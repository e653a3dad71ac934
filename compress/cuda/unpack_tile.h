// A warp unpacks one tile whose place is known: its bits to shared memory, then 64 values at a time
// to offsets with flags (compress/cuda/tile_bits.h).
//
// Nothing is checked: ReadPieces did. So a body must not change in between.
#pragma once

#include "compress/cuda/located.h"
#include "compress/cuda/tile_bits.h"
#include "compress/two_levels.h"

namespace compress::cuda {

// What a contributor's values of a tile are multiplied to: low, high, and both negative.
struct SentValues {
  float value[4];

  // As compress/tile_code.h has it: fp32, the level exactly, its product rounded once.
  MUSTER_BOTH static SentValues of(const LocatedTile& tile, float scale) {
    const float high = magnitude_code::float_value(tile.high_code);
    const float low =
        product(high, static_cast<float>(tile.ratio) * (1.0f / magnitude_code::kRatios));
    const float low_sent = product(scale, low);
    const float high_sent = product(scale, high);
    return {{low_sent, high_sent, -low_sent, -high_sent}};
  }
  // Of an offset with flags.
  MUSTER_BOTH float operator[](uint32_t kept) const { return value[kept >> 12 & 3]; }
};
static_assert(kHighFlag == 1u << 12 && kNegativeFlag == 2u << 12);

// The most of any tile.
struct UnpackSizes {
  uint32_t keep = 0;
  uint32_t value_words = 0;
  uint32_t level_words = 0;
};

template <class Warp>
class TileUnpacker {
 public:
  struct Shared {
    uint32_t* values;  // Words of bits, and two more that may be read
    uint32_t* levels;
    uint16_t* kept;  // (keep) out
    uint16_t* stop;  // (64) the places of the quotients' ones

    MUSTER_BOTH static Shared of(SharedRoom& room, const UnpackSizes& sizes) {
      return {room.take<uint32_t>(sizes.value_words + 3),
              room.take<uint32_t>(sizes.level_words + 3), room.take<uint16_t>(sizes.keep),
              room.take<uint16_t>(64)};
    }
    // Of warp `index`, whose room begins at `base` with those of the warps before.
    MUSTER_BOTH static Shared of_warp(uint8_t* base, uint32_t index, const UnpackSizes& sizes) {
      SharedRoom room(base + index * bytes(sizes));
      return of(room, sizes);
    }
    MUSTER_BOTH static size_t bytes(const UnpackSizes& sizes) {
      SharedRoom room(nullptr);
      of(room, sizes);
      return room.used();
    }
  };

  MUSTER_BOTH TileUnpacker(Warp& warp, const Shared& shared) : warp_(warp), shared_(shared) {}

  // Fills `kept` with the tile's values, as many as it has.
  MUSTER_BOTH void run(const Words& body, const LocatedTile& tile, const TileShape& shape) {
    const uint32_t count = tile.count();
    if (count == 0) return;
    const bool two_levels = tile.ratio != 0;
    const auto value_at = static_cast<uint32_t>(tile.values_at() % 32);
    const auto level_at = static_cast<uint32_t>(tile.levels_at() % 32);
    const uint32_t value_words = words_of(value_at + shape.value_bits_max(count)) + 1;
    const uint32_t level_words = two_levels ? words_of(level_at + level_bits_max(count)) + 1 : 0;
    warp_.each([&](uint32_t lane) {
      for (uint32_t i = lane; i < value_words; i += 32) {
        shared_.values[i] = body[tile.values_at() / 32 + i];
      }
      for (uint32_t i = lane; i < level_words; i += 32) {
        shared_.levels[i] = body[tile.levels_at() / 32 + i];
      }
    });
    at_ = value_at;
    level_at_ = level_at;
    before_ = 0;
    for (uint32_t first = 0; first < count; first += 64) {
      take_block(first, least(64, count - first), two_levels, shape.gaps);
    }
  }

 private:
  MUSTER_BOTH void take_block(uint32_t first, uint32_t count, bool two_levels,
                              const GapCode& gaps) {
    const uint64_t high = two_levels ? take_levels(count) : ~uint64_t{0};
    const uint32_t fields = at_;
    const uint32_t signs = fields + count * gaps.width;
    const uint32_t lasts = signs + count;
    const auto field_of = [&](uint32_t i) {
      return low(bits_at(shared_.values, fields + i * gaps.width), gaps.width);
    };
    const auto is_long = [&](uint32_t i) { return i < count && field_of(i) >= gaps.plain; };
    const uint32_t long_low = warp_.ballot([&](uint32_t lane) { return is_long(lane); });
    const uint32_t long_high = warp_.ballot([&](uint32_t lane) { return is_long(32 + lane); });
    const uint32_t stops = lasts + ones(long_low) + ones(long_high);
    at_ = stops + find_stops(stops, count);

    // Remainders, and one for each value; of two values a number.
    const auto step_of = [&](uint32_t i) {
      if (i >= count) return 0u;
      const uint32_t field = field_of(i);
      if (field < gaps.plain) return field + 1;
      const uint32_t before =
          i < 32 ? ones(low(long_low, i)) : ones(long_low) + ones(low(long_high, i - 32));
      return 2 * field - gaps.plain + (bits_at(shared_.values, lasts + before) & 1) + 1;
    };
    typename Warp::template Local<uint32_t> steps;
    typename Warp::template Local<uint32_t> mine;
    warp_.each([&](uint32_t lane) {
      mine[lane] = step_of(lane) | step_of(32 + lane) << 16;
      steps[lane] = mine[lane];
    });
    const uint32_t all = warp_.exclusive_sum(steps);
    const auto keep = [&](uint32_t i, uint32_t sum_to) {
      const uint32_t quotients = shared_.stop[i] - i;
      const uint32_t offset = before_ + sum_to + quotients * gaps.modulus - 1;
      const uint32_t negative = bits_at(shared_.values, signs + i) & 1;
      shared_.kept[first + i] = static_cast<uint16_t>(
          offset | ((high >> i & 1) != 0 ? kHighFlag : 0) | (negative != 0 ? kNegativeFlag : 0));
    };
    warp_.each([&](uint32_t lane) {
      const uint32_t sums = steps[lane] + mine[lane];
      if (lane < count) keep(lane, sums & 0xFFFF);
      if (32 + lane < count) keep(32 + lane, (all & 0xFFFF) + (sums >> 16));
    });
    const uint32_t quotients = shared_.stop[count - 1] - (count - 1);
    before_ += (all & 0xFFFF) + (all >> 16) + quotients * gaps.modulus;
    warp_.wait();
  }

  // Fills `stop`; returns the bits that the quotients take.
  MUSTER_BOTH uint32_t find_stops(uint32_t at, uint32_t count) {
    uint32_t found = 0;
    for (uint32_t passed = 0; found < count; passed += 32) {
      const uint32_t word = bits_at(shared_.values, at + passed);
      warp_.each([&](uint32_t lane) {
        const uint32_t i = found + ones(low(word, lane));
        if ((word >> lane & 1) != 0 && i < count) {
          shared_.stop[i] = static_cast<uint16_t>(passed + lane);
        }
      });
      found += ones(word);
    }
    const uint32_t bits = shared_.stop[count - 1] + 1u;
    return bits;
  }

  // Which of up to 64 values are high.
  MUSTER_BOTH uint64_t take_levels(uint32_t count) {
    const uint32_t pairs = pairs_of(count);
    const uint32_t any_bits = bits_at(shared_.levels, level_at_);
    const uint32_t any = pairs == 32 ? any_bits : low(any_bits, pairs);
    const uint32_t firsts = level_at_ + pairs;
    const uint32_t first = warp_.ballot([&](uint32_t lane) {
      if ((any >> lane & 1) == 0) return false;
      return (bits_at(shared_.levels, firsts + ones(low(any, lane))) & 1) != 0;
    });
    const uint32_t seconds = firsts + ones(any);
    const uint32_t second = warp_.ballot([&](uint32_t lane) {
      if ((first >> lane & 1) == 0) return (any >> lane & 1) != 0;
      return (bits_at(shared_.levels, seconds + ones(low(first, lane))) & 1) != 0;
    });
    level_at_ = seconds + ones(first);
    return uint64_t{first} | uint64_t{second} << pairs;
  }

  Warp& warp_;
  Shared shared_;
  uint32_t at_ = 0;  // Bits of the staged words.
  uint32_t level_at_ = 0;
  uint32_t before_ = 0;  // The offset behind the last.
};

}  // namespace compress::cuda
