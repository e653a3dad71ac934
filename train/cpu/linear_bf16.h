// A linear layer in bf16, with the verbs of LinearFp32: train/cpu/linear.h on a Weight's own packed
// memory.
#pragma once

#include "train/backend.h"
#include "train/cpu/linear.h"
#include "train/cpu/pool.h"
#include "train/cpu/scratch.h"

namespace train::cpu {

class LinearBf16 {
 public:
  // `kernel` must run on this machine.
  LinearBf16(Pool& pool, const TileKernel& kernel) : pool_(pool), linear_(pool, kernel) {}

  size_t packed_size(int O, int C) const { return Linear::packed_weight_size(O, C); }
  void pack(const Weight& weight) {
    linear_.pack_weight(weight.packed, weight.values, weight.O, weight.C);
  }

  // See train::Backend.
  void forward(Bf16* out, const Bf16* residual, const Bf16* x, const Weight& weight, int N) {
    linear_.forward(out, residual, x, weight.packed, N, weight.C, weight.O);
  }
  void backward(Bf16* d_x, float* d_weight, const Bf16* d_out, const Bf16* x, const Weight& weight,
                int N) {
    linear_.backward_input(d_x, d_out, weight.packed, N, weight.C, weight.O);
    linear_.backward_weight(d_weight, d_out, x, N, weight.C, weight.O);
  }
  void product(float* out, const float* a, const float* b, bool b_transposed, int M, int N, int K,
               float scale, float keep);

  // Linear::forward_blocks.
  template <typename Finish>
  void forward_blocks(const Finish& finish, const Bf16* x, const Weight& weight, int N) {
    linear_.forward_blocks(finish, x, weight.packed, N, weight.C, weight.O);
  }
  int block_columns() const { return linear_.block_columns(); }

 private:
  Pool& pool_;
  Linear linear_;
  Scratch<Bf16> left_, right_;  // A product's operands.
};

}  // namespace train::cpu
