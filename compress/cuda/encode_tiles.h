// The kernel that encodes: a block for each tile.
//
//   e = decay * e + delta;   the tile is quantise(e);   e = e - what is sent
//
// e is read once and written once, its new value staying in registers meanwhile: 12 bytes a
// parameter are moved, and at 64 of 4,096 another 0.06 for heads and bits. A row of a tile is 256
// bytes, read 16 a thread; 32 KB of a tile are asked for at once, and a multiprocessor of four
// blocks or more has more under way than its share of the memory's latency takes.
#pragma once

#include "compress/cuda/encode_args.h"
#include "compress/cuda/tile_bits.h"
#include "compress/cuda/tile_levels.h"
#include "compress/cuda/tile_marks.h"
#include "compress/cuda/tile_select.h"

namespace compress::cuda {

struct EncodeTiles {
  static constexpr uint32_t kThreads = 256;
  static constexpr uint32_t kBlocksMin = 4;  // Of a multiprocessor: 64 registers a thread at most.

  struct Args {
    Plan plan;
    uint32_t keep_max = 0;
    float* e = nullptr;
    const float* delta = nullptr;
    float decay = 0;
    CodedHead* heads = nullptr;  // (tiles)
    Slots slots;
    uint32_t* not_finite = nullptr;  // Becomes 1 if a value is NaN or infinite.
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
  template <class Block>
  static size_t shared_bytes(const Args& args);
};

template <class Block>
class TileEncoder {
 public:
  struct Shared {
    typename TileSelect<Block>::Shared select;
    typename TileLevels<Block>::Shared levels;
    typename TileBits<Block>::Shared bits;
    typename TileMarks<Block>::Shared marks;

    MUSTER_BOTH static Shared of(SharedRoom& room, const EncodeTiles::Args& args) {
      return {TileSelect<Block>::Shared::of(room, args.keep_max),
              TileLevels<Block>::Shared::of(room, args.keep_max),
              TileBits<Block>::Shared::of(room, args.keep_max, args.slots.value_words,
                                          args.slots.level_words),
              TileMarks<Block>::Shared::of(room)};
    }
  };

  MUSTER_BOTH TileEncoder(Block& block, const EncodeTiles::Args& args, const Shared& shared)
      : block_(block), args_(args), shared_(shared), tile_(args.plan.place(block.index())) {}

  MUSTER_BOTH void run() {
    load();
    bool finite = true;
    const uint32_t* const sorted = shared_.select.sorted;
    const uint32_t n = TileSelect<Block>(block_, shared_.select, values_, shape().keep).run(finite);
    levels_ = TileLevels<Block>::run(block_, shared_.levels, sorted, n);
    if (levels_.count > 0) {
      const uint32_t least = block_.get(sorted[levels_.count - 1]);
      least_high_ = block_.get(sorted[levels_.high_count - 1]);
      TileMarks<Block>(block_, shared_.marks).run(values_, least, levels_.count);
    }
    keep_and_store();
    write(finite);
  }

 private:
  MUSTER_BOTH const TileShape& shape() const { return *tile_.shape; }
  // Where a value of the tile is, counted from the range's first.
  MUSTER_BOTH uint64_t place_of(uint32_t offset) const {
    const uint32_t row = shape().row(offset);
    return tile_.first + uint64_t{row} * tile_.stride + (offset - row * shape().cols);
  }
  // Whether four values in a row lie in one row, and on a boundary of 16 bytes.
  MUSTER_BOTH bool moves_fours() const {
    const uint64_t stride = shape().rows > 1 ? tile_.stride : 0;
    const auto places = reinterpret_cast<uintptr_t>(args_.e + tile_.first) |
                        reinterpret_cast<uintptr_t>(args_.delta + tile_.first);
    return (places % 16 | stride % 4 | shape().cols % 4) == 0;
  }

  MUSTER_BOTH float with_delta(float e, float delta) const {
    return sum(product(args_.decay, e), delta);
  }

  // Beyond the tile all is zero.
  MUSTER_BOTH void load() {
    const bool fours = moves_fours();
    const uint32_t size = shape().size();
    block_.each([&](uint32_t t) {
      Float4 e[4] = {};
      Float4 delta[4] = {};
      MUSTER_UNROLL
      for (uint32_t q = 0; q < 4; ++q) {
        const uint32_t offset = SixteenValues::offset_of<Block>(t, q);
        if (fours && offset < size) {
          e[q] = *reinterpret_cast<const Float4*>(args_.e + place_of(offset));
          delta[q] = *reinterpret_cast<const Float4*>(args_.delta + place_of(offset));
        } else {
          MUSTER_UNROLL
          for (uint32_t j = 0; j < 4; ++j) {
            if (offset + j >= size) continue;
            e[q].value[j] = args_.e[place_of(offset + j)];
            delta[q].value[j] = args_.delta[place_of(offset + j)];
          }
        }
      }
      MUSTER_UNROLL
      for (uint32_t i = 0; i < 16; ++i) {
        values_[t].value[i] = with_delta(e[i / 4].value[i % 4], delta[i / 4].value[i % 4]);
      }
      clear_words(t);
    });
  }

