// How the CPU cuts work up. Blocks decide the order of sums, and so the bits; threads only choose
// among them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "train/cpu/pool.h"

namespace train::cpu {

inline constexpr int kRows = 128;            // Of a product's output, by
inline constexpr int kColumns = 256;         //   columns.
inline constexpr int kElementRows = 32;      // Rows of element-wise work.
inline constexpr uint64_t kRunSize = 65536;  // Parameters.

constexpr int blocks(int size, int block) { return (size + block - 1) / block; }

// Row `n` of a matrix of `width` columns.
template <typename Value>
Value* row_of(Value* data, int n, int width) {
  return data + static_cast<ptrdiff_t>(n) * width;
}

// Block `index` of an (M, N) output cut into blocks of (block_rows, block_columns).
struct Block {
  int row, column, rows, columns;

  Block(int index, int M, int N, int block_rows, int block_columns)
      : row(index / blocks(N, block_columns) * block_rows),
        column(index % blocks(N, block_columns) * block_columns),
        rows(std::min(block_rows, M - row)),
        columns(std::min(block_columns, N - column)) {}

  static int count(int M, int N, int block_rows, int block_columns) {
    return blocks(M, block_rows) * blocks(N, block_columns);
  }
};

// visit(n) for every row below N.
template <typename Visit>
void each_row(Pool& pool, int N, const Visit& visit) {
  pool.each(blocks(N, kElementRows), [&](int block, int) {
    const int end = std::min(N, (block + 1) * kElementRows);
    for (int n = block * kElementRows; n < end; ++n) visit(n);
  });
}

// visit(first, count) for runs of at most `run` of `size` values; count fits an int.
template <typename Visit>
void each_run(Pool& pool, uint64_t size, uint64_t run, const Visit& visit) {
  pool.each(static_cast<int>((size + run - 1) / run), [&](int index, int) {
    const uint64_t first = static_cast<uint64_t>(index) * run;
    visit(first, static_cast<int>(std::min(run, size - first)));
  });
}

}  // namespace train::cpu
