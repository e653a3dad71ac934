// Which values of a tile are kept, as bits, and how many of them are before each.
#pragma once

#include "compress/cuda/tile_select.h"
#include "compress/layout.h"

namespace compress::cuda {

template <class Block>
class TileMarks {
 public:
  using Values = typename TileSelect<Block>::Values;

  struct Shared {
    uint32_t* marked;  // (kWords) a bit for each value that is kept,
    uint32_t* equal;   // (kWords)   and for each that equals the least of these;
    uint32_t* before;  // (kWords)   how many are kept in the words before.

    MUSTER_BOTH static Shared of(SharedRoom& room) {
      return {room.take<uint32_t>(kWords), room.take<uint32_t>(kWords),
              room.take<uint32_t>(kWords)};
    }
  };

  MUSTER_BOTH TileMarks(Block& block, const Shared& shared) : block_(block), shared_(shared) {}

  // A thread's share of what is done before `run`.
  MUSTER_BOTH static void clear(const Shared& shared, uint32_t t) {
    for (uint32_t i = t; i < kWords; i += Block::kThreads) {
      shared.marked[i] = 0;
      shared.equal[i] = 0;
    }
  }

  // Marks what is kept: all from the least on, but of what equals it, the lowest offsets only.
  MUSTER_BOTH void run(Values& values, uint32_t least, uint32_t count) {
    block_.each([&](uint32_t t) {
      MUSTER_UNROLL
      for (uint32_t q = 0; q < 4; ++q) {
        uint32_t kept = 0;
        uint32_t equal = 0;
        MUSTER_UNROLL
        for (uint32_t j = 0; j < 4; ++j) {
          const uint32_t here = values[t].magnitude(4 * q + j);
          kept |= (here >= least ? 1u : 0u) << j;
          equal |= (here == least ? 1u : 0u) << j;
        }
        const uint32_t offset = SixteenValues::offset_of<Block>(t, q);
        if (kept != 0) or_into(shared_.marked[offset / 32], kept << offset % 32);
        if (equal != 0) or_into(shared_.equal[offset / 32], equal << offset % 32);
      }
    });
    const uint32_t kept = count_before(shared_.marked);
    if (kept == count) return;
    drop_equals(kept - count);
    count_before(shared_.marked);
  }

 private:
  static constexpr uint32_t kWords = kTileMax / 32;

  MUSTER_BOTH uint32_t count_before(const uint32_t* words) {
    typename Block::template Local<uint32_t> before;
    block_.each([&](uint32_t t) { before[t] = t < kWords ? ones(words[t]) : 0; });
    const uint32_t all = block_.exclusive_sum(before);
    block_.each([&](uint32_t t) {
      if (t < kWords) shared_.before[t] = before[t];
    });
    return all;
  }

  // Of those that equal the least, the last so many.
  MUSTER_BOTH void drop_equals(uint32_t surplus) {
    const uint32_t wanted = count_before(shared_.equal) - surplus;
    block_.each([&](uint32_t t) {
      if (t >= kWords) return;
      uint32_t dropped = shared_.equal[t];
      for (uint32_t i = shared_.before[t]; i < wanted && dropped != 0; ++i) dropped &= dropped - 1;
      shared_.marked[t] &= ~dropped;
    });
  }

  Block& block_;
  Shared shared_;
};

}  // namespace compress::cuda
