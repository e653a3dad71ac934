// Attention backward on tensor cores: d_k and d_v, a block for 64 keys of a head of keys. Scores
// are made the other way round, a row a key, so that they are rows of what they are multiplied by.
#pragma once

#include "train/cuda/attention.h"

namespace train::cuda {

// Blocks: (B, K, key tiles); the first tile of keys is seen by most queries.
template <int kD>
struct AttentionBackwardKeys {
  static constexpr int kThreads = 128;
  static constexpr int kKeys = kThreads / kLanes * 16;
  static constexpr int kQueries = kD > 64 ? 32 : 64;  // Or registers do not hold the sums.
  using Args = AttentionArgs;

  static int64_t blocks(const AttentionShape& shape) {
    return int64_t{shape.B} * shape.K * blocks_of(shape.T, kKeys);
  }
  static size_t shared_bytes(const Args&) {
    return 6 * 16 * 16 + Tile<kD>::size_bytes(2 * kKeys + 4 * kQueries);
  }
  template <class Block>
  MUSTER_BOTH static void run(Block& block, const Args& args, uint8_t* shared);
};

template <int kD, class Block>
class BackwardKeys {
  using Kernel = AttentionBackwardKeys<kD>;
  static constexpr int kQueries = Kernel::kQueries;
  static constexpr int kKeys = Kernel::kKeys;

  // Some queries of a head, in shared memory.
  struct Queries {
    Tile<kD> q, d_out;
    float* lse;    // (kQueries)
    float* delta;  // (kQueries)
    int* starts;   // (kQueries)  beyond all keys where there is no query

    // The first or the second half.
    MUSTER_BOTH Queries turn(int step) const {
      const int rows = step % 2 * kQueries;
      return {q.behind(rows), d_out.behind(rows), lse + rows, delta + rows, starts + rows};
    }
  };

 public:
  MUSTER_BOTH BackwardKeys(Block& block, const AttentionArgs& args, uint8_t* shared)
      : block_(block), args_(args) {
    SharedRoom room(shared);
    k_ = room.template tile<kD>(kKeys);
    v_ = room.template tile<kD>(kKeys);
    queries_.q = room.template tile<kD>(2 * kQueries);
    queries_.d_out = room.template tile<kD>(2 * kQueries);
    queries_.lse = room.template take<float>(2 * kQueries);
    queries_.delta = room.template take<float>(2 * kQueries);
    queries_.starts = room.template take<int>(2 * kQueries);
    const int tiles = blocks_of(args.shape.T, kKeys);
    kv_ = block.index() / tiles % args.shape.K;
    b_ = block.index() / tiles / args.shape.K;
    first_ = block.index() % tiles * kKeys;
    starts_ = args.document_start + int64_t{b_} * args.shape.T;
  }

  MUSTER_BOTH void run() {
    const AttentionShape& shape = args_.shape;
    block_.step([&](int t) {
      d_k_[t].clear();
      d_v_[t].clear();
    });
    load_tile<kKeys, kD>(block_, k_, head_of(args_.qkv, args_, args_.row(), b_, shape.H + kv_),
                         first_, args_.together);
    load_tile<kKeys, kD>(block_, v_,
                         head_of(args_.qkv, args_, args_.row(), b_, shape.H + shape.K + kv_),
                         first_, args_.together);
    const int first_tile = first_ / kQueries;
    const int tiles = seeing_tiles() - first_tile;
    const int steps = args_.group() * tiles;
    const auto bring_step = [&](int step) {
      bring(kv_ * args_.group() + step / tiles, (first_tile + step % tiles) * kQueries,
            queries_.turn(step));
    };
    bring_step(0);
    for (int step = 0; step < steps; ++step) {
      if (step + 1 < steps) {
        bring_step(step + 1);
        block_.template arrive<1>();
      } else {
        block_.template arrive<0>();
      }
      add((first_tile + step % tiles) * kQueries, queries_.turn(step));
      block_.meet();  // Before the queries are written over.
    }
    const auto as_it_is = [](int, int) { return 1.0F; };
    store_rows<kD>(block_, d_k_, head_of(args_.out, args_, args_.row(), b_, shape.H + kv_), first_,
                   as_it_is);
    store_rows<kD>(block_, d_v_,
                   head_of(args_.out, args_, args_.row(), b_, shape.H + shape.K + kv_), first_,
                   as_it_is);
  }

