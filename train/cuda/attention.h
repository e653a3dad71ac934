// What the kernels of attention on tensor cores share: where their tiles lie, and which positions
// see which (train/backend.h).
//
// Two tiles of bf16 are multiplied in fp32, with a running softmax; scores never leave registers.
// Tiles that no query sees (later keys, other documents) are left out. Heads are padded with zeros
// to 32, 64 or 128 values. The backward pass makes scores again, twice: once for d_q, a block for
// some queries, and once for d_k and d_v, a block for some keys that adds all queries of its group
// in order: so no sum needs an atomic.
//
// Source: Dao 2023, arXiv:2307.08691.
#pragma once

#include "train/backend.h"
#include "train/cuda/fragments.h"

namespace train::cuda {

inline constexpr float kLog2e = 1.44269504F;

// 0, were it not for a score that is not finite, where nobody looks.
inline constexpr float kFarBelow = -3.0e38F;

template <typename Value>
struct AttentionArgsOf {
  AttentionShape shape;
  const uint32_t* document_start;  // (B, T)
  const Value* qkv;
  const Value* d_out;  // (B * T, H * D)
  const float* lse;    // (B * T, H)
  const float* delta;  // (B * T, H)  sum over a head of d_out * out
  Value* out;          // Forward: (B * T, H * D), backward: d_qkv.
  float* lse_out;
  float scale;    // 1 / sqrt(D)
  bool together;  // D divides by 8, and all begin with 16 bytes.

  MUSTER_BOTH int group() const { return shape.H / shape.K; }
  MUSTER_BOTH int row() const { return (shape.H + 2 * shape.K) * shape.D; }
  MUSTER_BOTH int head_row() const { return shape.H * shape.D; }
};
using AttentionArgs = AttentionArgsOf<Bf16>;

// Rows of one head of one sequence in an array of positions.
template <typename Value>
struct HeadRows {
  Value* first;  // Of position 0.
  int stride;
  int T;
  int D;

  MUSTER_BOTH Value* row(int t) const { return first + int64_t{t} * stride; }
};

// Which of H queries' heads, K heads of keys or of values `index` is, for sequence b.
template <typename Value, typename Args>
MUSTER_BOTH HeadRows<Value> head_of(Value* rows, const Args& args, int row, int b, int head) {
  const int64_t first = int64_t{b} * args.shape.T * row + int64_t{head} * args.shape.D;
  return {rows + first, row, args.shape.T, args.shape.D};
}

// Copies positions first, first + 1, ... to a tile of kRows rows, zeros where there is none. They
// are there when the copies have arrived.
template <int kRows, int kColumns, class Block>
MUSTER_BOTH void load_tile(Block& block, const Tile<kColumns>& tile,
                           const HeadRows<const Bf16>& from, int first, bool together) {
  constexpr int kPieces = kColumns / 8;  // Of 16 bytes.
  constexpr int kTimes = kRows * kPieces / Block::kThreads;
  static_assert(kRows * kPieces % Block::kThreads == 0);
  block.step([&](int t) {
    MUSTER_UNROLL
    for (int k = 0; k < kTimes; ++k) {
      const int i = t + k * Block::kThreads;
      const int position = first + i / kPieces;
      const int column = i % kPieces * 8;
      const bool inside = position < from.T && column < from.D;
      const Bf16* const source = inside ? from.row(position) + column : from.first;
      Bf16* const to = tile.row(i / kPieces) + column;
      if (together) {
        block.copy(to, source, inside);
      } else {
        for (int j = 0; j < 8; ++j) to[j] = inside && column + j < from.D ? source[j] : Bf16{};
      }
    }
  });
}

// Writes a warp's 16 rows of sums to the positions from `first` on, each `scale(row)` times.
template <int kColumns, class Block, typename Scale>
MUSTER_BOTH void store_rows(Block& block, Local<Block, Sums<kColumns>>& sums,
                            const HeadRows<Bf16>& to, int first, const Scale& scale) {
  block.step([&](int t) {
    const int warp_first = first + t / kLanes * 16;
    MUSTER_UNROLL
    for (int tile = 0; tile < kColumns / 8; ++tile) {
      MUSTER_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int position = warp_first + t % kLanes / 4 + half * 8;
        const int column = tile * 8 + t % 4 * 2;
        if (position >= to.T || column >= to.D) continue;
        const float factor = scale(t, half);
        const float(&at)[4] = sums[t].at[tile];
        const float both[2] = {at[2 * half] * factor, at[2 * half + 1] * factor};
        // Heads are of even width, and so are rows: four bytes begin here.
        store(to.row(position) + column, both, 2, true);
      }
    }
  });
}

// Cuts a block's shared memory.
class SharedRoom {
 public:
  MUSTER_BOTH explicit SharedRoom(uint8_t* base) : next_(base) {}

  template <typename T>
  MUSTER_BOTH T* take(int count) {
    uint8_t* const at = next_;
    next_ += (static_cast<size_t>(count) * sizeof(T) + 15) / 16 * 16;
    return reinterpret_cast<T*>(at);
  }
  template <int kColumns>
  MUSTER_BOTH Tile<kColumns> tile(int rows) {
    return {take<Bf16>(rows * Tile<kColumns>::kStride)};
  }
  MUSTER_BOTH size_t used(const uint8_t* base) const { return static_cast<size_t>(next_ - base); }

 private:
  uint8_t* next_;
};

}  // namespace train::cuda
