// The kernel that writes pieces, where MeasurePieces has put their tiles: eight blocks for each
// piece, 32 threads for each tile.
//
// A word of the body is written whole but where two tiles meet, and there it is or-ed: so what is
// written on must be zero. Twice a body's bytes are moved, 0.04 a parameter at 64 of 4,096.
#pragma once

#include "compress/cuda/measure_pieces.h"

namespace compress::cuda {

struct WritePieces {
  static constexpr uint32_t kThreads = 256;
  static constexpr uint32_t kBlocksMin = 4;
  static constexpr uint32_t kBlocksOfPiece = 8;

  struct Args {
    Plan plan;
    const CodedHead* heads = nullptr;  // (tiles)
    Slots slots;
    const TilePlace* places = nullptr;     // (tiles)
    const PieceHead* pieces = nullptr;     // (pieces)
    const uint64_t* first_byte = nullptr;  // (pieces) of each, in the body
    uint32_t* body = nullptr;              // Zero.
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
  template <class Block>
  static size_t shared_bytes(const Args&) {
    return 0;
  }
};

class PieceWriter {
 public:
  MUSTER_BOTH PieceWriter(const WritePieces::Args& args, uint32_t piece)
      : args_(args),
        plan_(args.plan.pieces[piece]),
        head_(args.pieces[piece]),
        first_bit_(8 * args.first_byte[piece]) {}

  MUSTER_BOTH uint32_t tile_count() const { return plan_.tile_count; }

  MUSTER_BOTH void write_head() const {
    put(args_.body, first_bit_, head_.level_bytes, kLevelSizeBits);
    const uint32_t parameters = uint32_t{head_.high_parameter} | uint32_t{head_.ratio_parameter}
                                                                     << kHighRiceBits;
    put(args_.body, first_bit_ + head_.heads_at(), head_.all_whole | parameters << 1,
        1 + kHighRiceBits + kRatioRiceBits);
  }

  // A tile's share of one of 32 lanes.
  MUSTER_BOTH void write_tile(uint32_t i, uint32_t lane) const {
    const uint32_t tile = plan_.first_tile + i;
    const CodedHead& head = args_.heads[tile];
    const TilePlace& place = args_.places[tile];
    copy(args_.slots.values(tile), head.value_bits, first_bit_ + head_.values_at() + place.values,
         lane);
    copy(args_.slots.levels(tile), head.level_bits, first_bit_ + head_.levels_at() + place.levels,
         lane);
    if (lane == 0) write_tile_head(i, head, first_bit_ + head_.heads_at() + place.head);
  }

 private:
  // `count` bits to bit `at` of the body.
  MUSTER_BOTH void copy(const uint32_t* from, uint32_t count, uint64_t at, uint32_t lane) const {
    if (count == 0) return;
    const auto shift = static_cast<uint32_t>(at % 32);
    const uint32_t sources = words_of(count);
    const uint32_t words = words_of(shift + count);
    uint32_t* const to = args_.body + at / 32;
    for (uint32_t i = lane; i < words; i += 32) {
      const uint64_t upper = i < sources ? from[i] : 0;
      const uint64_t lower = i > 0 ? from[i - 1] : 0;
      const auto bits = static_cast<uint32_t>((upper << 32 | lower) >> (32 - shift));
      if (i == 0 || i + 1 == words) {
        or_into(to[i], bits);
      } else {
        to[i] = bits;
      }
    }
  }

  MUSTER_BOTH void write_tile_head(uint32_t i, const CodedHead& head, uint64_t at) const {
    const uint32_t keep = args_.plan.place(plan_.first_tile + i).shape->keep;
    if (head_.all_whole == 0) {
      const uint32_t bits = count_bits(head, keep, false);
      // 1: whole; else 0, whether any are sent, and how many.
      const uint32_t some = head.count > 0 ? 2u | uint32_t{head.count} << 2 : 0u;
      put(args_.body, at, bits == 1 ? 1u : some, bits);
      at += bits;
    }
    if (head.count == 0) return;
    if (i == head_.first_sent) {
      put(args_.body, at, head.high_code | uint32_t{head.ratio} << magnitude_code::kBits,
          magnitude_code::kBits + magnitude_code::kRatioBits);
      return;
    }
    at = put_rice(at, head.high_step, head_.high_parameter);
    put_rice(at, head.ratio_step, head_.ratio_parameter);
  }

  MUSTER_BOTH uint64_t put_rice(uint64_t at, uint32_t number, uint32_t parameter) const {
    const uint64_t stop = at + (number >> parameter);
    put(args_.body, stop, 1, 1);
    put(args_.body, stop + 1, low(number, parameter), parameter);
    return stop + 1 + parameter;
  }

  const WritePieces::Args& args_;
  const PiecePlan& plan_;
  const PieceHead& head_;
  uint64_t first_bit_;
};

template <class Block>
MUSTER_BOTH void WritePieces::run(Block& block, const Args& args, uint8_t*) {
  const PieceWriter writer(args, block.index() / kBlocksOfPiece);
  const uint32_t part = block.index() % kBlocksOfPiece;
  constexpr uint32_t kTogether = kThreads / 32 * kBlocksOfPiece;
  block.each([&](uint32_t t) {
    if (part == 0 && t == 0) writer.write_head();
    for (uint32_t i = part * (kThreads / 32) + t / 32; i < writer.tile_count(); i += kTogether) {
      writer.write_tile(i, t % 32);
    }
  });
}

}  // namespace compress::cuda
