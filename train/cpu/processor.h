// How fast this processor multiplies matrices, and with which kernel: measured, for instruction
// sets do not tell. (VDPBF16PS does twice the work of an fp32 FMA on AMD's Zen 5, and half of it on
// Intel's Granite Rapids, where AMX does 15 times.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "train/cpu/tiles.h"

namespace train::cpu {

struct ProductSpeed {
  std::string_view name;  // Of a TileKernel, or kOpenblas.
  double gflops;          // 1e9 additions and multiplications a second, on one thread.
};

inline constexpr std::string_view kOpenblas = "openblas";  // fp32

struct Processor {
  // Of every kernel that runs here, in the order of tile_kernels(); then of OpenBLAS.
  std::vector<ProductSpeed> speeds;
  // The fastest kernel.
  const TileKernel* kernel;
  // Whether `kernel` is so much faster than fp32 that it is worth bf16's rounding.
  bool prefers_bf16;

  // "avx512_bf16 495, portable 236, openblas 117 GFLOP/s a thread: bf16 by avx512_bf16"
  std::string describe() const;
};

// Measures at the first call, on the calling thread: a product of 17 MFLOP, shaped as training's, a
// few times by each. Takes less than 5 ms on a processor of 50 GFLOP/s or more. The time is that of
// the thread, so that other programs do not change the choice.
const Processor& processor();

// The kernel of that name, or processor().kernel for "auto".
//   kInvalidArgument: there is none of that name, or it does not run here; the message lists what
//   does.
common::Result<const TileKernel*> choose_kernel(std::string_view name);

}  // namespace train::cpu
