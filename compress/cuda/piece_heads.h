// The heads and levels of a piece, read by a warp from the first to the last
// (compress/simd/heads.cpp is the CPU's way to the same).
#pragma once

#include "compress/cuda/bit_window.h"
#include "compress/cuda/tile_walk.h"
#include "compress/level_code.h"
#include "compress/rice.h"
#include "compress/tile_widths.h"
#include "compress/two_levels.h"

namespace compress::cuda {

// Adds numbers up to see if Rice's parameter is the best (compress/rice.h).
struct RiceTotals {
  uint32_t parameter = 0;
  uint64_t count = 0;
  uint64_t saving = 0;
  uint64_t saving_before = 0;

  MUSTER_BOTH void add(uint32_t number) {
    ++count;
    saving += ((number >> parameter) + 1) / 2;
    saving_before += ((number << 1 >> parameter) + 1) / 2;
  }
  MUSTER_BOTH bool is_best() const {
    return saving <= count && (parameter == 0 || saving_before > count);
  }
};

template <class Warp>
class PieceHeads {
 public:
  using Window = BitWindow<Warp>;

  struct Shared {
    uint32_t* levels;  // Windows.
    uint32_t* heads;

    MUSTER_BOTH static Shared of(SharedRoom& room) {
      return {room.take<uint32_t>(Window::kRingWords), room.take<uint32_t>(Window::kRingWords)};
    }
  };

  MUSTER_BOTH PieceHeads(Warp& warp, const ReadArgs& args, const Shared& shared, uint32_t piece)
      : warp_(warp),
        args_(args),
        shared_(shared),
        piece_(args.plan.pieces[piece]),
        at_(8 * args.first_byte[piece]),
        end_(8 * args.first_byte[piece + 1]) {}

  // Writes the tiles' heads, and where their levels are, and what the piece's runs hold. False for
  // what GroupReader::open refuses.
  MUSTER_BOTH bool run() {
    if (end_ - at_ < kGroupHeadBits) return false;
    Window levels(warp_, shared_.levels, args_.body, at_);
    const uint64_t level_bits = 8 * uint64_t{levels.bits(at_)};
    levels_at_ = at_ + kLevelSizeBits;
    levels_end_ = levels_at_ + level_bits;
    if (levels_end_ + kGroupHeadBits - kLevelSizeBits > end_) return false;
    at_ = levels_end_;
    Window heads(warp_, shared_.heads, args_.body, at_);
    all_whole_ = take(heads, 1) != 0;
    high_.parameter = take(heads, kHighRiceBits);
    ratio_.parameter = take(heads, kRatioRiceBits);

    TileWalk walk(args_.plan, piece_.first_tile);
    typename Warp::template Local<LocatedTile> found;
    RunTotal total;
    uint32_t run = piece_.first_run;
    for (uint32_t i = 0; i < piece_.tile_count; ++i) {
      if (i > 0 && walk.next()) {
        write_run(run++, total);
        total = {};
      }
      if (!read_head(heads, walk.shape().keep)) return false;
      const uint64_t levels_begin = levels_at_;
      uint32_t high_count = tile_.count;
      if (tile_.count > 0 && tile_.ratio != 0) {
        high_count = count_high(levels);
        if (high_count == 0 || high_count == tile_.count || levels_at_ > levels_end_) return false;
      }
      add(high_count, total);
      keep(i, levels_begin, found);
    }
    write_run(run, total);
    if (all_whole_ == some_partial_ || !high_.is_best() || !ratio_.is_best()) return false;
    return heads.pad(at_) && at_ <= end_ && levels.pad(levels_at_) && levels_at_ == levels_end_;
  }

  // Of a piece that was not refused: the bit where its values begin.
  MUSTER_BOTH uint64_t values_at() const { return at_; }
  // No level is of a value that is not there.
  MUSTER_BOTH bool levels_end_well() const { return !bad_levels_; }

 private:
  // Of the tile at hand; what is there for one that is not sent means nothing.
  struct Head {
    uint32_t count = 0;
    uint16_t high_code = 0;
    uint16_t ratio = 0;
  };

  MUSTER_BOTH bool read_head(Window& in, uint32_t keep) {
    in.reach(at_);
    tile_.count = keep;
    if (!all_whole_ && take(in, 1) == 0) {
      some_partial_ = true;
      const bool some = take(in, 1) != 0;
      tile_.count = some ? take(in, kCountBits) : 0;
      if (some != (tile_.count != 0) || tile_.count >= keep) return false;
    }
    if (tile_.count == 0) return at_ <= end_;
    if (is_first_) {
      is_first_ = false;
      tile_.high_code = static_cast<uint16_t>(take(in, magnitude_code::kBits));
      tile_.ratio = static_cast<uint16_t>(take(in, magnitude_code::kRatioBits));
      return at_ <= end_;
    }
    return step(in, magnitude_code::kLargest, high_, tile_.high_code) &&
           step(in, magnitude_code::kRatios - 1, ratio_, tile_.ratio) && at_ <= end_;
  }

