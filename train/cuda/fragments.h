// Products of small matrices of bf16 on the tensor cores, a warp at a time: what a thread holds of
// them, and where it finds it.
//
// A Block has, for these:
//   load_matrices<turned>(f)   f(t) says where thread t finds a row of 8, and gets the registers
//                              that it fills (PTX: ldmatrix.x4, .trans if turned)
//   multiply(f)                f(t) names thread t's registers: d += a b  (PTX: mma.m16n8k16)
//   copy(to, from, inside)     16 bytes to shared memory, zeros unless inside; they are there after
//                              (PTX: cp.async)
//   commit(), arrive<N>()      closes a group of copies; waits, together, until all but N have come
//
// Both work on the warps of a block that hold 32 threads in a row; nobody waits but in arrive.
// Source: NVIDIA, PTX ISA 9.0, sections 9.7.14.5.8 (fragments of m16n8k16) and 9.7.14.5.15.
#pragma once

#include "train/cuda/both.h"

namespace train::cuda {

// A 16 x 16 of a, or two 16 x 8 of b side by side; two values a register.
struct Fragment {
  uint32_t at[4];
};

// A thread's share of a warp's 16 rows of sums, `kColumns` wide: of each 8 columns
//   (row g, column 2q), (g, 2q + 1), (g + 8, 2q), (g + 8, 2q + 1),  g = lane / 4, q = lane % 4.
template <int kColumns>
struct Sums {
  static constexpr int kTiles = kColumns / 8;
  float at[kTiles][4];

  MUSTER_BOTH void clear() {
    MUSTER_UNROLL
    for (int tile = 0; tile < kTiles; ++tile) {
      MUSTER_UNROLL
      for (int i = 0; i < 4; ++i) at[tile][i] = 0;
    }
  }
  // f(value, which of the thread's two rows, its row among the warp's 16, its column)
  template <typename F>
  MUSTER_BOTH void each(int t, const F& f) {
    MUSTER_UNROLL
    for (int tile = 0; tile < kTiles; ++tile) {
      MUSTER_UNROLL
      for (int i = 0; i < 4; ++i) {
        f(at[tile][i], i / 2, t % kLanes / 4 + i / 2 * 8, tile * 8 + t % 4 * 2 + i % 2);
      }
    }
  }
  // Columns 16 k to 16 k + 15, rounded, as an `a`.
  MUSTER_BOTH Fragment rounded(int k) const {
    const auto& left = at[2 * k];
    const auto& right = at[2 * k + 1];
    return {{pair_of(left[0], left[1]), pair_of(left[2], left[3]), pair_of(right[0], right[1]),
             pair_of(right[2], right[3])}};
  }
};

// What load_matrices asks of a thread.
struct MatrixRow {
  uint32_t (&to)[4];
  const Bf16* from;  // 16 bytes, where 16 bytes begin.
};

// What multiply asks of a thread.
struct Operands {
  float (&d)[4];
  const uint32_t (&a)[4];
  uint32_t b0, b1;
};

// Rows of kWidth values in shared memory, 16 bytes apart from a power of two, so that eight of them
// lie in different banks.
template <int kColumns>
struct Tile {
  static constexpr int kStride = kColumns + 8;
  Bf16* data;

  MUSTER_BOTH Bf16* row(int r) const { return data + r * kStride; }
  // The tile of so many rows behind it. No array of tiles: whatever is indexed by a number of run
  // time leaves registers, and takes what stands beside it along.
  MUSTER_BOTH Tile behind(int rows) const { return {data + rows * kStride}; }
  static constexpr size_t size_bytes(int rows) {
    return static_cast<size_t>(rows) * kStride * sizeof(Bf16);
  }
};

// `rows` a warp's first row of the tile, (16 x 16) at `column`.
template <class Block, class AnyTile, class Rows>
MUSTER_BOTH void load_a(Block& block, Local<Block, Fragment>& a, const AnyTile& tile,
                        const Rows& rows, int column) {
  block.template load_matrices<false>([&](int t) -> MatrixRow {
    const int lane = t % kLanes;
    return {a[t].at, tile.row(rows(t) + lane % 16) + column + lane / 16 * 8};
  });
}

// b (16 deep, 16 wide) where the tile's rows, from `row`, are its columns.
template <class Block, class AnyTile>
MUSTER_BOTH void load_b(Block& block, Local<Block, Fragment>& b, const AnyTile& tile, int row,
                        int column) {
  block.template load_matrices<false>([&](int t) -> MatrixRow {
    const int lane = t % kLanes;
    return {b[t].at, tile.row(row + lane % 8 + lane / 16 * 8) + column + lane / 8 % 2 * 8};
  });
}

// b (16 deep, 16 wide) where the tile's rows, from `row`, are its rows.
template <class Block, class AnyTile>
MUSTER_BOTH void load_b_turned(Block& block, Local<Block, Fragment>& b, const AnyTile& tile,
                               int row, int column) {
  block.template load_matrices<true>([&](int t) -> MatrixRow {
    const int lane = t % kLanes;
    return {b[t].at, tile.row(row + lane % 16) + column + lane / 16 * 8};
  });
}

// sums += a b of 16 columns, from 16 `pair` on.
template <int kColumns, class Block>
MUSTER_BOTH void multiply_pair(Block& block, Local<Block, Sums<kColumns>>& sums, int pair,
                               const Local<Block, Fragment>& a, const Local<Block, Fragment>& b) {
  block.multiply([&](int t) -> Operands {
    return {sums[t].at[2 * pair], a[t].at, b[t].at[0], b[t].at[1]};
  });
  block.multiply([&](int t) -> Operands {
    return {sums[t].at[2 * pair + 1], a[t].at, b[t].at[2], b[t].at[3]};
  });
}

// sums (16 a warp, kRows) += left right^T: rows of `left` from rows(t) on, the first kRows of
// `right`, both kDepth wide.
template <int kDepth, int kRows, class Block, class AnyTile, class Rows>
MUSTER_BOTH void multiply_rows(Block& block, Local<Block, Sums<kRows>>& sums, const AnyTile& left,
                               const Rows& rows, const AnyTile& right) {
  MUSTER_UNROLL
  for (int depth = 0; depth < kDepth; depth += 16) {
    Local<Block, Fragment> a;
    load_a(block, a, left, rows, depth);
    MUSTER_UNROLL
    for (int pair = 0; pair < kRows / 16; ++pair) {
      Local<Block, Fragment> b;
      load_b(block, b, right, pair * 16, depth);
      multiply_pair<kRows>(block, sums, pair, a, b);
    }
  }
}

// sums (16 a warp, kColumns) += weights (16 a warp, kDepth), rounded, times the first kDepth rows
// of `right`.
template <int kDepth, int kColumns, class Block, class AnyTile>
MUSTER_BOTH void multiply_weights(Block& block, Local<Block, Sums<kColumns>>& sums,
                                  Local<Block, Sums<kDepth>>& weights, const AnyTile& right) {
  MUSTER_UNROLL
  for (int k = 0; k < kDepth / 16; ++k) {
    Local<Block, Fragment> a;
    block.step([&](int t) { a[t] = weights[t].rounded(k); });
    MUSTER_UNROLL
    for (int pair = 0; pair < kColumns / 16; ++pair) {
      Local<Block, Fragment> b;
      load_b_turned(block, b, right, k * 16, pair * 16);
      multiply_pair<kColumns>(block, sums, pair, a, b);
    }
  }
}

}  // namespace train::cuda
