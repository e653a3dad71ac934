#include "train/cpu/tiles.h"

#include "train/cpu/tiles_kernels.h"

namespace train::cpu {

const std::vector<TileKernel>& tile_kernels() {
  static const std::vector<TileKernel> kernels = {amx_kernel(), avx512_bf16_kernel(),
                                                  portable_kernel()};
  return kernels;
}

}  // namespace train::cpu
