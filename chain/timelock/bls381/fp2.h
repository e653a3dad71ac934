// Fp2 = Fp[u] / (u^2 + 1): the field under G2.
#pragma once

#include "chain/timelock/bls381/fp.h"

namespace chain::timelock::bls381 {

// c0 + c1 u.
struct Fp2 {
  Fp c0;
  Fp c1;
  bool operator==(const Fp2&) const = default;

  static constexpr Fp2 zero() { return {}; }
  static constexpr Fp2 one() { return {Fp::one(), Fp::zero()}; }
  constexpr bool is_zero() const { return c0.is_zero() && c1.is_zero(); }

  friend constexpr Fp2 operator+(const Fp2& a, const Fp2& b) { return {a.c0 + b.c0, a.c1 + b.c1}; }
  friend constexpr Fp2 operator-(const Fp2& a, const Fp2& b) { return {a.c0 - b.c0, a.c1 - b.c1}; }
  constexpr Fp2 operator-() const { return {-c0, -c1}; }
  // Karatsuba: three products for four.
  friend constexpr Fp2 operator*(const Fp2& a, const Fp2& b) {
    const Fp low = a.c0 * b.c0;
    const Fp high = a.c1 * b.c1;
    return {low - high, (a.c0 + a.c1) * (b.c0 + b.c1) - low - high};
  }
  friend constexpr Fp2 operator*(const Fp2& a, const Fp& b) { return {a.c0 * b, a.c1 * b}; }
  constexpr Fp2 square() const { return {(c0 + c1) * (c0 - c1), c0.twice() * c1}; }
  constexpr Fp2 twice() const { return {c0.twice(), c1.twice()}; }
  // c0 - c1 u: also this to the power of p.
  constexpr Fp2 conjugate() const { return {c0, -c1}; }
  // Times 1 + u, the element of which the tower above takes roots.
  constexpr Fp2 times_xi() const { return {c0 - c1, c0 + c1}; }

  // 1/this; zero for zero.
  Fp2 inverse() const;
  // A square root, if there is one; branches on the value.
  std::optional<Fp2> root() const;
  // Whether this comes after its negative: by c1, or by c0 where c1 is zero.
  bool is_high() const { return c1.is_zero() ? c0.is_high() : c1.is_high(); }
};

constexpr Fp2 select(uint64_t mask, const Fp2& a, const Fp2& b) {
  return {select(mask, a.c0, b.c0), select(mask, a.c1, b.c1)};
}

}  // namespace chain::timelock::bls381
