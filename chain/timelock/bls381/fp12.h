// Fp6 = Fp2[v] / (v^3 - (1 + u)) and Fp12 = Fp6[w] / (w^2 - v): where pairings live.
#pragma once

#include <array>

#include "chain/timelock/bls381/fp2.h"

namespace chain::timelock::bls381 {

// c0 + c1 v + c2 v^2.
struct Fp6 {
  Fp2 c0;
  Fp2 c1;
  Fp2 c2;
  bool operator==(const Fp6&) const = default;

  friend Fp6 operator+(const Fp6& a, const Fp6& b) {
    return {a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2};
  }
  friend Fp6 operator-(const Fp6& a, const Fp6& b) {
    return {a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2};
  }
  friend Fp6 operator*(const Fp6& a, const Fp6& b);
  Fp6 operator-() const { return {-c0, -c1, -c2}; }
  Fp6 times_v() const { return {c2.times_xi(), c0, c1}; }
  // Times b0 + b1 v: five products.
  Fp6 times_linear(const Fp2& b0, const Fp2& b1) const;
  // Times b1 v: three.
  Fp6 times_monomial(const Fp2& b1) const;
  Fp6 inverse() const;
};

// c0 + c1 w.
struct Fp12 {
  Fp6 c0;
  Fp6 c1;
  bool operator==(const Fp12&) const = default;

  static Fp12 one() { return {{Fp2::one(), {}, {}}, {}}; }

  friend Fp12 operator*(const Fp12& a, const Fp12& b);
  Fp12 square() const;
  // c0 - c1 w: also this to the power of p^6.
  Fp12 conjugate() const { return {c0, -c1}; }
  Fp12 inverse() const;
  // This to the power of p.
  Fp12 frobenius() const;
  // Times l0 + l1 v + l4 v w: what a line through points of G2 evaluates to.
  Fp12 times_line(const Fp2& l0, const Fp2& l1, const Fp2& l4) const;
  // The square, where this to the power of p^4 - p^2 + 1 is one: half the work.
  // Source: Granger and Scott 2010, "Faster squaring in the cyclotomic subgroup".
  Fp12 cyclotomic_square() const;

  // Twelve coordinates of 48 bytes, little-endian, c0.c0.c0 first: as arkworks writes them.
  std::array<uint8_t, 12 * kFpSize> bytes() const;
};

}  // namespace chain::timelock::bls381
