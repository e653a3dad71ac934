#include "chain/timelock/bls381/hash_to_g1.h"

#include <sodium.h>

#include <algorithm>

#include "chain/timelock/bls381/isogeny.h"

namespace chain::timelock::bls381 {
namespace {

using common::ByteView;
using Digest = std::array<uint8_t, crypto_hash_sha256_BYTES>;

constexpr size_t kElementSize = 64;  // Section 5.1: 381 + 128 bits, in whole bytes.
constexpr size_t kUniformSize = 2 * kElementSize;

Digest sha256(std::initializer_list<ByteView> parts) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const ByteView part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  Digest digest;
  crypto_hash_sha256_final(&state, digest.data());
  return digest;
}

// expand_message_xmd with SHA-256, section 5.3.1.
std::array<uint8_t, kUniformSize> expand(ByteView message, std::string_view dst) {
  CHECK(!dst.empty() && dst.size() < 256);
  const ByteView name = common::view_of(dst);
  const std::array<uint8_t, 1> name_size = {static_cast<uint8_t>(dst.size())};
  const std::array<uint8_t, 64> block{};  // SHA-256 takes blocks of 64 bytes.
  const std::array<uint8_t, 3> size = {0, kUniformSize, 0};
  const Digest first = sha256({block, message, size, name, name_size});
  std::array<uint8_t, kUniformSize> out;
  Digest last{};
  for (uint8_t i = 0; i < kUniformSize / last.size(); ++i) {
    for (size_t j = 0; j < last.size(); ++j) last[j] ^= first[j];
    const std::array<uint8_t, 1> number = {static_cast<uint8_t>(i + 1)};
    last = sha256({last, number, name, name_size});
    std::copy(last.begin(), last.end(), out.begin() + i * static_cast<ptrdiff_t>(last.size()));
  }
  return out;
}

// 64 bytes, big-endian, modulo p.
Fp reduced(ByteView bytes) {
  constexpr Fp kTwo256 = Fp::from_value({0, 0, 0, 0, 1, 0});
  std::array<uint8_t, kFpSize> high{};
  std::array<uint8_t, kFpSize> low{};
  std::copy_n(bytes.begin(), 32, high.begin() + 16);
  std::copy_n(bytes.begin() + 32, 32, low.begin() + 16);
  return Fp::from_bytes(high).value() * kTwo256 + Fp::from_bytes(low).value();
}

// u to a point of the curve y^2 = x^3 + A x + B, section 6.6.2 (simplified SWU).
G1Affine map_to_isogenous(const Fp& u) {
  const Fp zuu = kSswuZ * u.square();
  const Fp denominator = zuu.square() + zuu;
  Fp x = denominator.is_zero()
             ? kIsogenousB * (kSswuZ * kIsogenousA).inverse()
             : -(kIsogenousB * kIsogenousA.inverse()) * (Fp::one() + denominator.inverse());
  const auto rhs = [](const Fp& at) { return (at.square() + kIsogenousA) * at + kIsogenousB; };
  auto y = rhs(x).root();
  if (!y) {
    x = zuu * x;
    y = rhs(x).root();
  }
  CHECK(y.has_value());  // One of the two is a square.
  return {x, u.is_odd() == y->is_odd() ? *y : -*y};
}

// The polynomial's value, by Horner.
Fp evaluate(std::span<const Fp> coefficients, const Fp& x) {
  Fp out;
  for (size_t i = coefficients.size(); i-- > 0;) out = out * x + coefficients[i];
  return out;
}

// From the isogenous curve to E, appendix E.2. A zero denominator means infinity.
G1 isogeny(const G1Affine& from) {
  const Fp x_over = evaluate(kXDenominator, from.x);
  const Fp y_over = evaluate(kYDenominator, from.x);
  const Fp over = x_over * y_over;
  if (over.is_zero()) return {};
  return {evaluate(kXNumerator, from.x) * y_over, from.y * evaluate(kYNumerator, from.x) * x_over,
          over};
}

}  // namespace

G1Affine hash_to_g1(ByteView message, std::string_view dst) {
  const auto uniform = expand(message, dst);
  const ByteView bytes(uniform);
  const G1 sum = isogeny(map_to_isogenous(reduced(bytes.first(kElementSize)))) +
                 isogeny(map_to_isogenous(reduced(bytes.subspan(kElementSize))));
  return (multiply_public(sum, kParameter) + sum).affine();  // The cofactor: h_eff = 1 - x.
}

}  // namespace chain::timelock::bls381
