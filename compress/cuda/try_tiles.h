// The kernel of a trial (compress/sparse_trial.h): a warp for each tile takes a body's values,
// scaled, from theta and keeps what was there, or puts that back.
//
// Of theta only the values that were sent are moved, 32 bytes each way as memory has it: at 64 of
// 4,096 1 byte a parameter, and 0.05 of the body and what is kept.
#pragma once

#include "compress/cuda/sum_tiles.h"

namespace compress::cuda {

struct TryTiles {
  static constexpr uint32_t kThreads = 256;
  static constexpr uint32_t kBlocksMin = 5;
  static constexpr uint32_t kWarps = kThreads / 32;

  struct Args {
    Plan plan;
    UnpackSizes sizes;
    SumSource source;
    const float* scales = nullptr;  // (tensors)
    float* theta = nullptr;
    float* before = nullptr;  // (tiles, keep_max)
    uint32_t takes_off = 0;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
  template <class Block>
  static size_t shared_bytes(const Args& args);
};

template <class Block>
MUSTER_BOTH void TryTiles::run(Block& block, const Args& args, uint8_t* shared) {
  using Unpacker = TileUnpacker<typename Block::Warp>;
  block.each_warp([&](auto& warp) {
    const auto mine = Unpacker::Shared::of_warp(shared, warp.index(), args.sizes);
    const uint32_t number = block.index() * kWarps + warp.index();
    if (number >= args.plan.tile_count) return;
    const PlacedTile placed = args.plan.place(number);
    const TileShape& shape = *placed.shape;
    const LocatedTile tile = args.source.tiles[number];
    Unpacker(warp, mine).run(args.source.body, tile, shape);
    const SentValues sent = SentValues::of(tile, args.scales[placed.tensor]);
    warp.each([&](uint32_t lane) {
      for (uint32_t i = lane; i < tile.count(); i += 32) {
        const uint32_t offset = mine.kept[i] & kOffsetMask;
        const uint32_t row = shape.row(offset);
        float& value =
            args.theta[placed.first + uint64_t{row} * placed.stride + (offset - row * shape.cols)];
        float& before = args.before[size_t{number} * args.sizes.keep + i];
        if (args.takes_off != 0) {
          value = before;
        } else {
          before = value;
          value = difference(value, sent[mine.kept[i]]);
        }
      }
    });
  });
}

template <class Block>
size_t TryTiles::shared_bytes(const Args& args) {
  return kWarps * TileUnpacker<typename Block::Warp>::Shared::bytes(args.sizes);
}

}  // namespace compress::cuda
