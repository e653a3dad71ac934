// Attention forward on tensor cores: a block for 64 queries of a head.
#pragma once

#include "train/cuda/attention.h"

namespace train::cuda {

// Blocks: (B, H, query tiles), the last tile of queries, which sees most keys, first.
template <int kD>
struct AttentionForward {
  static constexpr int kThreads = 128;
  static constexpr int kQueries = kThreads / kLanes * 16;
  static constexpr int kKeys = 64;
  using Args = AttentionArgs;

  static int64_t blocks(const AttentionShape& shape) {
    return int64_t{shape.B} * shape.H * blocks_of(shape.T, kQueries);
  }
  static size_t shared_bytes(const Args&) {
    return 16 * 64 + Tile<kD>::size_bytes(kQueries + 4 * kKeys);
  }
  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
};

template <int kD, class Block>
class ForwardTile {
  using Kernel = AttentionForward<kD>;
  static constexpr int kQueries = Kernel::kQueries;
  static constexpr int kKeys = Kernel::kKeys;

  // Of the two rows that a thread shares.
  struct Rows {
    float top[2];
    float sum[2];  // Of a thread's columns, until the end.
    float rescale[2];
  };

 public:
  MUSTER_BOTH ForwardTile(Block& block, const AttentionArgs& args, uint8_t* shared)
      : block_(block), args_(args) {
    SharedRoom room(shared);
    starts_ = room.template take<int>(kQueries);
    q_ = room.template tile<kD>(kQueries);
    k_ = room.template tile<kD>(2 * kKeys);
    v_ = room.template tile<kD>(2 * kKeys);
    const AttentionShape& shape = args.shape;
    const int tiles = blocks_of(shape.T, kQueries);
    head_ = block.index() / tiles % shape.H;
    b_ = block.index() / tiles / shape.H;
    first_ = (tiles - 1 - block.index() % tiles) * kQueries;
    const int kv = head_ / args.group();
    keys_ = head_of(args.qkv, args, args.row(), b_, shape.H + kv);
    values_ = head_of(args.qkv, args, args.row(), b_, shape.H + shape.K + kv);
  }

  MUSTER_BOTH void run() {
    const uint32_t* const starts = args_.document_start + int64_t{b_} * args_.shape.T;
    const int end = least(args_.shape.T, first_ + kQueries);
    const int first_key = static_cast<int>(starts[first_]) / kKeys * kKeys;
    block_.step([&](int t) {
      if (t < kQueries) {
        starts_[t] = first_ + t < end ? static_cast<int>(starts[first_ + t]) : 0;
      }
      sums_[t].clear();
      rows_[t] = {{kFarBelow, kFarBelow}, {0, 0}, {1, 1}};
    });
    load_tile<kQueries, kD>(block_, q_, head_of(args_.qkv, args_, args_.row(), b_, head_), first_,
                            args_.together);
    bring(first_key, 0);
    int buffer = 0;
    for (int key = first_key; key < end; key += kKeys, buffer ^= 1) {
      if (key + kKeys < end) bring(key + kKeys, buffer ^ 1);
      if (key + kKeys < end) {
        block_.template arrive<1>();
      } else {
        block_.template arrive<0>();
      }
      add(key, k_.behind(buffer * kKeys), v_.behind(buffer * kKeys));
      block_.meet();  // Before the tile is written over.
    }
    finish();
  }

 private:
  MUSTER_BOTH void bring(int key, int buffer) {
    load_tile<kKeys, kD>(block_, k_.behind(buffer * kKeys), keys_, key, args_.together);
    load_tile<kKeys, kD>(block_, v_.behind(buffer * kKeys), values_, key, args_.together);
    block_.commit();
  }

  MUSTER_BOTH void add(int key, const Tile<kD>& k, const Tile<kD>& v) {
    Local<Block, Sums<kKeys>> scores;
    block_.step([&](int t) { scores[t].clear(); });
    multiply_rows<kD, kKeys>(
        block_, scores, q_, [](int t) { return t / kLanes * 16; }, k);
    block_.step([&](int t) { mask(t, key, scores[t]); });
    MUSTER_UNROLL
    for (int half = 0; half < 2; ++half) {
      block_.template lanes_most<4>([&](int t) -> float& { return rows_[t].rescale[half]; });
    }
    block_.step([&](int t) { weigh(t, scores[t]); });
    multiply_weights<kKeys, kD>(block_, sums_, scores, v);
  }

  // Scores times the scale; those not seen far below all. Leaves the new top in `rescale`.
  MUSTER_BOTH void mask(int t, int key, Sums<kKeys>& scores) {
    Rows& rows = rows_[t];
    float top[2] = {rows.top[0], rows.top[1]};
    const int warp_row = t / kLanes * 16;
    scores.each(t, [&](float& score, int half, int row, int column) {
      const int query = warp_row + row;
      const int s = key + column;
      const bool seen = s <= first_ + query && s >= starts_[query];
      score = seen ? score * args_.scale : kFarBelow;
      top[half] = larger(top[half], score);
    });
    rows.rescale[0] = top[0];
    rows.rescale[1] = top[1];
  }

  // Scores to weights, and what was summed before to their measure.
  MUSTER_BOTH void weigh(int t, Sums<kKeys>& scores) {
    Rows& rows = rows_[t];
    MUSTER_UNROLL
    for (int half = 0; half < 2; ++half) {
      const float top = rows.rescale[half];
      rows.rescale[half] = ::exp2f((rows.top[half] - top) * kLog2e);
      rows.top[half] = top;
      rows.sum[half] *= rows.rescale[half];
    }
    scores.each(t, [&](float& score, int half, int, int) {
      // Of a row that has seen nothing yet all are as far below as its top.
      const bool seen = score != kFarBelow;
      const float weight = seen ? ::exp2f((score - rows.top[half]) * kLog2e) : 0.0F;
      rows.sum[half] += seen ? weight + nothing_of(score) : 0.0F;
      score = weight;
    });
    sums_[t].each(t, [&](float& sum, int half, int, int) { sum *= rows.rescale[half]; });
  }

  MUSTER_BOTH void finish() {
    MUSTER_UNROLL
    for (int half = 0; half < 2; ++half) {
      block_.template lanes_sum<4>([&](int t) -> float& { return rows_[t].sum[half]; });
    }
    const HeadRows<Bf16> out = head_of(args_.out, args_, args_.head_row(), b_, head_);
    store_rows<kD>(block_, sums_, out, first_,
                   [&](int t, int half) { return 1.0F / rows_[t].sum[half]; });
    block_.step([&](int t) {
      if (t % 4 != 0) return;
      MUSTER_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int position = first_ + t / kLanes * 16 + t % kLanes / 4 + half * 8;
        if (position >= args_.shape.T) continue;
        const int64_t n = int64_t{b_} * args_.shape.T + position;
        args_.lse_out[n * args_.shape.H + head_] = rows_[t].top[half] + ::logf(rows_[t].sum[half]);
      }
    });
  }

  Block& block_;
  const AttentionArgs& args_;
  int* starts_;
  Tile<kD> q_, k_, v_;  // Of keys and values two, for turns.
  int head_, b_, first_;
  HeadRows<const Bf16> keys_, values_;
  Local<Block, Sums<kD>> sums_;
  Local<Block, Rows> rows_;
};

template <int kD>
template <class Block>
MUSTER_BOTH void AttentionForward<kD>::run(Block& block, const Args& args, uint8_t* shared) {
  ForwardTile<kD, Block>(block, args, shared).run();
}

}  // namespace train::cuda
