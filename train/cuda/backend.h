// The GPU's arithmetic.
#pragma once

#include <memory>

#include "common/result.h"
#include "train/backend.h"

namespace train {

// The GPU of this number, with activations and products in bf16, or in fp32 (for checking: it
// leaves the tensor cores idle). kUnavailable: built without CUDA, no driver, no such GPU, one
// before Ampere, or no cuBLASLt.
common::Result<std::unique_ptr<Backend>> make_cuda_backend(int ordinal, Precision precision);

}  // namespace train
