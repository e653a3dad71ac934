// A kernel for processors without AMX that does what the one for AMX does, slowly.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <vector>

#include "train/cpu/tiles_amx.h"

namespace train::cpu {

// Intel's tile registers in plain C++, as the Software Developer's Manual tells TDPBF16PS: sums of
// the even products and of the odd ones, each fused, then both are added up and to the destination.
// Subnormal numbers count as zero. It proves how a product is cut, on processors without AMX.
struct EmulatedRegisters {
  static float flush(float x) { return std::abs(x) < std::numeric_limits<float>::min() ? 0.0F : x; }
  static inline thread_local uint8_t bytes[8][16][64];

  template <int T>
  static void zero() {
    std::memset(bytes[T], 0, sizeof(bytes[T]));
  }
  template <int T>
  static void load(const void* from, ptrdiff_t stride) {
    for (int i = 0; i < 16; ++i) {
      std::memcpy(bytes[T][i], static_cast<const char*>(from) + i * stride, 64);
    }
  }
  template <int T>
  static void store(void* to, ptrdiff_t stride) {
    for (int i = 0; i < 16; ++i) std::memcpy(static_cast<char*>(to) + i * stride, bytes[T][i], 64);
  }
  template <int D, int A, int B>
  static void multiply() {
    float sums[16][16];
    Bf16 pairs[2][16][32];
    float left[16][32];
    float right[16][32];
    std::memcpy(sums, bytes[D], sizeof(sums));
    std::memcpy(pairs[0], bytes[A], sizeof(pairs[0]));
    std::memcpy(pairs[1], bytes[B], sizeof(pairs[1]));
    for (int i = 0; i < 16 * 32; ++i) {
      left[i / 32][i % 32] = flush(to_float(pairs[0][i / 32][i % 32]));
      right[i / 32][i % 32] = flush(to_float(pairs[1][i / 32][i % 32]));
    }
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 16; ++n) {
        float even = 0;
        float odd = 0;
        for (int k = 0; k < 16; ++k) {
          even = flush(std::fma(left[m][2 * k], right[k][2 * n], even));
          odd = flush(std::fma(left[m][2 * k + 1], right[k][2 * n + 1], odd));
        }
        sums[m][n] = flush(flush(sums[m][n]) + flush(even + odd));
      }
    }
    std::memcpy(bytes[D], sums, sizeof(sums));
  }
};

// How GoogleTest tells of a kernel.
inline void PrintTo(const TileKernel& kernel, std::ostream* out) { *out << kernel.name; }

// tile_kernels(), and the emulated one.
inline std::vector<TileKernel> every_kernel() {
  std::vector<TileKernel> kernels = tile_kernels();
  kernels.push_back({.name = "amx_emulated",
                     .runs_here = [] { return true; },
                     .begin_thread = [] {},
                     .multiply = multiply_by_tiles<EmulatedRegisters>,
                     .block = {.row_panels = 4, .column_panels = 6, .depth = 2}});
  return kernels;
}

}  // namespace train::cpu
