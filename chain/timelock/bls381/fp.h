// Fp: the integers modulo the 381-bit prime p of BLS12-381, in Montgomery form.
//
// Time and memory accesses depend on no value, except where a function says so.
// Source: RFC 9380, section 8.8.1 (p); Montgomery 1985, by words (CIOS: Koc, Acar, Kaliski 1996).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/bytes.h"
#include "common/check.h"

namespace chain::timelock::bls381 {

__extension__ typedef unsigned __int128 Wide;  // __extension__: ISO C++ has no such type.
using Limbs = std::array<uint64_t, 6>;         // Little-endian.

inline constexpr Limbs kModulus = {0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624,
                                   0x64774b84f38512bf, 0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a};
inline constexpr uint64_t kModulusInverse = 0x89f3fffcfffcfffd;  // -1/p mod 2^64.
inline constexpr size_t kFpSize = 48;

// a - b over six limbs; the borrow is 0 or 1.
constexpr Limbs subtract(const Limbs& a, const Limbs& b, uint64_t& borrow) {
  Limbs out{};
  borrow = 0;
  for (size_t i = 0; i < 6; ++i) {
    const Wide t = static_cast<Wide>(a[i]) - b[i] - borrow;
    out[i] = static_cast<uint64_t>(t);
    borrow = static_cast<uint64_t>(t >> 64) & 1;
  }
  return out;
}

// a + b over six limbs, which must not overflow: both are below 2^383.
constexpr Limbs sum(const Limbs& a, const Limbs& b) {
  Limbs out{};
  uint64_t carry = 0;
  for (size_t i = 0; i < 6; ++i) {
    const Wide t = static_cast<Wide>(a[i]) + b[i] + carry;
    out[i] = static_cast<uint64_t>(t);
    carry = static_cast<uint64_t>(t >> 64);
  }
  return out;
}

// `mask` is all ones for `a`, zero for `b`.
constexpr Limbs select(uint64_t mask, const Limbs& a, const Limbs& b) {
  Limbs out{};
  for (size_t i = 0; i < 6; ++i) out[i] = (a[i] & mask) | (b[i] & ~mask);
  return out;
}

// x mod p, for x < 2 p.
constexpr Limbs reduced(const Limbs& x) {
  uint64_t borrow = 0;
  const Limbs less = subtract(x, kModulus, borrow);
  return select(0 - borrow, x, less);
}

// a b / 2^384 mod p, for a b < 2^384 p. One pass a limb of b; the top limb of p is so short that
// the running sum never leaves seven limbs.
[[gnu::noinline]] constexpr Limbs product(const Limbs& a, const Limbs& b) {
  std::array<uint64_t, 7> t{};
  for (const uint64_t word : b) {
    Wide low = static_cast<Wide>(a[0]) * word + t[0];
    const uint64_t m = static_cast<uint64_t>(low) * kModulusInverse;
    Wide high = static_cast<Wide>(m) * kModulus[0] + static_cast<uint64_t>(low);
    for (size_t i = 1; i < 6; ++i) {
      low = static_cast<Wide>(a[i]) * word + t[i] + static_cast<uint64_t>(low >> 64);
      high = static_cast<Wide>(m) * kModulus[i] + static_cast<uint64_t>(low) +
             static_cast<uint64_t>(high >> 64);
      t[i - 1] = static_cast<uint64_t>(high);
    }
    t[5] = static_cast<uint64_t>(low >> 64) + static_cast<uint64_t>(high >> 64);
  }
  return reduced({t[0], t[1], t[2], t[3], t[4], t[5]});
}

// An element: limbs hold value * 2^384 mod p, always below p, so that equal is equal.
struct Fp {
  Limbs limbs{};
  bool operator==(const Fp&) const = default;

  static constexpr Fp zero() { return {}; }
  static constexpr Fp one() {
    return {{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba, 0x77ce585370525745,
             0x5c071a97a256ec6d, 0x15f65ec3fa80e493}};
  }
  constexpr bool is_zero() const { return *this == Fp{}; }

  friend constexpr Fp operator+(const Fp& a, const Fp& b) {
    return {reduced(sum(a.limbs, b.limbs))};
  }
  friend constexpr Fp operator-(const Fp& a, const Fp& b) {
    uint64_t borrow = 0;
    const Limbs difference = subtract(a.limbs, b.limbs, borrow);
    return {sum(difference, select(0 - borrow, kModulus, Limbs{}))};
  }
  constexpr Fp operator-() const { return Fp{} - *this; }
  friend constexpr Fp operator*(const Fp& a, const Fp& b) { return {product(a.limbs, b.limbs)}; }
  constexpr Fp square() const { return *this * *this; }
  constexpr Fp twice() const { return *this + *this; }

  // This to the power of `exponent`, which is public.
  Fp power(const Limbs& exponent) const;
  // 1/this; zero for zero.
  Fp inverse() const;
  // A square root, if there is one; branches on whether there is.
  std::optional<Fp> root() const;

  // The value itself, out of Montgomery form.
  constexpr Limbs value() const { return product(limbs, {1}); }
  static constexpr Fp from_value(const Limbs& value) {
    return {product(value, {0xf4df1f341c341746, 0x0a76e6a609d104f1, 0x8de5476c4c95b6d5,
                            0x67eb88a9939d83c0, 0x9a793e85b519952d, 0x11988fe592cae3aa})};
  }
  // Whether the value is odd: RFC 9380's sgn0.
  bool is_odd() const { return (value()[0] & 1) != 0; }
  // Whether the value is over (p - 1) / 2: what tells y from -y in a compressed point.
  bool is_high() const;

  // 48 bytes, big-endian. Nothing for a value that is not below p.
  static std::optional<Fp> from_bytes(common::ByteView bytes);
  std::array<uint8_t, kFpSize> bytes() const;
};

constexpr Fp select(uint64_t mask, const Fp& a, const Fp& b) {
  return {select(mask, a.limbs, b.limbs)};
}

// The element of up to 96 hex digits, as the standards write constants.
constexpr Fp fp(std::string_view hex) {
  Limbs value{};
  for (const char c : hex) {
    const bool letter = c >= 'a' && c <= 'f';
    CHECK(letter || (c >= '0' && c <= '9'));
    for (size_t i = 5; i > 0; --i) value[i] = (value[i] << 4) | (value[i - 1] >> 60);
    value[0] = (value[0] << 4) | static_cast<uint64_t>(letter ? c - 'a' + 10 : c - '0');
  }
  return Fp::from_value(value);
}

}  // namespace chain::timelock::bls381
