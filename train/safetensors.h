// Hugging Face's safetensors: 8 bytes of length, a JSON header, the tensors. Only what a checkpoint
// needs: fp32.
#pragma once

#include <span>
#include <vector>

#include "common/bytes.h"
#include "common/result.h"
#include "compress/layout.h"

namespace train {

// theta (N) in the layout's order; names and shapes are the layout's. Canonical.
common::Bytes to_safetensors(std::span<const float> theta, const compress::Layout& layout);

// kCorrupt, naming the tensor, unless it holds exactly the layout's tensors, as F32, without gaps
// or overlaps, and every value is finite. Tensors may come in any order.
common::Result<std::vector<float>> from_safetensors(common::ByteView bytes,
                                                    const compress::Layout& layout);

}  // namespace train
