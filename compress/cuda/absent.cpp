// Stands in for the card's codec in a build without CUDA, so that no header needs an #ifdef.
#include <string>

#include "compress/cuda_codec.h"

namespace compress {

common::Result<std::unique_ptr<CudaCodec>> make_cuda_codec(int ordinal, const Layout&, PieceRange) {
  return common::Error{common::Code::kUnavailable,
                       "cuda:" + std::to_string(ordinal) + ": built without CUDA"};
}

}  // namespace compress
