#include "chain/timelock/bls381/fp.h"

namespace chain::timelock::bls381 {
namespace {

constexpr Limbs kModulusMinusTwo = {0xb9feffffffffaaa9, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624,
                                    0x64774b84f38512bf, 0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a};
// (p + 1) / 4: p is 3 mod 4, so that a square to this power is its root.
constexpr Limbs kRootExponent = {0xee7fbfffffffeaab, 0x07aaffffac54ffff, 0xd9cc34a83dac3d89,
                                 0xd91dd2e13ce144af, 0x92c6e9ed90d2eb35, 0x0680447a8e5ff9a6};
// (p - 1) / 2.
constexpr Limbs kHalf = {0xdcff7fffffffd555, 0x0f55ffff58a9ffff, 0xb39869507b587b12,
                         0xb23ba5c279c2895f, 0x258dd3db21a5d66b, 0x0d0088f51cbff34d};

}  // namespace

Fp Fp::power(const Limbs& exponent) const {
  Fp out = one();
  for (size_t i = 384; i-- > 0;) {
    out = out.square();
    if (((exponent[i / 64] >> (i % 64)) & 1) != 0) out = out * *this;
  }
  return out;
}

Fp Fp::inverse() const { return power(kModulusMinusTwo); }  // Fermat.

std::optional<Fp> Fp::root() const {
  const Fp candidate = power(kRootExponent);
  if (candidate.square() != *this) return std::nullopt;
  return candidate;
}

bool Fp::is_high() const {
  uint64_t borrow = 0;
  subtract(kHalf, value(), borrow);
  return borrow != 0;
}

std::optional<Fp> Fp::from_bytes(common::ByteView bytes) {
  CHECK(bytes.size() == kFpSize);
  Limbs value{};
  for (size_t i = 0; i < kFpSize; ++i) {
    value[i / 8] |= static_cast<uint64_t>(bytes[kFpSize - 1 - i]) << (8 * (i % 8));
  }
  uint64_t borrow = 0;
  subtract(value, kModulus, borrow);
  if (borrow == 0) return std::nullopt;
  return from_value(value);
}

std::array<uint8_t, kFpSize> Fp::bytes() const {
  const Limbs number = value();
  std::array<uint8_t, kFpSize> out;
  for (size_t i = 0; i < kFpSize; ++i) {
    out[kFpSize - 1 - i] = static_cast<uint8_t>(number[i / 8] >> (8 * (i % 8)));
  }
  return out;
}

}  // namespace chain::timelock::bls381
