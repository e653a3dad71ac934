// The values of a piece, passed by a warp from the first to the last: where those of each tile
// begin, and whether any lies beyond its tile (compress/simd/gaps.inl is the CPU's way to the
// same).
#pragma once

#include "compress/cuda/bit_window.h"
#include "compress/cuda/tile_walk.h"

namespace compress::cuda {

template <class Warp>
class PieceValues {
 public:
  using Window = BitWindow<Warp>;

  struct Shared {
    uint32_t* values;    // A window,
    LocatedTile* tiles;  // (32) those at hand

    MUSTER_BOTH static Shared of(SharedRoom& room) {
      return {room.take<uint32_t>(Window::kRingWords), room.take<LocatedTile>(32)};
    }
  };

  // `at`: the bit where they begin.
  MUSTER_BOTH PieceValues(Warp& warp, const ReadArgs& args, const Shared& shared, uint32_t piece,
                          uint64_t at)
      : warp_(warp),
        args_(args),
        shared_(shared),
        piece_(args.plan.pieces[piece]),
        at_(at),
        end_(8 * args.first_byte[piece + 1]) {}

  // Completes the tiles. False for what GroupReader refuses tile by tile, or at the end.
  MUSTER_BOTH bool run() {
    Window in(warp_, shared_.values, args_.body, at_);
    TileWalk walk(args_.plan, piece_.first_tile);
    for (uint32_t first = 0; first < piece_.tile_count; first += 32) {
      const uint32_t here = least(32, piece_.tile_count - first);
      LocatedTile* const tiles = args_.tiles + piece_.first_tile + first;
      warp_.each([&](uint32_t lane) {
        if (lane < here) shared_.tiles[lane] = tiles[lane];
      });
      typename Warp::template Local<uint64_t> begin;
      for (uint32_t i = 0; i < here; ++i) {
        if (first + i > 0) walk.next();
        warp_.each([&](uint32_t lane) {
          if (lane == i) begin[lane] = at_;
        });
        if (!skip_values(in, shared_.tiles[i].count(), walk.shape())) return false;
      }
      warp_.wait();
      warp_.each([&](uint32_t lane) {
        if (lane >= here) return;
        LocatedTile tile = shared_.tiles[lane];
        tile.levels_back = static_cast<uint32_t>(begin[lane] - tile.values_at());
        tile.set(tile.count(), begin[lane]);
        tiles[lane] = tile;
      });
    }
    return in.pad(at_) && at_ == end_;
  }

 private:
  MUSTER_BOTH bool skip_values(Window& in, uint32_t count, const TileShape& shape) {
    uint32_t next = 0;  // The offset behind the last.
    for (uint32_t first = 0; first < count; first += 64) {
      if (!skip_block(in, least(64, count - first), shape, next)) return false;
    }
    return true;
  }

  // Up to 64 values: their remainders' sum and the place of the last quotient's one.
  MUSTER_BOTH bool skip_block(Window& in, uint32_t count, const TileShape& shape, uint32_t& next) {
    const GapCode& gaps = shape.gaps;
    const uint64_t plain_bits = uint64_t{count} * (gaps.width + 1);
    if (at_ + plain_bits + count > end_) return false;
    in.reach(at_);
    const auto field_of = [&](uint32_t i) {
      return low(in.bits(at_ + i * gaps.width), gaps.width);
    };
    const auto is_long = [&](uint32_t i) { return i < count && field_of(i) >= gaps.plain; };
    const uint32_t long_low = warp_.ballot([&](uint32_t lane) { return is_long(lane); });
    const uint32_t long_high = warp_.ballot([&](uint32_t lane) { return is_long(32 + lane); });
    const uint64_t lasts = at_ + plain_bits;
    const auto remainder_of = [&](uint32_t i) {
      if (i >= count) return 0u;
      const uint32_t field = field_of(i);
      if (field < gaps.plain) return field;
      const uint32_t before =
          i < 32 ? ones(low(long_low, i)) : ones(long_low) + ones(low(long_high, i - 32));
      return 2 * field - gaps.plain + (in.bits(lasts + before) & 1);
    };
    const uint32_t remainders =
        warp_.sum([&](uint32_t lane) { return remainder_of(lane) + remainder_of(32 + lane); });
    at_ = lasts + ones(long_low) + ones(long_high);
    uint32_t quotients = 0;
    const uint32_t bits_max = count + (shape.size() - count) / gaps.modulus;
    if (!skip_ones(in, count, bits_max, quotients)) return false;
    next += quotients * gaps.modulus + remainders + count;
    return next <= shape.size();
  }

  // Moves behind `count` ones, in `bits_max` bits at most; how many zeros lie between.
  MUSTER_BOTH bool skip_ones(Window& in, uint32_t count, uint32_t bits_max, uint32_t& zeros) {
    uint32_t found = 0;
    uint32_t passed = 0;
    for (;;) {
      if (passed >= bits_max || at_ + passed >= end_) return false;
      const uint32_t word = in.bits(at_ + passed);
      if (found + ones(word) < count) {
        found += ones(word);
        passed += 32;
        continue;
      }
      const uint32_t last = warp_.ballot([&](uint32_t lane) {
        return (word >> lane & 1) != 0 && found + ones(low(word, lane)) + 1 == count;
      });
      passed += static_cast<uint32_t>(std::countr_zero(last)) + 1;
      break;
    }
    at_ += passed;
    zeros = passed - count;
    return passed <= bits_max && at_ <= end_;
  }

  Warp& warp_;
  const ReadArgs& args_;
  Shared shared_;
  const PiecePlan& piece_;
  uint64_t at_;
  uint64_t end_;
};

}  // namespace compress::cuda
