#include "train/cpu/attention_products.h"

#include <algorithm>

#include "train/cpu/attention_rows.h"

// Highway compiles the rest of this file once for each instruction set. Not for those whose vectors
// have no fixed size: sums in an array of vectors stay in registers only where the size is known.
// clang-format off
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/cpu/attention_products.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace train::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::CappedTag<float, kPanel>;
using Operand = FloatProducts::Operand;

// Of the output at once: sums that fill the registers, and two vectors wide.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int kRows = 8;
#else
constexpr int kRows = 4;
#endif
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Wide()));

struct Block {
  float* out;
  ptrdiff_t stride;
  const float* left;
  const float* right;
  ptrdiff_t right_next;  // From one vector of columns to the next.
  ptrdiff_t right_deep;
  int depth;
  bool adds;
};

// kRows x (Vectors * lanes) values of out. In the left operand rows are kInner apart, and values of
// k kDeep: known here, so that one address reaches all.
template <int Vectors, ptrdiff_t kInner, ptrdiff_t kDeep>
HWY_INLINE void multiply_block(const Block& b) {
  const Wide d;
  hn::Vec<Wide> sums[kRows][Vectors];
  HWY_UNROLL(8)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(2)
    for (int v = 0; v < Vectors; ++v) {
      sums[r][v] = b.adds ? hn::LoadU(d, b.out + r * b.stride + v * kLanes) : hn::Zero(d);
    }
  }
  const float* left = b.left;
  const float* right = b.right;
  for (int k = 0; k < b.depth; ++k, left += kDeep, right += b.right_deep) {
    hn::Vec<Wide> across[Vectors];
    HWY_UNROLL(2)
    for (int v = 0; v < Vectors; ++v) across[v] = hn::LoadU(d, right + v * b.right_next);
    HWY_UNROLL(8)
    for (int r = 0; r < kRows; ++r) {
      const auto down = hn::Set(d, left[r * kInner]);
      HWY_UNROLL(2)
      for (int v = 0; v < Vectors; ++v) sums[r][v] = hn::MulAdd(down, across[v], sums[r][v]);
    }
  }
  HWY_UNROLL(8)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(2)
    for (int v = 0; v < Vectors; ++v) hn::StoreU(sums[r][v], d, b.out + r * b.stride + v * kLanes);
  }
}

template <int Vectors, ptrdiff_t kInner, ptrdiff_t kDeep>
HWY_INLINE void multiply_columns(const FloatProduct& p, int column) {
  const float* right = p.right.data + column / kPanel * p.right.panel + column % kPanel;
  const ptrdiff_t next = kLanes == kPanel ? p.right.panel : kLanes;
  for (int row = 0; row < p.rows; row += kRows) {
    const float* left = p.left.data + row / kPanel * p.left.panel + row % kPanel * kInner;
    multiply_block<Vectors, kInner, kDeep>({p.out + row * p.stride + column, p.stride, left, right,
                                            next, p.right.deep, p.depth, p.adds});
  }
}

template <ptrdiff_t kInner, ptrdiff_t kDeep>
HWY_INLINE void multiply_all(const FloatProduct& p) {
  int column = 0;
  for (; column + 2 * kLanes <= p.columns; column += 2 * kLanes) {
    multiply_columns<2, kInner, kDeep>(p, column);
  }
  if (column < p.columns) multiply_columns<1, kInner, kDeep>(p, column);
}

void multiply(const FloatProduct& p) {
  p.left.inner == 1 ? multiply_all<1, kPanel>(p) : multiply_all<kQueries, 1>(p);
}

}  // namespace
}  // namespace train::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace train::cpu {

HWY_EXPORT(multiply);

FloatProducts::Operand FloatProducts::left(float* room, Source<float> from, int M, int K) const {
  const int deep = round_up(K, kDepth);
  const ptrdiff_t panel = ptrdiff_t{deep} * kPanel;
  for (int row = 0; row < M; row += kPanel) {
    float* const out = room + row / kPanel * panel;
    const int rows = std::min(kPanel, M - row);
    if (rows < kPanel) std::fill_n(out, K * kPanel, 0.0F);
    std::fill(out + K * kPanel, out + panel, 0.0F);
    if (from.transposed) {
      for (int k = 0; k < K; ++k)
        std::copy_n(from.data + k * from.stride + row, rows, out + k * kPanel);
    } else {
      transpose(out, kPanel, from.data + row * from.stride, from.stride, K, rows);
    }
  }
  return {room, panel, kPanel, 1};
}

void FloatProducts::multiply(float* out, ptrdiff_t stride, Operand left, Operand right, int M,
                             int N, int K, bool adds) const {
  HWY_DYNAMIC_DISPATCH(multiply)
  ({out, stride, left, right, round_up(M, kPanel), round_up(N, kPanel), round_up(K, kDepth), adds});
}

namespace {

// Rows of scores as they lie: keys by queries.
FloatProducts::Operand rows_right(const float* scores) { return {scores, kPanel, kQueries, 1}; }
FloatProducts::Operand rows_left(const float* scores) {
  return {scores, kPanel * kQueries, 1, kQueries};
}

}  // namespace

FloatProducts::Operand FloatProducts::softmax(const ScoreTile& tile, const RunningSoftmax& running,
                                              float* /*weights*/) const {
  softmax_tile(tile, running);
  return rows_right(tile.scores);
}

FloatProducts::Gradients FloatProducts::gradients(const ScoreTile& tile, float* d_scores,
                                                  const float* lse, const float* dot,
                                                  float* /*weights*/) const {
  softmax_gradient_tile(tile, d_scores, lse, dot);
  return {rows_left(tile.scores), rows_left(d_scores), rows_right(d_scores)};
}

Bf16Products::Operand Bf16Products::softmax(const ScoreTile& tile, const RunningSoftmax& running,
                                            Bf16* weights) const {
  softmax_tile(tile, running, weights);
  return {weights, kKeys * kPanel};
}

Bf16Products::Gradients Bf16Products::gradients(const ScoreTile& tile, const float* d_scores,
                                                const float* lse, const float* dot,
                                                Bf16* weights) const {
  constexpr ptrdiff_t kSize = kKeys * kQueries;
  const GradientOperands out{weights, weights + kSize, weights + 2 * kSize};
  softmax_gradient_tile(tile, d_scores, lse, dot, out);
  constexpr size_t kLeft = kPanel * kQueries;
  return {{out.p_left, kLeft}, {out.ds_left, kLeft}, {out.ds_right, kKeys * kPanel}};
}

}  // namespace train::cpu
#endif