  // False where a step leads out of 0 to `most`.
  MUSTER_BOTH bool step(Window& in, uint32_t most, RiceTotals& totals, uint16_t& number) {
    const uint32_t step = take_rice(in, totals.parameter, 2 * most);
    if (step > 2 * most) return false;
    const int32_t next = number + unzigzag(step);
    if (next < 0 || next > static_cast<int32_t>(most)) return false;
    totals.add(step);
    number = static_cast<uint16_t>(next);
    return true;
  }

  MUSTER_BOTH uint32_t take(Window& in, uint32_t count) {
    const uint32_t bits = low(in.bits(at_), count);
    at_ += count;
    return bits;
  }

  // Some number above `most` if it is, or if the piece ends.
  MUSTER_BOTH uint32_t take_rice(Window& in, uint32_t parameter, uint32_t most) {
    uint32_t quotient = 0;
    uint32_t word = in.bits(at_);
    while (word == 0) {
      quotient += 32;
      at_ += 32;
      if (quotient > most || at_ > end_) return most + 1;
      in.reach(at_);
      word = in.bits(at_);
    }
    const auto zeros = static_cast<uint32_t>(std::countr_zero(word));
    at_ += zeros + 1;
    quotient += zeros;
    if (quotient > most >> parameter) return most + 1;
    in.reach(at_);
    return quotient << parameter | take(in, parameter);
  }

  // Moves behind the levels of the tile at hand.
  MUSTER_BOTH uint32_t count_high(Window& in) {
    uint32_t high = 0;
    for (uint32_t first = 0; first < tile_.count && levels_at_ <= levels_end_; first += 64) {
      in.reach(levels_at_);
      const uint32_t count = least(64, tile_.count - first);
      const uint32_t pairs = pairs_of(count);
      const uint32_t any = first_of(in.bits(levels_at_), pairs);
      const uint32_t one = first_of(in.bits(levels_at_ + pairs), ones(any));
      const uint32_t both = first_of(in.bits(levels_at_ + pairs + ones(any)), ones(one));
      high += ones(any) + ones(both);
      levels_at_ += pairs + ones(any) + ones(one);
      // The last pair may be of one value: then there is no second.
      if (count % 2 == 0 || (any >> (pairs - 1) & 1) == 0) continue;
      const bool is_first = (one >> (ones(any) - 1) & 1) != 0;
      if (!is_first || (both >> (ones(one) - 1) & 1) != 0) bad_levels_ = true;
    }
    return high;
  }
  MUSTER_BOTH static uint32_t first_of(uint32_t bits, uint32_t count) {
    return count == 32 ? bits : low(bits, count);
  }

  // A tile's squares are exact (compress/two_levels.h); they are added tile by tile.
  MUSTER_BOTH void add(uint32_t high_count, RunTotal& total) const {
    if (tile_.count == 0) return;
    TwoLevels levels;
    levels.high_code = tile_.high_code;
    levels.ratio = static_cast<uint8_t>(tile_.ratio);
    const double high = levels.high();
    const double low = levels.low();
    const uint32_t low_count = tile_.count - high_count;
    total.count += tile_.count;
    total.squares = sum(total.squares, sum(product(high_count, product(high, high)),
                                           product(low_count, product(low, low))));
  }
  MUSTER_BOTH void write_run(uint32_t run, const RunTotal& total) {
    warp_.each([&](uint32_t lane) {
      if (lane == 0) args_.runs[run] = total;
    });
  }

  // Each lane keeps one tile of 32, then all are written. Where values are is not known yet: there
  // stands where the levels are.
  MUSTER_BOTH void keep(uint32_t i, uint64_t levels_begin,
                        typename Warp::template Local<LocatedTile>& found) {
    const bool write = i % 32 == 31 || i + 1 == piece_.tile_count;
    warp_.each([&](uint32_t lane) {
      if (lane == i % 32) {
        found[lane].set(tile_.count, levels_begin);
        found[lane].high_code = tile_.high_code;
        found[lane].ratio = tile_.ratio;
      }
      const uint32_t mine = i / 32 * 32 + lane;
      if (write && mine <= i) args_.tiles[piece_.first_tile + mine] = found[lane];
    });
  }

  Warp& warp_;
  const ReadArgs& args_;
  Shared shared_;
  const PiecePlan& piece_;
  uint64_t at_;
  uint64_t end_;
  uint64_t levels_at_ = 0;
  uint64_t levels_end_ = 0;
  bool all_whole_ = false;
  bool some_partial_ = false;
  bool is_first_ = true;
  bool bad_levels_ = false;
  Head tile_;
  RiceTotals high_;
  RiceTotals ratio_;
};

}  // namespace compress::cuda
