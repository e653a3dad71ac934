// bf16: the upper half of an fp32. Its range, and 8 bits of its precision.
#pragma once

#include <bit>
#include <cstdint>

namespace train {

struct Bf16 {
  uint16_t bits = 0;
  bool operator==(const Bf16&) const = default;
};

// Exact.
constexpr float to_float(Bf16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

// To the nearest, ties to even; too large becomes infinity, NaN stays NaN (and quiet).
constexpr Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return {static_cast<uint16_t>((bits >> 16) | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}

static_assert(to_bf16(1.0F).bits == 0x3F80);
static_assert(to_bf16(1.00390625F).bits == 0x3F80);  // Half way: to even, down,
static_assert(to_bf16(1.01171875F).bits == 0x3F82);  //   and up.
static_assert(to_float(Bf16{0xC000}) == -2.0F);

}  // namespace train
