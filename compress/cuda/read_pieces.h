// The kernel that judges pieces, and finds their tiles: a warp for each piece of a body.
//
// Where a tile's bits begin is known when all before are read, so a warp reads its piece from
// beginning to end: heads and levels, then values, whose gaps are only added up. What is refused is
// what GroupReader refuses, and all of it: who reads on from what was found here needs no checks.
// A body's bytes are read once (levels and heads twice), and 16 bytes a tile written twice.
//
// A tile takes some thousand cycles, most of them waiting for the one before: fast because there
// are many pieces (a model of 8 billion parameters has 1,950), and done once a body.
#pragma once

#include <type_traits>

#include "compress/cuda/piece_heads.h"
#include "compress/cuda/piece_values.h"

namespace compress::cuda {

struct ReadPieces {
  static constexpr uint32_t kThreads = 128;
  static constexpr uint32_t kBlocksMin = 4;
  static constexpr uint32_t kWarps = kThreads / 32;

  using Args = ReadArgs;

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
  template <class Block>
  static size_t shared_bytes(const Args& args);
};

template <class Warp>
class PieceReader {
 public:
  struct Shared {
    typename PieceHeads<Warp>::Shared heads;
    typename PieceValues<Warp>::Shared values;

    MUSTER_BOTH static Shared of(SharedRoom& room) {
      return {PieceHeads<Warp>::Shared::of(room), PieceValues<Warp>::Shared::of(room)};
    }
    MUSTER_BOTH static size_t bytes() {
      SharedRoom room(nullptr);
      of(room);
      return room.used();
    }
  };

  MUSTER_BOTH static PieceTrouble run(Warp& warp, const ReadArgs& args, const Shared& shared,
                                      uint32_t piece) {
    PieceHeads<Warp> heads(warp, args, shared.heads, piece);
    if (!heads.run()) return kBadHeads;
    if (!heads.levels_end_well()) return kBadValues;
    PieceValues<Warp> values(warp, args, shared.values, piece, heads.values_at());
    return values.run() ? kNoTrouble : kBadValues;
  }
};

template <class Block>
MUSTER_BOTH void ReadPieces::run(Block& block, const Args& args, uint8_t* shared) {
  block.each_warp([&](auto& warp) {
    using Warp = std::remove_reference_t<decltype(warp)>;
    SharedRoom room(shared + warp.index() * PieceReader<Warp>::Shared::bytes());
    const auto mine = PieceReader<Warp>::Shared::of(room);
    const uint32_t piece = block.index() * kWarps + warp.index();
    if (piece >= args.plan.piece_count) return;
    const PieceTrouble trouble = PieceReader<Warp>::run(warp, args, mine, piece);
    warp.each([&](uint32_t lane) {
      if (lane == 0) args.trouble[piece] = trouble;
    });
  });
}

template <class Block>
size_t ReadPieces::shared_bytes(const Args&) {
  return kWarps * PieceReader<typename Block::Warp>::Shared::bytes();
}

}  // namespace compress::cuda