  MUSTER_BOTH void clear_words(uint32_t t) {
    for (uint32_t i = t; i < args_.slots.value_words; i += Block::kThreads) {
      shared_.bits.value_words[i] = 0;
    }
    for (uint32_t i = t; i < args_.slots.level_words; i += Block::kThreads) {
      shared_.bits.level_words[i] = 0;
    }
    TileMarks<Block>::clear(shared_.marks, t);
  }

  // Lists what is kept, and takes it from e.
  MUSTER_BOTH void keep_and_store() {
    const bool fours = moves_fours();
    const uint32_t size = shape().size();
    const auto low = static_cast<float>(levels_.low());
    const auto high = static_cast<float>(levels_.high());
    block_.each([&](uint32_t t) {
      MUSTER_UNROLL
      for (uint32_t q = 0; q < 4; ++q) {
        const uint32_t offset = SixteenValues::offset_of<Block>(t, q);
        const uint32_t word = shared_.marks.marked[offset / 32];
        Float4 left;
        MUSTER_UNROLL
        for (uint32_t j = 0; j < 4; ++j) {
          left.value[j] = values_[t].value[4 * q + j];
          if ((word >> (offset + j) % 32 & 1) == 0) continue;
          left.value[j] = keep(offset + j, word, left.value[j], low, high);
        }
        if (fours && offset < size) {
          *reinterpret_cast<Float4*>(args_.e + place_of(offset)) = left;
        } else {
          MUSTER_UNROLL
          for (uint32_t j = 0; j < 4; ++j) {
            if (offset + j < size) args_.e[place_of(offset + j)] = left.value[j];
          }
        }
      }
    });
  }

  // Returns what is left of the value.
  MUSTER_BOTH float keep(uint32_t offset, uint32_t word, float value, float low_value,
                         float high_value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const bool high = (bits & 0x7FFFFFFF) >= least_high_;
    const bool negative = bits >> 31 != 0;
    const uint32_t at = shared_.marks.before[offset / 32] + ones(low(word, offset % 32));
    shared_.bits.kept[at] =
        static_cast<uint16_t>(offset | (high ? kHighFlag : 0) | (negative ? kNegativeFlag : 0));
    const float sent = high ? high_value : low_value;
    return difference(value, negative ? -sent : sent);
  }

  MUSTER_BOTH void write(bool finite) {
    TileBits<Block> bits(block_, shared_.bits);
    CodedHead head;
    head.count = static_cast<uint16_t>(levels_.count);
    head.high_code = levels_.high_code;
    head.ratio = levels_.ratio;
    head.value_bits = bits.code_values(levels_.count, shape().gaps);
    head.level_bits =
        levels_.ratio != 0 ? static_cast<uint16_t>(bits.code_levels(levels_.count)) : uint16_t{0};
    const uint32_t tile = block_.index();
    uint32_t* const values = args_.slots.values(tile);
    uint32_t* const levels = args_.slots.levels(tile);
    block_.each([&](uint32_t t) {
      for (uint32_t i = t; i < words_of(head.value_bits); i += Block::kThreads) {
        values[i] = shared_.bits.value_words[i];
      }
      for (uint32_t i = t; i < words_of(head.level_bits); i += Block::kThreads) {
        levels[i] = shared_.bits.level_words[i];
      }
      if (t == 0) args_.heads[tile] = head;
      if (t == 0 && !finite) or_into(*args_.not_finite, 1);
    });
  }

  Block& block_;
  const EncodeTiles::Args& args_;
  Shared shared_;
  PlacedTile tile_;
  typename TileSelect<Block>::Values values_;
  TwoLevels levels_;
  uint32_t least_high_ = 0;
};

template <class Block>
MUSTER_BOTH void EncodeTiles::run(Block& block, const Args& args, uint8_t* shared) {
  SharedRoom room(shared);
  TileEncoder<Block>(block, args, TileEncoder<Block>::Shared::of(room, args)).run();
}

template <class Block>
size_t EncodeTiles::shared_bytes(const Args& args) {
  SharedRoom room(nullptr);
  TileEncoder<Block>::Shared::of(room, args);
  return room.used();
}

}  // namespace compress::cuda
