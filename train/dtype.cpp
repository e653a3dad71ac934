#include "train/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "common/check.h"
#include "train/bf16.h"

namespace train {
namespace {

struct Names {
  Dtype dtype;
  std::string_view stored, torch, flag;
  size_t size_bytes;
};
constexpr std::array<Names, 3> kTypes = {{{Dtype::kF32, "F32", "float32", "fp32", 4},
                                          {Dtype::kF16, "F16", "float16", "fp16", 2},
                                          {Dtype::kBf16, "BF16", "bfloat16", "bf16", 2}}};

const Names& names(Dtype dtype) { return kTypes[static_cast<size_t>(dtype)]; }

// fp16: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction.
float of_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F;
  const uint32_t fraction = bits & 0x3FF;
  if (exponent == 0) {  // Zero or subnormal: a multiple of 2^-24.
    const float size = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(size) | sign);
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | (fraction << 13));
  return std::bit_cast<float>(sign | ((exponent + 127 - 15) << 23) | (fraction << 13));
}

uint16_t to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t size = bits & 0x7FFFFFFF;
  if (size > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);
  if (size < 0x38800000) {
    // Below 2^-14 the steps are 2^-24: adding 0.5 leaves the rounded count in the fraction.
    const float count = std::bit_cast<float>(size) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(count) - 0x3F000000));
  }
  if (size >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // 65,520 and more.
  const uint32_t rounded = size + 0xFFF + ((size >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

template <typename Of>
bool decode_each(common::ByteView bytes, std::span<float> values, Of of) {
  bool finite = true;
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, sizeof bits);
    values[i] = of(bits);
    finite = finite && std::isfinite(values[i]);
  }
  return finite;
}

template <typename To>
bool encode_each(std::span<const float> values, std::span<uint8_t> bytes, uint16_t infinity,
                 To to) {
  bool fits = true;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t bits = to(values[i]);
    std::memcpy(bytes.data() + 2 * i, &bits, sizeof bits);
    fits = fits && ((bits & 0x7FFF) != infinity || std::isinf(values[i]));
  }
  return fits;
}

}  // namespace

std::string_view name(Dtype dtype) { return names(dtype).stored; }

std::string_view torch_name(Dtype dtype) { return names(dtype).torch; }

size_t size_bytes(Dtype dtype) { return names(dtype).size_bytes; }

std::optional<Dtype> dtype_of(std::string_view name) {
  for (const Names& type : kTypes) {
    if (type.stored == name) return type.dtype;
  }
  return std::nullopt;
}

std::optional<Dtype> dtype_of_flag(std::string_view word) {
  for (const Names& type : kTypes) {
    if (type.flag == word) return type.dtype;
  }
  return std::nullopt;
}

bool decode(Dtype dtype, common::ByteView bytes, std::span<float> values) {
  CHECK(bytes.size() == values.size() * size_bytes(dtype));
  switch (dtype) {
    case Dtype::kF16:
      return decode_each(bytes, values, of_half);
    case Dtype::kBf16:
      return decode_each(bytes, values, [](uint16_t bits) { return to_float(Bf16{bits}); });
    case Dtype::kF32:
      break;
  }
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  bool finite = true;
  for (const float value : values) finite = finite && std::isfinite(value);
  return finite;
}

bool encode(Dtype dtype, std::span<const float> values, std::span<uint8_t> bytes) {
  CHECK(bytes.size() == values.size() * size_bytes(dtype));
  switch (dtype) {
    case Dtype::kF16:
      return encode_each(values, bytes, 0x7C00, to_half);
    case Dtype::kBf16:
      return encode_each(values, bytes, 0x7F80, [](float value) { return to_bf16(value).bits; });
    case Dtype::kF32:
      break;
  }
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return true;
}

}  // namespace train
