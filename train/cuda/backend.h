// The GPU's arithmetic.
#pragma once

#include <memory>

#include "common/result.h"
#include "train/backend.h"

namespace train {

// The GPU of this number. kUnavailable: built without CUDA, no driver, or no such GPU.
common::Result<std::unique_ptr<Backend>> make_cuda_backend(int ordinal);

}  // namespace train
