// A linear layer in fp32: products by OpenBLAS, block by block. Weights are used as they are.
#pragma once

#include "train/backend.h"
#include "train/cpu/blocks.h"
#include "train/cpu/gemm.h"
#include "train/cpu/linear.h"
#include "train/cpu/pool.h"
#include "train/cpu/scratch.h"

namespace train::cpu {

class LinearFp32 {
 public:
  explicit LinearFp32(Pool& pool) : pool_(pool) {}

  size_t packed_size(int, int) const { return 0; }
  void pack(const Weight&) {}

  // See train::Backend.
  void forward(float* out, const float* residual, const float* x, const Weight& weight, int N);
  void backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                const Weight& weight, int N);
  void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N, int K,
               float scale, float keep);

  // Calls finish(const FinishedBlock&) once for each block of x weight^T, on the worker that made
  // it, instead of writing any. All blocks but the last of a row have block_columns() columns.
  template <typename Finish>
  void forward_blocks(const Finish& finish, const float* x, const Weight& weight, int N) {
    scratch_.reserve(pool_.threads(), static_cast<size_t>(kRows) * kColumns);
    pool_.each(Block::count(N, weight.O, kRows, kColumns), [&](int index, int worker) {
      const Block block(index, N, weight.O, kRows, kColumns);
      float* const values = scratch_.of(worker);
      gemm(values, kColumns, {row_of(x, block.row, weight.C), weight.C},
           {row_of(weight.values, block.column, weight.C), weight.C, true}, block.rows,
           block.columns, weight.C);
      finish(FinishedBlock{values, kColumns, block.row, block.column, block.rows, block.columns,
                           worker});
    });
  }
  int block_columns() const { return kColumns; }

 private:
  Pool& pool_;
  Scratch<float> scratch_;  // A block for each worker.
};

}  // namespace train::cpu
