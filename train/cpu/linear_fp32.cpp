#include "train/cpu/linear_fp32.h"

#include <algorithm>

namespace train::cpu {
namespace {

constexpr int kWeightRows = 64;  // Of a weight's gradient: fewer, since their sums are long.

}  // namespace

void LinearFp32::forward(float* out, const float* residual, const float* x, const Weight& weight,
                         int N) {
  const int O = weight.O;
  const int C = weight.C;
  pool_.each(Block::count(N, O, kRows, kColumns), [&](int index, int) {
    const Block block(index, N, O, kRows, kColumns);
    float* target = row_of(out, block.row, O) + block.column;
    if (residual != nullptr && residual != out) {
      for (int n = 0; n < block.rows; ++n) {
        std::copy_n(row_of(residual, block.row + n, O) + block.column, block.columns,
                    row_of(target, n, O));
      }
    }
    gemm(target, O, {row_of(x, block.row, C), C}, {row_of(weight.values, block.column, C), C, true},
         block.rows, block.columns, C, 1.0F, residual != nullptr ? 1.0F : 0.0F);
  });
}

void LinearFp32::backward(float* d_x, float* d_weight, const float* d_out, const float* x,
                          const Weight& weight, int N) {
  const int O = weight.O;
  const int C = weight.C;
  const int x_count = Block::count(N, C, kRows, kColumns);
  const int weight_count = Block::count(O, C, kWeightRows, kColumns);
  pool_.each(x_count + weight_count, [&](int index, int) {
    if (index < x_count) {
      const Block block(index, N, C, kRows, kColumns);
      gemm(row_of(d_x, block.row, C) + block.column, C, {row_of(d_out, block.row, O), O},
           {weight.values + block.column, C}, block.rows, block.columns, O);
    } else {
      const Block block(index - x_count, O, C, kWeightRows, kColumns);
      gemm(row_of(d_weight, block.row, C) + block.column, C, {d_out + block.row, O, true},
           {x + block.column, C}, block.rows, block.columns, N, 1.0F, 1.0F);
    }
  });
}

void LinearFp32::product(float* out, const float* a, const float* b, bool b_transposed, int M,
                         int N, int K, float scale, float keep) {
  pool_.each(Block::count(M, N, kRows, kColumns), [&](int index, int) {
    const Block block(index, M, N, kRows, kColumns);
    const Matrix right =
        b_transposed ? Matrix{row_of(b, block.column, K), K, true} : Matrix{b + block.column, N};
    gemm(row_of(out, block.row, N) + block.column, N, {row_of(a, block.row, K), K}, right,
         block.rows, block.columns, K, scale, keep);
  });
}

}  // namespace train::cpu
