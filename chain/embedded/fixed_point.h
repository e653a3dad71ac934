// Binary fixed point as the chain's runtime computes it: the same bits on every machine.
//
// Source: behaviour of the Rust crates `fixed` and `substrate-fixed` as subtensor uses them.
// Products round down (floor), quotients toward zero, sums and products saturate. Nothing here
// traps or wraps.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>

namespace chain {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

inline constexpr int128 kInt128Max = static_cast<int128>(~uint128{0} >> 1);
inline constexpr int128 kInt128Min = -kInt128Max - 1;

// Signed, 32 bits before the point and 32 behind: value = bits / 2^32.
struct I32F32 {
  int64_t bits = 0;

  auto operator<=>(const I32F32&) const = default;

  static constexpr I32F32 saturated(int128 bits) {
    constexpr int64_t kLow = std::numeric_limits<int64_t>::min();
    constexpr int64_t kHigh = std::numeric_limits<int64_t>::max();
    return {bits < kLow ? kLow : bits > kHigh ? kHigh : static_cast<int64_t>(bits)};
  }
  static constexpr I32F32 from_int(int32_t value) { return {int64_t{value} * kOneBits}; }
  // value / 65,535: a share as the chain stores it.
  static constexpr I32F32 from_share(uint16_t value);
  static constexpr I32F32 max() { return {std::numeric_limits<int64_t>::max()}; }

  // floor(value * 65,535), clamped: the way back.
  constexpr uint16_t to_share() const;
  // Nearest integer, halves away from zero, clamped to 16 bits.
  constexpr uint16_t round_to_u16() const;

  static constexpr int64_t kOneBits = int64_t{1} << 32;
};
inline constexpr I32F32 kZero{0};
inline constexpr I32F32 kOne{I32F32::kOneBits};

constexpr I32F32 operator+(I32F32 a, I32F32 b) {
  return I32F32::saturated(int128{a.bits} + b.bits);
}
constexpr I32F32 operator-(I32F32 a, I32F32 b) {
  return I32F32::saturated(int128{a.bits} - b.bits);
}
constexpr I32F32 operator*(I32F32 a, I32F32 b) {
  return I32F32::saturated((int128{a.bits} * b.bits) >> 32);
}
// Saturates, and by the sign of `a` when `b` is zero (0 / 0 = 0).
constexpr I32F32 operator/(I32F32 a, I32F32 b) {
  if (b.bits == 0)
    return a.bits == 0 ? kZero : I32F32::saturated(a.bits > 0 ? kInt128Max : kInt128Min);
  return I32F32::saturated(int128{a.bits} * I32F32::kOneBits / b.bits);
}
// a / b, or 0 if b is zero or the quotient does not fit: the runtime's `safe_div`.
constexpr I32F32 safe_div(I32F32 a, I32F32 b) {
  if (b.bits == 0) return kZero;
  const int128 quotient = int128{a.bits} * I32F32::kOneBits / b.bits;
  return I32F32::saturated(quotient).bits == quotient ? I32F32{static_cast<int64_t>(quotient)}
                                                      : kZero;
}

constexpr I32F32 I32F32::from_share(uint16_t value) { return from_int(value) / from_int(65'535); }
constexpr uint16_t I32F32::to_share() const {
  const int128 floored = (int128{bits} * 65'535) >> 32;
  return static_cast<uint16_t>(floored < 0 ? 0 : floored > 65'535 ? 65'535 : floored);
}
constexpr uint16_t I32F32::round_to_u16() const {
  if (bits <= 0) return 0;
  const int128 rounded = (int128{bits} + kOneBits / 2) >> 32;
  return static_cast<uint16_t>(rounded > 65'535 ? 65'535 : rounded);
}

constexpr I32F32 sum(std::span<const I32F32> values) {
  return std::accumulate(values.begin(), values.end(), kZero);
}
// Divides all by their sum; leaves them alone if that is 0.
void normalise(std::span<I32F32> values);

// e^x of x clamped to [-20, 20], by the runtime's own 31-term series; not the nearest value.
I32F32 exp_safe(I32F32 x);

// Signed, 64 bits before the point and 64 behind: value = bits / 2^64.
struct I64F64 {
  int128 bits = 0;

  auto operator<=>(const I64F64&) const = default;

  static constexpr I64F64 from_int(uint64_t value) {
    constexpr uint64_t kHigh = std::numeric_limits<int64_t>::max();
    return {value > kHigh ? kInt128Max : static_cast<int128>(uint128{value} << 64)};
  }
  // floor(value), 0 if it is negative.
  constexpr uint64_t floor_to_u64() const {
    return bits < 0 ? 0 : static_cast<uint64_t>(static_cast<uint128>(bits) >> 64);
  }
  // Drops the 32 lowest bits (floor); saturates.
  constexpr I32F32 to_i32f32() const { return I32F32::saturated(bits >> 32); }
};

constexpr I64F64 operator+(I64F64 a, I64F64 b) {
  int128 out = 0;
  if (!__builtin_add_overflow(a.bits, b.bits, &out)) return {out};
  return {a.bits < 0 ? kInt128Min : kInt128Max};
}
I64F64 operator*(I64F64 a, I64F64 b);  // Through 256 bits; floor; saturates.
I64F64 operator/(I64F64 a, I64F64 b);  // Toward zero; saturates, by the sign of `a` if b is zero.

// Unsigned, 96 bits before the point and 32 behind: value = bits / 2^32.
struct U96F32 {
  uint128 bits = 0;

  auto operator<=>(const U96F32&) const = default;

  static constexpr U96F32 from_int(uint64_t value) { return {uint128{value} << 32}; }
  // numerator / denominator, rounded down.  Pre: denominator > 0.
  static constexpr U96F32 from_ratio(uint64_t numerator, uint64_t denominator) {
    return {(uint128{numerator} << 32) / denominator};
  }
  // Clamped to the largest.
  constexpr uint64_t floor_to_u64() const {
    const uint128 whole = bits >> 32;
    constexpr uint64_t kHigh = std::numeric_limits<uint64_t>::max();
    return whole > kHigh ? kHigh : static_cast<uint64_t>(whole);
  }
  // The same value, or the largest that fits.
  constexpr I64F64 to_i64f64() const {
    return {bits > static_cast<uint128>(kInt128Max) >> 32 ? kInt128Max
                                                          : static_cast<int128>(bits << 32)};
  }
};
U96F32 operator*(U96F32 a, U96F32 b);  // Through 256 bits; floor; saturates.

// floor(a * b / 2^shift), or the largest if that does not fit.  Pre: shift < 128.
uint128 multiply_shift(uint128 a, uint128 b, int shift);
// floor(a * 2^shift / b), or the largest if that does not fit or b is zero.  Pre: shift < 128.
uint128 shift_divide(uint128 a, int shift, uint128 b);

}  // namespace chain
