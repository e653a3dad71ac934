// The largest magnitudes of a tile, sorted, from the registers of a block's threads
// (compress/simd/select.h is the CPU's way to the same).
//
// Every thread holds 16 values. As many as are kept reach the threshold that so many threads'
// largest reach; it is sought in the upper bits of those, one bit a step. As a rule 73 of 4,096
// reach it where 64 are kept, and each finds its place among them by comparison. Where more than
// the block has threads do (few different values, many kept), the threshold is sought bit by bit
// among all values.
#pragma once

#include "compress/cuda/both.h"

namespace compress::cuda {

// A thread's values of a tile: of each quarter of the tile four in a row.
struct SixteenValues {
  float value[16];

  // Of the four in a quarter the offset in the tile.
  template <class Block>
  MUSTER_BOTH static uint32_t offset_of(uint32_t t, uint32_t quarter) {
    return 4 * (quarter * Block::kThreads + t);
  }
  MUSTER_BOTH uint32_t magnitude(uint32_t i) const {
    return std::bit_cast<uint32_t>(value[i]) & 0x7FFFFFFF;
  }
};

template <class Block>
class TileSelect {
 public:
  using Values = typename Block::template Local<SixteenValues>;
  static constexpr uint32_t kThreads = Block::kThreads;

  struct Shared {
    uint32_t* candidate;  // (threads)
    uint32_t* counter;
    uint32_t* found;   // (keep) magnitudes in any order,
    uint32_t* sorted;  // (keep)   and from the largest to the least

    MUSTER_BOTH static Shared of(SharedRoom& room, uint32_t keep) {
      return {room.take<uint32_t>(kThreads), room.take<uint32_t>(1), room.take<uint32_t>(keep),
              room.take<uint32_t>(keep)};
    }
  };

  MUSTER_BOTH TileSelect(Block& block, const Shared& shared, Values& values, uint32_t keep)
      : block_(block), shared_(shared), values_(values), keep_(keep) {}

  // Fills `sorted` with the largest `keep` magnitudes that are not zero; returns how many those
  // are. `finite` tells if all values are.
  MUSTER_BOTH uint32_t run(bool& finite) {
    block_.each([&](uint32_t t) {
      uint32_t most = 0;
      MUSTER_UNROLL
      for (uint32_t i = 0; i < 16; ++i) {
        const uint32_t here = values_[t].magnitude(i);
        most = here > most ? here : most;
      }
      largest_[t] = most;
      if (t == 0) *shared_.counter = 0;
    });
    const auto most = block_.template most<uint32_t>([&](uint32_t t) { return largest_[t]; });
    finite = most <= 0x7F7FFFFF;
    const uint32_t floor = threshold(most);
    const uint32_t total = find_candidates(floor);
    if (total <= kThreads) return sort_candidates(total);
    return sort_many(total, floor, most);
  }

 private:
  // The largest number that `keep` of what `count_from` counts reach, but for its bits below
  // `lowest_bit`.
  template <class CountFrom>
  MUSTER_BOTH uint32_t rank(uint32_t from, uint32_t most, uint32_t lowest_bit,
                            const CountFrom& count_from) {
    const auto differing = static_cast<uint32_t>(std::bit_width(from ^ most));
    uint32_t at = most >> differing << differing;
    for (uint32_t bit = differing; bit > lowest_bit; --bit) {
      const uint32_t tried = at | 1u << (bit - 1);
      if (count_from(tried) >= keep_) at = tried;
    }
    return at;
  }

  // At least 1, for zeros are not sent.
  MUSTER_BOTH uint32_t threshold(uint32_t most) {
    if (keep_ > kThreads) return 1;
    const auto least = ~block_.template most<uint32_t>([&](uint32_t t) { return ~largest_[t]; });
    constexpr uint32_t kPrecision = 16;  // Bits that are not worth the search.
    const uint32_t found = rank(least, most, kPrecision, [&](uint32_t tried) {
      return block_.count([&](uint32_t t) { return largest_[t] >= tried; });
    });
    return found > 0 ? found : 1;
  }

  // How many values reach the threshold; the first of them, whoever comes first, are noted.
  MUSTER_BOTH uint32_t find_candidates(uint32_t floor) {
    block_.each([&](uint32_t t) {
      if (largest_[t] < floor) return;
      MUSTER_UNROLL
      for (uint32_t i = 0; i < 16; ++i) {
        const uint32_t here = values_[t].magnitude(i);
        if (here < floor) continue;
        const uint32_t at = take_number(*shared_.counter);
        if (at < kThreads) shared_.candidate[at] = here;
      }
    });
    return block_.get(*shared_.counter);
  }

  MUSTER_BOTH uint32_t sort_candidates(uint32_t total) {
    const uint32_t wanted = least(total, keep_);
    block_.each([&](uint32_t t) {
      if (t < total) place(shared_.candidate, total, t, wanted);
    });
    return wanted;
  }

  // A place is the number of those before in the order: greater ones, and equal ones of lower
  // index.
  MUSTER_BOTH void place(const uint32_t* from, uint32_t total, uint32_t i, uint32_t wanted) {
    const uint32_t mine = from[i];
    uint32_t before = 0;
    for (uint32_t j = 0; j < total; ++j) {
      before += from[j] > mine || (from[j] == mine && j < i) ? 1u : 0u;
    }
    if (before < wanted) shared_.sorted[before] = mine;
  }

  // The same for any number: the `keep`th is sought first. Time: `keep` squared.
  MUSTER_BOTH uint32_t sort_many(uint32_t total, uint32_t floor, uint32_t most) {
    const uint32_t wanted = least(total, keep_);
    uint32_t last = floor - 1;  // All are above.
    if (total > keep_) {
      last = rank(floor, most, 0, [&](uint32_t tried) {
        return block_.sum([&](uint32_t t) {
          uint32_t reached = 0;
          MUSTER_UNROLL
          for (uint32_t i = 0; i < 16; ++i) reached += values_[t].magnitude(i) >= tried ? 1u : 0u;
          return reached;
        });
      });
    }
    // What equals the last is alike; so many of them as are wanted lie where nothing else is put.
    block_.each([&](uint32_t t) {
      for (uint32_t i = t; i < wanted; i += kThreads) shared_.found[i] = last;
      if (t == 0) *shared_.counter = 0;
    });
    block_.each([&](uint32_t t) {
      MUSTER_UNROLL
      for (uint32_t i = 0; i < 16; ++i) {
        const uint32_t here = values_[t].magnitude(i);
        if (here > last) shared_.found[take_number(*shared_.counter)] = here;
      }
    });
    block_.each([&](uint32_t t) {
      for (uint32_t i = t; i < wanted; i += kThreads) place(shared_.found, wanted, i, wanted);
    });
    return wanted;
  }

  Block& block_;
  Shared shared_;
  Values& values_;
  uint32_t keep_;
  typename Block::template Local<uint32_t> largest_;
};

}  // namespace compress::cuda
