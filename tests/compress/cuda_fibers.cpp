#include "tests/compress/cuda_fibers.h"

#include "compress/cuda/codec_on.h"
#include "tests/compress/cuda_emulated.h"

namespace compress::testing {

std::unique_ptr<CudaCodec> codec_on_fibers(const Layout& layout, Order order, PieceRange range) {
  return cuda::CodecOn<FiberMachine>::make(FiberMachine(order), layout, range).value();
}

}  // namespace compress::testing
