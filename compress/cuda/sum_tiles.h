// The kernel that sums: a block for each tile of G (compress/aggregate.h).
//
// Eight warps unpack the tile of eight contributors at once; then all threads add one contributor
// after the other to the tile's sum in shared memory, in the order that was given. An offset occurs
// once in a contributor, so every sum has its one order. Then the tile goes to G, or G times the
// rate is taken from theta at once: 4 bytes a parameter are moved or 8, and a body's, 0.02 a
// parameter and contributor at 64 of 4,096.
#pragma once

#include "compress/cuda/unpack_tile.h"

namespace compress::cuda {

// A contributor's body.
struct SumSource {
  Words body;
  const LocatedTile* tiles = nullptr;  // (tiles of the range)
};

// Sums to what the outer step makes of them.
struct Direction {
  float share = 1;                // What sums are multiplied by,
  const float* shares = nullptr;  //   or, if not null, what for so many senders (0 and 1: 1);
  uint32_t by_sign = 0;           //   and then only the sign counts.

  MUSTER_BOTH float of(float all, uint32_t senders) const {
    const float mean = product(all, shares != nullptr ? shares[senders] : share);
    if (by_sign == 0) return mean;
    return static_cast<float>((mean > 0 ? 1 : 0) - (mean < 0 ? 1 : 0));
  }
};

struct SumTiles {
  static constexpr uint32_t kThreads = 256;
  static constexpr uint32_t kBlocksMin = 5;
  static constexpr uint32_t kWarps = kThreads / 32;

  struct Args {
    Plan plan;
    UnpackSizes sizes;
    const SumSource* sources = nullptr;  // (sources)
    uint32_t source_count = 0;
    const float* scales = nullptr;  // (sources, tensors)
    uint32_t tensor_count = 0;
    Direction direction;
    float* G = nullptr;      // Is written, if not null;
    float* theta = nullptr;  //   if not null, less rate * G.
    float rate = 0;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
  template <class Block>
  static size_t shared_bytes(const Args& args);
};

template <class Block>
class TileSummer {
 public:
  using Unpacker = TileUnpacker<typename Block::Warp>;

  struct Shared {
    float* sum;         // (kTileMax)
    uint16_t* senders;  // (kTileMax) not there unless they are counted
    SentValues* sent;   // (warps)
    uint32_t* count;    // (warps)
    uint8_t* unpack;    // Of all warps.

    MUSTER_BOTH static Shared of(SharedRoom& room, const SumTiles::Args& args) {
      Shared made;
      made.sum = reinterpret_cast<float*>(room.take<Float4>(kTileMax / 4));
      made.senders = room.take<uint16_t>(args.direction.shares != nullptr ? kTileMax : 0);
      made.sent = room.take<SentValues>(SumTiles::kWarps);
      made.count = room.take<uint32_t>(SumTiles::kWarps);
      made.unpack = reinterpret_cast<uint8_t*>(
          room.take<Float4>(SumTiles::kWarps * Unpacker::Shared::bytes(args.sizes) / 16));
      return made;
    }
  };

  MUSTER_BOTH TileSummer(Block& block, const SumTiles::Args& args, const Shared& shared)
      : block_(block), args_(args), shared_(shared), tile_(args.plan.place(block.index())) {}

  MUSTER_BOTH void run() {
    block_.each([&](uint32_t t) {
      for (uint32_t i = t; i < tile_.shape->size(); i += kThreads) {
        shared_.sum[i] = 0;
        if (counts_senders()) shared_.senders[i] = 0;
      }
    });
    for (uint32_t first = 0; first < args_.source_count; first += SumTiles::kWarps) {
      const uint32_t here = least(SumTiles::kWarps, args_.source_count - first);
      unpack(first, here);
      for (uint32_t i = 0; i < here; ++i) add(i);
    }
    write();
  }

 private:
  static constexpr uint32_t kThreads = Block::kThreads;

  MUSTER_BOTH bool counts_senders() const { return args_.direction.shares != nullptr; }

  MUSTER_BOTH typename Unpacker::Shared unpacked(uint32_t w) const {
    return Unpacker::Shared::of_warp(shared_.unpack, w, args_.sizes);
  }

  MUSTER_BOTH void unpack(uint32_t first, uint32_t here) {
    block_.each_warp([&](auto& warp) {
      const uint32_t w = warp.index();
      if (w >= here) return;
      const SumSource& source = args_.sources[first + w];
      const LocatedTile tile = source.tiles[block_.index()];
      Unpacker(warp, unpacked(w)).run(source.body, tile, *tile_.shape);
      const float scale = args_.scales[size_t{first + w} * args_.tensor_count + tile_.tensor];
      warp.each([&](uint32_t lane) {
        if (lane != 0) return;
        shared_.sent[w] = SentValues::of(tile, scale);
        shared_.count[w] = tile.count();
      });
    });
  }

  MUSTER_BOTH void add(uint32_t w) {
    const uint16_t* const all = unpacked(w).kept;
    block_.each([&](uint32_t t) {
      for (uint32_t i = t; i < shared_.count[w]; i += kThreads) {
        const uint32_t kept = all[i];
        const uint32_t at = kept & kOffsetMask;
        shared_.sum[at] = sum(shared_.sum[at], shared_.sent[w][kept]);
        if (counts_senders()) ++shared_.senders[at];
      }
    });
  }

  MUSTER_BOTH float direction_at(uint32_t offset) const {
    return args_.direction.of(shared_.sum[offset], counts_senders() ? shared_.senders[offset] : 0u);
  }

  MUSTER_BOTH void write() {
    const TileShape& shape = *tile_.shape;
    float* const to = (args_.theta != nullptr ? args_.theta : args_.G) + tile_.first;
    const uint64_t stride = shape.rows > 1 ? tile_.stride : 0;
    const bool fours = (reinterpret_cast<uintptr_t>(to) % 16 | stride % 4 | shape.cols % 4) == 0;
    const auto place_of = [&](uint32_t offset) {
      const uint32_t row = shape.row(offset);
      return to + (row * stride + (offset - row * shape.cols));
    };
    block_.each([&](uint32_t t) {
      for (uint32_t offset = fours ? 4 * t : t; offset < shape.size();
           offset += (fours ? 4 : 1) * kThreads) {
        if (fours) {
          write_four(offset, *reinterpret_cast<Float4*>(place_of(offset)));
        } else {
          write_one(offset, *place_of(offset));
        }
      }
    });
  }
  MUSTER_BOTH void write_one(uint32_t offset, float& out) const {
    const float direction = direction_at(offset);
    out = args_.theta != nullptr ? difference(out, product(args_.rate, direction)) : direction;
  }
  MUSTER_BOTH void write_four(uint32_t offset, Float4& out) const {
    Float4 four = {};
    if (args_.theta != nullptr) four = out;
    MUSTER_UNROLL
    for (uint32_t j = 0; j < 4; ++j) write_one(offset + j, four.value[j]);
    out = four;
  }

  Block& block_;
  const SumTiles::Args& args_;
  Shared shared_;
  PlacedTile tile_;
};

template <class Block>
MUSTER_BOTH void SumTiles::run(Block& block, const Args& args, uint8_t* shared) {
  SharedRoom room(shared);
  TileSummer<Block>(block, args, TileSummer<Block>::Shared::of(room, args)).run();
}

template <class Block>
size_t SumTiles::shared_bytes(const Args& args) {
  SharedRoom room(nullptr);
  TileSummer<Block>::Shared::of(room, args);
  return room.used();
}

}  // namespace compress::cuda