 private:
  // The first tile of queries none of which sees our keys, since their documents begin later. One
  // sees them at least: that of our first key.
  MUSTER_BOTH int seeing_tiles() const {
    int seeing = first_ / kQueries;
    int beyond = blocks_of(args_.shape.T, kQueries);
    while (beyond - seeing > 1) {
      const int middle = (seeing + beyond) / 2;
      if (static_cast<int>(starts_[middle * kQueries]) < first_ + kKeys) {
        seeing = middle;
      } else {
        beyond = middle;
      }
    }
    return beyond;
  }

  MUSTER_BOTH void bring(int head, int first, const Queries& to) {
    const AttentionShape& shape = args_.shape;
    load_tile<kQueries, kD>(block_, to.q, head_of(args_.qkv, args_, args_.row(), b_, head), first,
                            args_.together);
    load_tile<kQueries, kD>(block_, to.d_out,
                            head_of(args_.d_out, args_, args_.head_row(), b_, head), first,
                            args_.together);
    block_.commit();
    block_.step([&](int t) {
      if (t >= kQueries) return;
      const int position = first + t;
      const bool inside = position < shape.T;
      const int64_t at = (int64_t{b_} * shape.T + position) * shape.H + head;
      to.lse[t] = inside ? args_.lse[at] : 0.0F;
      to.delta[t] = inside ? args_.delta[at] : 0.0F;
      to.starts[t] = inside ? static_cast<int>(starts_[position]) : INT32_MAX;
    });
  }

  MUSTER_BOTH void add(int first_query, const Queries& of) {
    Local<Block, Sums<kQueries>> scores;
    Local<Block, Sums<kQueries>> d_weights;
    const auto rows = [](int t) { return t / kLanes * 16; };
    block_.step([&](int t) {
      scores[t].clear();
      d_weights[t].clear();
    });
    multiply_rows<kD, kQueries>(block_, scores, k_, rows, of.q);
    multiply_rows<kD, kQueries>(block_, d_weights, v_, rows, of.d_out);
    block_.step([&](int t) {
      scores[t].each(t, [&](float& score, int, int row, int column) {
        const int s = first_ + t / kLanes * 16 + row;
        const bool seen = s <= first_query + column && s >= of.starts[column];
        score = seen ? ::exp2f((score * args_.scale - of.lse[column]) * kLog2e) : 0.0F;
      });
    });
    multiply_weights<kQueries, kD>(block_, d_v_, scores, of.d_out);
    block_.step([&](int t) { differentiate(t, scores[t], d_weights[t], of); });
    multiply_weights<kQueries, kD>(block_, d_k_, scores, of.q);
  }

  // Weights become the gradients of scores; those of nothing stay nothing.
  MUSTER_BOTH void differentiate(int t, Sums<kQueries>& weights, Sums<kQueries>& d_weights,
                                 const Queries& of) const {
    MUSTER_UNROLL
    for (int tile = 0; tile < Sums<kQueries>::kTiles; ++tile) {
      MUSTER_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int column = tile * 8 + t % 4 * 2 + i % 2;
        weights.at[tile][i] *= (d_weights.at[tile][i] - of.delta[column]) * args_.scale;
      }
    }
  }

  Block& block_;
  const AttentionArgs& args_;
  Tile<kD> k_, v_;
  Queries queries_;  // Two of them, for turns.
  int kv_, b_, first_;
  const uint32_t* starts_;
  Local<Block, Sums<kD>> d_k_;
  Local<Block, Sums<kD>> d_v_;
};

template <int kD>
template <class Block>
MUSTER_BOTH void AttentionBackwardKeys<kD>::run(Block& block, const Args& args, uint8_t* shared) {
  BackwardKeys<kD, Block>(block, args, shared).run();
}

}  // namespace train::cuda
