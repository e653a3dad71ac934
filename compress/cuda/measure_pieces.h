// The kernel that lays out pieces: a block for each. It knows the heads of all tiles, so it finds
// Rice's parameters and where the bits of each tile go (compress/tile_code.h).
//
// 16 bytes a tile are read three times and 12 written; the values' bits are not touched.
#pragma once

#include "compress/cuda/encode_args.h"
#include "compress/rice.h"
#include "compress/tile_widths.h"
#include "compress/two_levels.h"

namespace compress::cuda {

// Where a tile's bits go, counted from the first of its stream.
struct TilePlace {
  uint32_t head = 0;
  uint32_t levels = 0;
  uint32_t values = 0;
};

struct PieceHead {
  uint32_t size = 0;  // Bytes.
  uint32_t level_bytes = 0;
  uint32_t head_bits = 0;
  uint32_t first_sent = 0;  // The first tile of the piece that is sent.
  uint16_t all_whole = 0;
  uint8_t high_parameter = 0;
  uint8_t ratio_parameter = 0;

  // Where a stream begins, in bits of the piece.
  MUSTER_BOTH uint64_t levels_at() const { return kLevelSizeBits; }
  MUSTER_BOTH uint64_t heads_at() const { return kLevelSizeBits + 8 * uint64_t{level_bytes}; }
  MUSTER_BOTH uint64_t values_at() const { return heads_at() + (head_bits + 7) / 8 * 8; }
};

// Bits of a tile's head that say if it is whole.
MUSTER_BOTH uint32_t count_bits(const CodedHead& head, uint32_t keep, bool all_whole) {
  if (all_whole) return 0;
  if (head.count == keep) return 1;
  return head.count == 0 ? 2 : 2 + kCountBits;
}

MUSTER_BOTH uint32_t rice_bits(uint32_t number, uint32_t parameter) {
  return (number >> parameter) + 1 + parameter;
}

struct MeasurePieces {
  static constexpr uint32_t kThreads = 256;
  static constexpr uint32_t kBlocksMin = 4;

  struct Args {
    Plan plan;
    CodedHead* heads = nullptr;   // (tiles) steps are filled in
    TilePlace* places = nullptr;  // (tiles) out
    PieceHead* pieces = nullptr;  // (pieces) out
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
  template <class Block>
  static size_t shared_bytes(const Args&) {
    return 0;
  }
};

template <class Block>
class PieceMeasurer {
 public:
  MUSTER_BOTH PieceMeasurer(Block& block, const MeasurePieces::Args& args)
      : block_(block),
        args_(args),
        first_(args.plan.pieces[block.index()].first_tile),
        count_(args.plan.pieces[block.index()].tile_count) {}

  MUSTER_BOTH void run() {
    find_steps();
    const uint32_t steps = sent_ > 0 ? sent_ - 1 : 0;
    const auto high = parameter(steps, [](const CodedHead& head) { return head.high_step; });
    const auto ratio = parameter(steps, [](const CodedHead& head) { return head.ratio_step; });
    piece_.high_parameter = static_cast<uint8_t>(high);
    piece_.ratio_parameter = static_cast<uint8_t>(ratio);
    place_all();
  }

 private:
  static constexpr uint32_t kThreads = Block::kThreads;

  MUSTER_BOTH CodedHead& head(uint32_t i) { return args_.heads[first_ + i]; }
  MUSTER_BOTH uint32_t keep_of(uint32_t i) const {
    return args_.plan.place(first_ + i).shape->keep;
  }
  // Whether there is a step to a tile.
  MUSTER_BOTH bool follows(uint32_t i) { return head(i).count > 0 && i != piece_.first_sent; }

