#include "chain/timelock/bls381/fp2.h"

namespace chain::timelock::bls381 {
namespace {

constexpr Fp kOneHalf = fp(
    "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd5"
    "56");
static_assert(kOneHalf + kOneHalf == Fp::one());

}  // namespace

Fp2 Fp2::inverse() const {
  const Fp norm_inverse = (c0.square() + c1.square()).inverse();
  return {c0 * norm_inverse, -(c1 * norm_inverse)};
}

// With n^2 = c0^2 + c1^2, the root is x + c1/(2x) u, where x^2 is one of (c0 +- n) / 2.
std::optional<Fp2> Fp2::root() const {
  if (c1.is_zero()) {
    if (const auto real = c0.root()) return Fp2{*real, Fp::zero()};
    return Fp2{Fp::zero(), (-c0).root().value()};  // -1 is no square, so one of the two is.
  }
  const auto norm = (c0.square() + c1.square()).root();
  if (!norm) return std::nullopt;
  auto x = ((c0 + *norm) * kOneHalf).root();
  if (!x) x = ((c0 - *norm) * kOneHalf).root();
  CHECK(x.has_value());  // Their product is -c1^2/4, no square: exactly one of the two is.
  const Fp2 root = {*x, c1 * kOneHalf * x->inverse()};
  CHECK(root.square() == *this);
  return root;
}

}  // namespace chain::timelock::bls381
