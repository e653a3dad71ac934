#include "train/cpu/tiles_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define MUSTER_AVX512_BF16 [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]]

namespace train::cpu {
namespace {

// Pairs of bf16 travel as floats here, which are moved but never looked at, and the instruction is
// spelled out: at its intrinsic's type clang 16 ends in a segmentation fault, under -Wconversion.
MUSTER_AVX512_BF16 inline void add_products(__m512& sums, __m512 pairs, __m512 others) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(pairs), "v"(others));
}

MUSTER_AVX512_BF16 inline const float* words(const Bf16* pairs) {
  return reinterpret_cast<const float*>(pairs);
}

// Rows x (Columns * 16) values of `out`, += or =, all of them in registers meanwhile.
template <int Rows, int Columns>
MUSTER_AVX512_BF16 [[gnu::noinline]] void multiply_rows(float* out, ptrdiff_t stride,
                                                        const Bf16* left, const Bf16* right,
                                                        size_t right_stride, int depth, bool adds) {
  __m512 sums[Rows][Columns];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      sums[r][c] = adds ? _mm512_loadu_ps(out + r * stride + c * kPanel) : _mm512_setzero_ps();
    }
  }
  for (int tile = 0; tile < depth; ++tile, left += kTileSize, right += kTileSize) {
#pragma GCC unroll 2
    for (int pair = 0; pair < kTileDepth / 2; ++pair) {
      __m512 across[Columns];
#pragma GCC unroll 4
      for (int c = 0; c < Columns; ++c) {
        across[c] = _mm512_load_ps(
            words(right + static_cast<size_t>(c) * right_stride + pair * 2 * kPanel));
      }
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const __m512 down = _mm512_set1_ps(*words(left + r * kTileDepth + 2 * pair));
#pragma GCC unroll 4
        for (int c = 0; c < Columns; ++c) add_products(sums[r][c], down, across[c]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      _mm512_storeu_ps(out + r * stride + c * kPanel, sums[r][c]);
    }
  }
}

// All rows of `Columns` panels: the right operand's stay in the first cache.
template <int Rows, int Columns>
void multiply_columns(const TileProduct& p, int column) {
  const Bf16* const right = p.right.data + static_cast<size_t>(column) * p.right.panel_stride;
  for (int panel = 0; panel < p.row_panels; ++panel) {
    const Bf16* const left = p.left.data + static_cast<size_t>(panel) * p.left.panel_stride;
    float* const out = p.out + panel * kPanel * p.stride + column * kPanel;
    for (int row = 0; row < kPanel; row += Rows) {
      multiply_rows<Rows, Columns>(out + row * p.stride, p.stride, left + row * kTileDepth, right,
                                   p.right.panel_stride, p.depth, p.adds);
    }
  }
}

// 8 x 48 takes 24 of the 32 registers and 11 loads for 24 products. Fewer panels take more rows, or
// at least as many sums as a product has cycles of latency times units.
void multiply_avx512(const TileProduct& p) {
  int column = 0;
  // What is left over is two and two rather than three and one.
  while (p.column_panels - column >= 3 && p.column_panels - column != 4) {
    multiply_columns<8, 3>(p, column);
    column += 3;
  }
  for (; p.column_panels - column >= 2; column += 2) multiply_columns<8, 2>(p, column);
  if (column < p.column_panels) multiply_columns<16, 1>(p, column);
}

bool avx512_bf16_runs_here() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bf16");
}

}  // namespace

TileKernel avx512_bf16_kernel() {
  return {.name = "avx512_bf16",
          .runs_here = avx512_bf16_runs_here,
          .begin_thread = [] {},
          .multiply = multiply_avx512,
          .block = {.row_panels = 16, .column_panels = 24, .depth = 32}};
}

}  // namespace train::cpu

#else

namespace train::cpu {

TileKernel avx512_bf16_kernel() {
  return {.name = "avx512_bf16",
          .runs_here = [] { return false; },
          .begin_thread = [] {},
          .multiply = [](const TileProduct&) {},
          .block = {.row_panels = 16, .column_panels = 24, .depth = 32}};
}

}  // namespace train::cpu

#endif  // __x86_64__
