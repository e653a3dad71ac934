#include "chain/embedded/fixed_point.h"

#include <algorithm>

#include "common/check.h"

namespace chain {
namespace {

constexpr uint128 kUint128Max = ~uint128{0};

struct Wide {
  uint128 high = 0;
  uint128 low = 0;
};

// Schoolbook, in limbs of 64 bits.
Wide multiply(uint128 a, uint128 b) {
  const auto low_half = [](uint128 x) { return uint128{static_cast<uint64_t>(x)}; };
  const uint128 low_low = low_half(a) * low_half(b);
  const uint128 low_high = low_half(a) * (b >> 64);
  const uint128 high_low = (a >> 64) * low_half(b);
  const uint128 high_high = (a >> 64) * (b >> 64);
  const uint128 middle = (low_low >> 64) + low_half(low_high) + low_half(high_low);
  return {high_high + (low_high >> 64) + (high_low >> 64) + (middle >> 64),
          (middle << 64) | low_half(low_low)};
}

uint128 magnitude(int128 value) {
  return value < 0 ? uint128{0} - static_cast<uint128>(value) : static_cast<uint128>(value);
}

// The signed value of that magnitude, saturated.
int128 with_sign(uint128 value, bool negative) {
  if (value > static_cast<uint128>(kInt128Max)) return negative ? kInt128Min : kInt128Max;
  return negative ? -static_cast<int128>(value) : static_cast<int128>(value);
}

}  // namespace

uint128 multiply_shift(uint128 a, uint128 b, int shift) {
  CHECK(shift >= 0 && shift < 128);
  const Wide product = multiply(a, b);
  if (shift == 0) return product.high != 0 ? kUint128Max : product.low;
  if (product.high >> shift != 0) return kUint128Max;
  return (product.high << (128 - shift)) | (product.low >> shift);
}

uint128 shift_divide(uint128 a, int shift, uint128 b) {
  CHECK(shift >= 0 && shift < 128);
  if (b == 0) return kUint128Max;
  uint128 quotient = a / b;
  uint128 rest = a % b;
  for (int i = 0; i < shift; ++i) {  // Long division, one binary digit a turn.
    if (quotient >> 127 != 0) return kUint128Max;
    const bool carry = rest >> 127 != 0;
    rest <<= 1;
    quotient <<= 1;
    if (carry || rest >= b) {
      rest -= b;
      quotient |= 1;
    }
  }
  return quotient;
}

I64F64 operator*(I64F64 a, I64F64 b) {
  const bool negative = (a.bits < 0) != (b.bits < 0);
  const uint128 floor = multiply_shift(magnitude(a.bits), magnitude(b.bits), 64);
  // Toward minus infinity: a negative product whose dropped bits are not all zero is one lower.
  const bool inexact =
      static_cast<uint64_t>(magnitude(a.bits) * magnitude(b.bits)) != 0 && floor != kUint128Max;
  return {with_sign(negative && inexact ? floor + 1 : floor, negative)};
}

I64F64 operator/(I64F64 a, I64F64 b) {
  if (a.bits == 0) return {};
  if (b.bits == 0) return {a.bits < 0 ? kInt128Min : kInt128Max};
  return {with_sign(shift_divide(magnitude(a.bits), 64, magnitude(b.bits)),
                    (a.bits < 0) != (b.bits < 0))};
}

U96F32 operator*(U96F32 a, U96F32 b) { return {multiply_shift(a.bits, b.bits, 32)}; }

void normalise(std::span<I32F32> values) {
  const I32F32 total = sum(values);
  if (total == kZero) return;
  for (I32F32& value : values) value = safe_div(value, total);
}

I32F32 exp_safe(I32F32 x) {
  constexpr I32F32 kE{int64_t{22'802'600} << 9};  // The crate's own constant, of 23 bits.
  constexpr int kTerms = 32;
  x = std::clamp(x, I32F32::from_int(-20), I32F32::from_int(20));
  if (x < kZero) return kOne / exp_safe(kZero - x);
  if (x == kZero) return kOne;
  if (x == kOne) return kE;
  I32F32 result = kOne + x;
  I32F32 term = x;
  for (int i = 2; i < kTerms; ++i) {
    term = term * x / I32F32::from_int(i);
    result = result + term;
  }
  return result;
}

}  // namespace chain
