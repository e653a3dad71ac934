#include "chain/timelock/bls381/fp12.h"

#include <algorithm>

namespace chain::timelock::bls381 {
namespace {

// (1 + u)^((p - 1) / 6): w to the power of p is w times this.
constexpr Fp2 kFrobenius = {fp("1904d3bf02bb0667c231beb4202c0d1f0fd603fd3cbd5f4f7b2443d784bab9c4f67"
                               "ea53d63e7813d8d0775ed92235f"
                               "b8"),
                            fp("00fc3e2b36c4e03288e9e902231f9fb854a14787b6c7b36fec0c8ec971f63c5f282"
                               "d5ac14d6c7ec22cf78a126ddc4a"
                               "f3")};
constexpr Fp2 kFrobenius2 = kFrobenius * kFrobenius;
constexpr Fp2 kFrobenius3 = kFrobenius2 * kFrobenius;
constexpr Fp2 kFrobenius4 = kFrobenius3 * kFrobenius;
constexpr Fp2 kFrobenius5 = kFrobenius4 * kFrobenius;

// (a + b s)^2 where s^2 = 1 + u.
struct Fp4 {
  Fp2 a;
  Fp2 b;
  Fp4 square() const {
    const Fp2 low = a.square();
    const Fp2 high = b.square();
    return {low + high.times_xi(), (a + b).square() - low - high};
  }
};

// 3 x - 2 y and 3 x + 2 y.
Fp2 three_less_two(const Fp2& x, const Fp2& y) { return (x - y).twice() + x; }
Fp2 three_and_two(const Fp2& x, const Fp2& y) { return (x + y).twice() + x; }

}  // namespace

Fp6 operator*(const Fp6& a, const Fp6& b) {
  const Fp2 low = a.c0 * b.c0;
  const Fp2 middle = a.c1 * b.c1;
  const Fp2 high = a.c2 * b.c2;
  return {low + ((a.c1 + a.c2) * (b.c1 + b.c2) - middle - high).times_xi(),
          (a.c0 + a.c1) * (b.c0 + b.c1) - low - middle + high.times_xi(),
          (a.c0 + a.c2) * (b.c0 + b.c2) - low - high + middle};
}

Fp6 Fp6::times_linear(const Fp2& b0, const Fp2& b1) const {
  const Fp2 low = c0 * b0;
  const Fp2 middle = c1 * b1;
  return {low + (c2 * b1).times_xi(), (c0 + c1) * (b0 + b1) - low - middle, c2 * b0 + middle};
}

Fp6 Fp6::times_monomial(const Fp2& b1) const { return {(c2 * b1).times_xi(), c0 * b1, c1 * b1}; }

Fp6 Fp6::inverse() const {
  const Fp2 a = c0.square() - (c1 * c2).times_xi();
  const Fp2 b = c2.square().times_xi() - c0 * c1;
  const Fp2 c = c1.square() - c0 * c2;
  const Fp2 scale = (c0 * a + (c2 * b + c1 * c).times_xi()).inverse();
  return {a * scale, b * scale, c * scale};
}

Fp12 operator*(const Fp12& a, const Fp12& b) {
  const Fp6 low = a.c0 * b.c0;
  const Fp6 high = a.c1 * b.c1;
  return {low + high.times_v(), (a.c0 + a.c1) * (b.c0 + b.c1) - low - high};
}

Fp12 Fp12::square() const {
  const Fp6 cross = c0 * c1;
  return {(c0 + c1) * (c0 + c1.times_v()) - cross - cross.times_v(), cross + cross};
}

Fp12 Fp12::inverse() const {
  const Fp6 scale = (c0 * c0 - (c1 * c1).times_v()).inverse();
  return {c0 * scale, -(c1 * scale)};
}

// The coefficient of w^i is conjugated and gains a factor kFrobenius^i; v is w^2.
Fp12 Fp12::frobenius() const {
  return {{c0.c0.conjugate(), c0.c1.conjugate() * kFrobenius2, c0.c2.conjugate() * kFrobenius4},
          {c1.c0.conjugate() * kFrobenius, c1.c1.conjugate() * kFrobenius3,
           c1.c2.conjugate() * kFrobenius5}};
}

Fp12 Fp12::times_line(const Fp2& l0, const Fp2& l1, const Fp2& l4) const {
  const Fp6 low = c0.times_linear(l0, l1);
  const Fp6 high = c1.times_monomial(l4);
  return {low + high.times_v(), (c0 + c1).times_linear(l0, l1 + l4) - low - high};
}

// Three squarings in Fp4 = Fp2[s], s = w^3, of which Fp12 is a cubic extension.
Fp12 Fp12::cyclotomic_square() const {
  const Fp4 a = Fp4{c0.c0, c1.c1}.square();
  const Fp4 b = Fp4{c1.c0, c0.c2}.square();
  const Fp4 c = Fp4{c0.c1, c1.c2}.square();
  return {
      {three_less_two(a.a, c0.c0), three_less_two(b.a, c0.c1), three_less_two(c.a, c0.c2)},
      {three_and_two(c.b.times_xi(), c1.c0), three_and_two(a.b, c1.c1), three_and_two(b.b, c1.c2)}};
}

std::array<uint8_t, 12 * kFpSize> Fp12::bytes() const {
  std::array<uint8_t, 12 * kFpSize> out;
  auto at = out.begin();
  for (const Fp6& half : {c0, c1}) {
    for (const Fp2& pair : {half.c0, half.c1, half.c2}) {
      for (const Fp& coordinate : {pair.c0, pair.c1}) {
        const auto big_endian = coordinate.bytes();
        at = std::reverse_copy(big_endian.begin(), big_endian.end(), at);
      }
    }
  }
  return out;
}

}  // namespace chain::timelock::bls381
