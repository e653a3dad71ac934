#include "chain/timelock/bls381/pairing.h"

#include <vector>

namespace chain::timelock::bls381 {
namespace {

// One pair on its way through the loop: `t` is a multiple of q.
struct Walker {
  G1Affine p;
  G2Affine q;
  G2 t;
};

Fp2 half(const Fp2& a) {
  constexpr Fp kOneHalf = fp(
      "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffff"
      "d556");
  return a * kOneHalf;
}

// f times the tangent at t, evaluated at p; t becomes 2 t. The line through (x, y) of the twist
// with slope s is (s x - y) - s xp v + yp v w there, up to factors that the final exponentiation
// removes; here it is scaled by -2 y z.
void double_step(Fp12& f, Walker& at) {
  G2& t = at.t;
  const Fp2 a = half(t.x * t.y);
  const Fp2 b = t.y.square();
  const Fp2 c = t.z.square();
  const Fp2 e = times_3b(c);
  const Fp2 three_e = e.twice() + e;
  const Fp2 g = half(b + three_e);
  const Fp2 h = (t.y + t.z).square() - b - c;
  const Fp2 xx = t.x.square();
  const Fp2 ee = e.square();
  f = f.times_line(e - b, (xx.twice() + xx) * at.p.x, -(h * at.p.y));
  t = {a * (b - three_e), g.square() - ee.twice() - ee, b * h};
}

// f times the line through t and q, evaluated at p; t becomes t + q.
void add_step(Fp12& f, Walker& at) {
  G2& t = at.t;
  const Fp2 theta = t.y - at.q.y * t.z;
  const Fp2 lambda = t.x - at.q.x * t.z;
  const Fp2 c = theta.square();
  const Fp2 d = lambda.square();
  const Fp2 e = lambda * d;
  const Fp2 g = t.x * d;
  const Fp2 h = e + t.z * c - g.twice();
  f = f.times_line(theta * at.q.x - lambda * at.q.y, -(theta * at.p.x), lambda * at.p.y);
  t = {lambda * h, theta * (g - h) - e * t.y, t.z * e};
}

// To the power of x, for an element that is cyclotomic.
Fp12 power_of_parameter(const Fp12& a) {
  Fp12 out = a;
  for (int bit = 62; bit >= 0; --bit) {
    out = out.cyclotomic_square();
    if (((kParameter >> bit) & 1) != 0) out = out * a;
  }
  return out.conjugate();  // x is negative, and a conjugate is an inverse here.
}

// To the power of 3 (p^12 - 1) / r = (p^6 - 1) (p^2 + 1) ((x - 1)^2 (x + p) (x^2 + p^2 - 1) + 3).
Fp12 final_exponentiation(const Fp12& a) {
  const Fp12 to_p6_less_1 = a.conjugate() * a.inverse();
  const Fp12 b = to_p6_less_1.frobenius().frobenius() * to_p6_less_1;
  Fp12 c = power_of_parameter(b) * b.conjugate();
  c = power_of_parameter(c) * c.conjugate();
  c = power_of_parameter(c) * c.frobenius();
  c = power_of_parameter(power_of_parameter(c)) * c.frobenius().frobenius() * c.conjugate();
  return c * b.cyclotomic_square() * b;
}

}  // namespace

Fp12 pairing_product(std::span<const PointPair> pairs) {
  std::vector<Walker> walkers;
  for (const PointPair& pair : pairs) walkers.push_back({pair.p, pair.q, pair.q});
  Fp12 f = Fp12::one();
  for (int bit = 62; bit >= 0; --bit) {
    f = f.square();
    for (Walker& walker : walkers) double_step(f, walker);
    if (((kParameter >> bit) & 1) == 0) continue;
    for (Walker& walker : walkers) add_step(f, walker);
  }
  return final_exponentiation(f.conjugate());  // x is negative.
}

}  // namespace chain::timelock::bls381
