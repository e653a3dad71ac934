// Stands in for the GPU's arithmetic in a build without CUDA, so that no header needs an #ifdef.
#include <string>

#include "train/cuda/backend.h"

namespace train {

common::Result<std::unique_ptr<Backend>> make_cuda_backend(int ordinal, Precision) {
  return common::Error{common::Code::kUnavailable,
                       "cuda:" + std::to_string(ordinal) + ": built without CUDA"};
}

}  // namespace train
