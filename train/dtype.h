// How a number lies in a file of weights: fp32, fp16 or bf16. In memory it is fp32 always.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/bytes.h"

namespace train {

enum class Dtype : uint8_t { kF32, kF16, kBf16 };

// "F32", "F16", "BF16": safetensors' names.
std::string_view name(Dtype dtype);
std::optional<Dtype> dtype_of(std::string_view name);
// "float32", "float16", "bfloat16": PyTorch's, as config.json has them.
std::string_view torch_name(Dtype dtype);
// "fp32", "fp16", "bf16": as people write them to us. Nothing for another word.
std::optional<Dtype> dtype_of_flag(std::string_view word);

size_t size_bytes(Dtype dtype);

// Exact. False if one of them is NaN or an infinity.
//   bytes (values.size() * size_bytes(dtype)), of any alignment
bool decode(Dtype dtype, common::ByteView bytes, std::span<float> values);
// To the nearest, ties to even, into `bytes` of the size above. False if a finite
// value is too large for the type (fp16 ends at 65,504).  Source: IEEE 754-2008, 4.3.1.
bool encode(Dtype dtype, std::span<const float> values, std::span<uint8_t> bytes);

}  // namespace train
