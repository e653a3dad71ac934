#include "train/cpu/linear_bf16.h"

#include <algorithm>

#include "train/cpu/blocks.h"
#include "train/cpu/parameter_kernels.h"
#include "train/cpu/row_kernels.h"

namespace train::cpu {

void LinearBf16::product(float* out, const float* a, const float* b, bool b_transposed, int M,
                         int N, int K, float scale, float keep) {
  constexpr int kColumnsPacked = 8 * kPanel;  // By one task.
  const RowKernels<Bf16> kernels = row_kernels<Bf16>();
  left_.reserve(1, static_cast<size_t>(M) * static_cast<size_t>(K));
  right_.reserve(1, cpu::packed_size(N, K));
  each_row(pool_, M, [&](int m) { kernels.narrow(row_of(left_.of(0), m, K), row_of(a, m, K), K); });
  pool_.each(blocks(N, kColumnsPacked), [&](int task, int) {
    const int first = task * kColumnsPacked;
    const Source<float> from =
        b_transposed ? Source<float>{row_of(b, first, K), K, true} : Source<float>{b + first, N};
    pack_right(right_.of(0) + cpu::packed_size(first, K), from, K,
               std::min(kColumnsPacked, N - first));
  });
  const auto finish = [&](const FinishedBlock& block) {
    for (int i = 0; i < block.rows; ++i) {
      float* const to = row_of(out, block.row + i, N) + block.column;
      scale_into_run(to, scale, block.values + i * block.stride, keep, block.columns);
    }
  };
  linear_.forward_blocks(finish, left_.of(0), right_.of(0), M, K, N);
}

}  // namespace train::cpu
