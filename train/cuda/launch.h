// How a card runs a kernel's body. For nvcc only: each .cu file makes some of the launches that
// train/cuda/card.h declares, so that they are compiled side by side.
#pragma once

#include "train/cuda/card.h"
#include "train/cuda/device.h"

namespace train::cuda {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads)
    run_kernel(const __grid_constant__ typename Kernel::Args args) {
  extern __shared__ __align__(128) uint8_t shared[];
  DeviceBlock<Kernel::kThreads> block;
  Kernel::run(block, args, shared);
}

template <class Kernel>
void Card::launch(int64_t blocks, const typename Kernel::Args& args) {
  if (blocks == 0) return;
  CHECK(blocks <= INT32_MAX);
  use();
  const size_t shared_bytes = Kernel::shared_bytes(args);
  if (shared_bytes > kSharedAlways) {
    expect(cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(shared_bytes)),
           "asking for shared memory");
  }
  run_kernel<Kernel>
      <<<static_cast<unsigned>(blocks), Kernel::kThreads, shared_bytes, stream()>>>(args);
  expect(cudaGetLastError(), "starting a kernel");
}

}  // namespace train::cuda