  // Steps between tiles that are sent; how many those are, which is the first, if all are whole.
  MUSTER_BOTH void find_steps() {
    sent_ = block_.sum([&](uint32_t t) {
      uint32_t sent = 0;
      for (uint32_t i = t; i < count_; i += kThreads) sent += head(i).count > 0 ? 1u : 0u;
      return sent;
    });
    piece_.first_sent = ~block_.template most<uint32_t>([&](uint32_t t) {
      for (uint32_t i = t; i < count_; i += kThreads) {
        if (head(i).count > 0) return ~i;
      }
      return 0u;
    });
    const uint32_t partial = block_.sum([&](uint32_t t) {
      uint32_t found = 0;
      for (uint32_t i = t; i < count_; i += kThreads) {
        found += head(i).count != keep_of(i) ? 1u : 0u;
      }
      return found;
    });
    piece_.all_whole = partial == 0;
    block_.each([&](uint32_t t) {
      for (uint32_t i = t; i < count_; i += kThreads) {
        if (!follows(i)) continue;
        uint32_t before = i - 1;
        while (head(before).count == 0) --before;
        head(i).high_step = zigzag(int32_t{head(i).high_code} - head(before).high_code);
        head(i).ratio_step = zigzag(int32_t{head(i).ratio} - head(before).ratio);
      }
    });
  }

  // The least whose step saves no more than it costs (compress/rice.h).
  template <class StepOf>
  MUSTER_BOTH uint32_t parameter(uint32_t steps, const StepOf& step_of) {
    for (uint32_t tried = 0;; ++tried) {
      const uint32_t saving = block_.sum([&](uint32_t t) {
        uint32_t here = 0;
        for (uint32_t i = t; i < count_; i += kThreads) {
          if (follows(i)) here += ((uint32_t{step_of(head(i))} >> tried) + 1) / 2;
        }
        return here;
      });
      if (saving <= steps) return tried;
    }
  }

  MUSTER_BOTH uint32_t head_bits(uint32_t i) {
    const CodedHead& of = head(i);
    const uint32_t bits = count_bits(of, keep_of(i), piece_.all_whole != 0);
    if (of.count == 0) return bits;
    if (!follows(i)) return bits + magnitude_code::kBits + magnitude_code::kRatioBits;
    return bits + rice_bits(of.high_step, piece_.high_parameter) +
           rice_bits(of.ratio_step, piece_.ratio_parameter);
  }

  // x becomes its sum over the tiles before, from `from` on; returns that of all.
  MUSTER_BOTH uint32_t sums_before(typename Block::template Local<uint32_t>& x, uint32_t from) {
    const uint32_t all = block_.exclusive_sum(x);
    block_.each([&](uint32_t t) { x[t] += from; });
    return from + all;
  }

  MUSTER_BOTH void place_all() {
    typename Block::template Local<uint32_t> head_at;
    typename Block::template Local<uint32_t> level_at;
    typename Block::template Local<uint32_t> value_at;
    uint32_t head_end = 1 + kHighRiceBits + kRatioRiceBits;
    uint32_t level_end = 0;
    uint32_t value_end = 0;
    for (uint32_t first = 0; first < count_; first += kThreads) {
      block_.each([&](uint32_t t) {
        const uint32_t i = first + t;
        const bool there = i < count_;
        head_at[t] = there ? head_bits(i) : 0;
        level_at[t] = there ? head(i).level_bits : 0;
        value_at[t] = there ? head(i).value_bits : 0;
      });
      head_end = sums_before(head_at, head_end);
      level_end = sums_before(level_at, level_end);
      value_end = sums_before(value_at, value_end);
      block_.each([&](uint32_t t) {
        if (first + t >= count_) return;
        args_.places[first_ + first + t] = {head_at[t], level_at[t], value_at[t]};
      });
    }
    piece_.head_bits = head_end;
    piece_.level_bytes = (level_end + 7) / 8;
    piece_.size = static_cast<uint32_t>(piece_.values_at() / 8) + (value_end + 7) / 8;
    block_.each([&](uint32_t t) {
      if (t == 0) args_.pieces[block_.index()] = piece_;
    });
  }

  Block& block_;
  const MeasurePieces::Args& args_;
  uint32_t first_;
  uint32_t count_;
  uint32_t sent_ = 0;
  PieceHead piece_;
};

template <class Block>
MUSTER_BOTH void MeasurePieces::run(Block& block, const Args& args, uint8_t*) {
  PieceMeasurer<Block>(block, args).run();
}

}  // namespace compress::cuda
