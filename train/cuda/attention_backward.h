// Attention backward on tensor cores: d_q, a block for 64 queries of a head.
#pragma once

#include "train/cuda/attention.h"

namespace train::cuda {

// delta[n, h] = sum of d_out * out: a warp for each head of each position.
template <typename Value>
struct AttentionDelta : NoShared {
  static constexpr int kThreads = 256;
  static constexpr int kHeads = kThreads / kLanes;  // A block's.
  struct Args {
    float* delta;
    const Value* d_out;
    const Value* out;
    int64_t heads;  // Of all positions.
    int D;
  };

  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t*) {
    Local<Block, float> sums;
    const int64_t first = int64_t{block.index()} * kHeads;
    block.step([&](int t) {
      const int64_t head = first + t / kLanes;
      sums[t] = 0;
      if (head >= args.heads) return;
      for (int i = t % kLanes; i < args.D; i += kLanes) {
        sums[t] += wide(args.d_out[head * args.D + i]) * wide(args.out[head * args.D + i]);
      }
    });
    block.template lanes_sum<kLanes>([&](int t) -> float& { return sums[t]; });
    block.step([&](int t) {
      const int64_t head = first + t / kLanes;
      if (t % kLanes == 0 && head < args.heads) args.delta[head] = sums[t];
    });
  }
};

// Blocks as of AttentionForward.
template <int kD>
struct AttentionBackwardQueries {
  static constexpr int kThreads = 128;
  static constexpr int kQueries = kThreads / kLanes * 16;
  static constexpr int kKeys = kD > 64 ? 32 : 64;  // Or registers do not hold the sums.
  using Args = AttentionArgs;

  static int64_t blocks(const AttentionShape& shape) {
    return int64_t{shape.B} * shape.H * blocks_of(shape.T, kQueries);
  }
  static size_t shared_bytes(const Args&) {
    return 16 * 64 + Tile<kD>::size_bytes(2 * kQueries + 4 * kKeys);
  }
  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
};

template <int kD, class Block>
class BackwardQueries {
  using Kernel = AttentionBackwardQueries<kD>;
  static constexpr int kQueries = Kernel::kQueries;
  static constexpr int kKeys = Kernel::kKeys;

  // Of the two rows that a thread shares.
  struct Rows {
    float lse[2];
    float delta[2];
  };

 public:
  MUSTER_BOTH BackwardQueries(Block& block, const AttentionArgs& args, uint8_t* shared)
      : block_(block), args_(args) {
    SharedRoom room(shared);
    starts_ = room.take<int>(kQueries);
    q_ = room.template tile<kD>(kQueries);
    d_out_ = room.template tile<kD>(kQueries);
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
    const AttentionShape& shape = args_.shape;
    const uint32_t* const starts = args_.document_start + int64_t{b_} * shape.T;
    const int end = least(shape.T, first_ + kQueries);
    const int first_key = static_cast<int>(starts[first_]) / kKeys * kKeys;
    block_.step([&](int t) {
      if (t < kQueries) {
        starts_[t] = first_ + t < end ? static_cast<int>(starts[first_ + t]) : 0;
      }
      d_q_[t].clear();
      read_row(t, 0);
      read_row(t, 1);
    });
    load_tile<kQueries, kD>(block_, q_, head_of(args_.qkv, args_, args_.row(), b_, head_), first_,
                            args_.together);
    load_tile<kQueries, kD>(block_, d_out_,
                            head_of(args_.d_out, args_, args_.head_row(), b_, head_), first_,
                            args_.together);
    bring(first_key, 0);
    int buffer = 0;
    for (int key = first_key; key < end; key += kKeys, buffer ^= 1) {
      if (key + kKeys < end) {
        bring(key + kKeys, buffer ^ 1);
        block_.template arrive<1>();
      } else {
        block_.template arrive<0>();
      }
      add(key, k_.behind(buffer * kKeys), v_.behind(buffer * kKeys));
      block_.meet();  // Before the tile is written over.
    }
    store_rows<kD>(block_, d_q_, head_of(args_.out, args_, args_.row(), b_, head_), first_,
                   [](int, int) { return 1.0F; });
  }

 private:
  MUSTER_BOTH void read_row(int t, int half) {
    const int position = first_ + t / kLanes * 16 + t % kLanes / 4 + half * 8;
    const bool inside = position < args_.shape.T;
    const int64_t at = (int64_t{b_} * args_.shape.T + position) * args_.shape.H + head_;
    rows_[t].lse[half] = inside ? args_.lse[at] : 0.0F;
    rows_[t].delta[half] = inside ? args_.delta[at] : 0.0F;
  }

  MUSTER_BOTH void bring(int key, int buffer) {
    load_tile<kKeys, kD>(block_, k_.behind(buffer * kKeys), keys_, key, args_.together);
    load_tile<kKeys, kD>(block_, v_.behind(buffer * kKeys), values_, key, args_.together);
    block_.commit();
  }

  MUSTER_BOTH void add(int key, const Tile<kD>& k, const Tile<kD>& v) {
    Local<Block, Sums<kKeys>> scores;
    Local<Block, Sums<kKeys>> d_weights;
    const auto rows = [](int t) { return t / kLanes * 16; };
    block_.step([&](int t) {
      scores[t].clear();
      d_weights[t].clear();
    });
    multiply_rows<kD, kKeys>(block_, scores, q_, rows, k);
    multiply_rows<kD, kKeys>(block_, d_weights, d_out_, rows, v);
    block_.step([&](int t) { differentiate(t, key, scores[t], d_weights[t]); });
    multiply_weights<kKeys, kD>(block_, d_q_, scores, k);
  }

  // Scores become their gradients.
  MUSTER_BOTH void differentiate(int t, int key, Sums<kKeys>& scores, Sums<kKeys>& d_weights) {
    const Rows& of = rows_[t];
    const int warp_row = t / kLanes * 16;
    MUSTER_UNROLL
    for (int tile = 0; tile < Sums<kKeys>::kTiles; ++tile) {
      MUSTER_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int half = i / 2;
        const int query = warp_row + t % kLanes / 4 + half * 8;
        const int s = key + tile * 8 + t % 4 * 2 + i % 2;
        float& score = scores.at[tile][i];
        const bool seen = s <= first_ + query && s >= starts_[query];
        const float weight = seen ? ::exp2f((score * args_.scale - of.lse[half]) * kLog2e) : 0.0F;
        score = seen ? weight * (d_weights.at[tile][i] - of.delta[half]) * args_.scale : 0.0F;
      }
    }
  }

  Block& block_;
  const AttentionArgs& args_;
  int* starts_;
  Tile<kD> q_, d_out_, k_, v_;  // Of keys and values two, for turns.
  int head_, b_, first_;
  HeadRows<const Bf16> keys_, values_;
  Local<Block, Sums<kD>> d_q_;
  Local<Block, Rows> rows_;
};

template <int kD>
template <class Block>
MUSTER_BOTH void AttentionBackwardQueries<kD>::run(Block& block, const Args& args,
                                                   uint8_t* shared) {
  BackwardQueries<kD, Block>(block, args, shared).run();
}

}  // namespace train::cuda
