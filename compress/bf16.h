// bf16, as codecs send it: the upper half of an fp32, finite, and without a negative zero.
#pragma once

#include <bit>
#include <cstdint>

namespace compress {

// Exact.
constexpr float from_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// To the nearest, ties to even. Beyond the largest finite number: that number. Never -0, so that
// one value has one encoding.  Pre: not NaN.
constexpr uint16_t to_bf16(float value) {
  constexpr uint32_t kLargest = 0x7F7F;
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  uint32_t rounded = (magnitude + 0x7FFF + ((magnitude >> 16) & 1)) >> 16;
  if (rounded > kLargest) rounded = kLargest;
  const uint32_t sign = rounded == 0 ? 0 : bits >> 31 << 15;
  return static_cast<uint16_t>(sign | rounded);
}

// What `to_bf16` never writes: NaN and infinity, and the negative zero.
constexpr bool is_finite_bf16(uint16_t bits) { return (bits & 0x7F80) != 0x7F80; }
inline constexpr uint16_t kNegativeZeroBf16 = 0x8000;

static_assert(to_bf16(1.0F) == 0x3F80);
static_assert(to_bf16(1.00390625F) == 0x3F80);  // Half way: to even, down,
static_assert(to_bf16(1.01171875F) == 0x3F82);  //   and up.
static_assert(to_bf16(-3.4028235e38F) == 0xFF7F);
static_assert(to_bf16(-0.0F) == 0 && to_bf16(-1e-45F) == 0);
static_assert(from_bf16(0xC000) == -2.0F);

}  // namespace compress
