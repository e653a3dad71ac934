// Which kernels there are (tiles.cpp), and where each is made.
#pragma once

#include "train/cpu/tiles.h"

namespace train::cpu {

TileKernel amx_kernel();          // tiles_amx.cpp
TileKernel avx512_bf16_kernel();  // tiles_avx512.cpp
TileKernel portable_kernel();     // tiles_portable.cpp

}  // namespace train::cpu
