// Points of the two curves: E: y^2 = x^3 + 4 over Fp, whose subgroup of order r is G1, and its
// twist E': y^2 = x^3 + 4 (1 + u) over Fp2, whose subgroup of order r is G2.
//
// Source of the formulas: Renes, Costello and Batina 2015 (eprint 2015/1060), algorithms 7 and 9.
// They are complete: neither curve has a point of order two, so one formula adds all pairs.
#pragma once

#include <array>
#include <cstdint>

#include "chain/timelock/bls381/fp2.h"
#include "chain/timelock/bls381/scalar.h"

namespace chain::timelock::bls381 {

// A point that is not at infinity.
template <typename F>
struct Affine {
  F x;
  F y;
  bool operator==(const Affine&) const = default;
  Affine operator-() const { return {x, -y}; }
};

// 3 b times `a`, for the b of each curve.
inline Fp times_3b(const Fp& a) {
  const Fp four = a.twice().twice();
  return four.twice() + four;
}
inline Fp2 times_3b(const Fp2& a) { return Fp2{times_3b(a.c0), times_3b(a.c1)}.times_xi(); }

// (x / z, y / z), or infinity where z is zero.
template <typename F>
struct Point {
  F x = F::zero();
  F y = F::one();
  F z = F::zero();

  Point() = default;
  Point(const F& x_in, const F& y_in, const F& z_in) : x(x_in), y(y_in), z(z_in) {}
  Point(const Affine<F>& affine) : x(affine.x), y(affine.y), z(F::one()) {}  // NOLINT: a widening.

  bool is_infinity() const { return z.is_zero(); }
  friend bool operator==(const Point& a, const Point& b) {
    return a.is_infinity() == b.is_infinity() && a.x * b.z == b.x * a.z && a.y * b.z == b.y * a.z;
  }
  Point operator-() const { return {x, -y, z}; }

  friend Point operator+(const Point& a, const Point& b) {
    const F xx = a.x * b.x;
    const F yy = a.y * b.y;
    const F zz = a.z * b.z;
    const F xy = (a.x + a.y) * (b.x + b.y) - xx - yy;
    const F yz = (a.y + a.z) * (b.y + b.z) - yy - zz;
    const F xz = times_3b((a.x + a.z) * (b.x + b.z) - xx - zz);
    const F less = yy - times_3b(zz);
    const F more = yy + times_3b(zz);
    const F three_xx = xx.twice() + xx;
    return {xy * less - yz * xz, more * less + three_xx * xz, yz * more + three_xx * xy};
  }
  Point twice() const {
    const F yy = y.square();
    const F bzz = times_3b(z.square());
    const F less = yy - bzz.twice() - bzz;
    const F eight_yy = yy.twice().twice().twice();
    return {(x * y * less).twice(), less * (yy + bzz) + eight_yy * bzz, eight_yy * (y * z)};
  }

  // Pre: not infinity.
  Affine<F> affine() const {
    CHECK(!is_infinity());
    const F scale = z.inverse();
    return {x * scale, y * scale};
  }
};

template <typename F>
Point<F> select(uint64_t mask, const Point<F>& a, const Point<F>& b) {
  return {select(mask, a.x, b.x), select(mask, a.y, b.y), select(mask, a.z, b.z)};
}

// scalar * point, for secret scalars: 4 bits at a time, and every entry of the table is read.
template <typename F>
Point<F> multiply(const Point<F>& point, const Scalar& scalar) {
  std::array<Point<F>, 16> multiples;
  for (size_t i = 1; i < multiples.size(); ++i) multiples[i] = multiples[i - 1] + point;
  Point<F> out;
  for (size_t i = 0; i < 2 * scalar.size(); ++i) {
    const uint64_t digit = (scalar[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 0xFU;
    out = out.twice().twice().twice().twice();
    Point<F> term;
    for (uint64_t entry = 0; entry < multiples.size(); ++entry) {
      const uint64_t same = ((entry ^ digit) - 1) >> 63;  // 1 if equal, for both are below 2^63.
      term = select(0 - same, multiples[entry], term);
    }
    out = out + term;
  }
  return out;
}

// factor * point, for a public factor: time depends on it.
template <typename F>
Point<F> multiply_public(const Point<F>& point, uint64_t factor) {
  Point<F> out;
  for (int bit = 63; bit >= 0; --bit) {
    out = out.twice();
    if (((factor >> bit) & 1) != 0) out = out + point;
  }
  return out;
}

using G1 = Point<Fp>;
using G2 = Point<Fp2>;
using G1Affine = Affine<Fp>;
using G2Affine = Affine<Fp2>;

// |x|, the parameter from which the curve is made: p, r, and the pairing's loop. x is negative.
inline constexpr uint64_t kParameter = 0xd201000000010000;

// The standard generators.
const G1Affine& g1_generator();
const G2Affine& g2_generator();

// Whether a point of the whole curve is in the subgroup of order r; for public points.
// Source: Scott 2021 (eprint 2021/1130).
bool is_in_subgroup(const G1Affine& point);
bool is_in_subgroup(const G2Affine& point);

}  // namespace chain::timelock::bls381
