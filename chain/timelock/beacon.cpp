#include <sodium.h>

#include <algorithm>

#include "chain/timelock/bls381/codec.h"
#include "chain/timelock/bls381/hash_to_g1.h"
#include "chain/timelock/bls381/pairing.h"
#include "chain/timelock/round_point.h"
#include "chain/timelock/timelock.h"

namespace chain::timelock {
namespace {

constexpr std::string_view kDst = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

template <size_t N>
std::array<uint8_t, N> from_hex(std::string_view hex) {
  const auto bytes = common::from_hex(hex);
  CHECK(bytes && bytes->size() == N);
  std::array<uint8_t, N> out;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

template <typename T>
std::array<uint8_t, sizeof(T)> big_endian(T number) {
  std::array<uint8_t, sizeof(T)> out;
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<uint8_t>(number >> (8 * (sizeof(T) - 1 - i)));
  }
  return out;
}

Digest sha256(ByteView bytes) {
  Digest out;
  crypto_hash_sha256(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace

bls381::G1Affine round_point(uint64_t round) {
  return bls381::hash_to_g1(sha256(big_endian(round)), kDst);
}

Checked<BeaconKey> BeaconKey::parse(ByteView bytes) {
  const auto point = bls381::g2_from_bytes(bytes);
  if (!point) return tl::unexpected(point.error());
  return BeaconKey(bls381::bytes_of(*point));
}

const BeaconKey& BeaconKey::quicknet() {
  static const BeaconKey key =
      parse(from_hex<kPublicKeySize>(
                "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3a"
                "c6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5"
                "a6e9c76a4bc09e76eae8991ef5ece45a"))
          .value();
  return key;
}

const Beacon& Beacon::quicknet() {
  static const Beacon beacon = {BeaconKey::quicknet(), 3, 1692803367};
  return beacon;
}

uint64_t Beacon::round_at(uint64_t unix_s) const {
  CHECK(period_s > 0);
  return unix_s < genesis_s ? 1 : std::max<uint64_t>(1, (unix_s - genesis_s) / period_s);
}

uint64_t Beacon::latest_round(uint64_t unix_s) const {
  CHECK(period_s > 0);
  if (unix_s < genesis_s) return 0;
  const uint64_t periods = (unix_s - genesis_s) / period_s;
  return periods == UINT64_MAX ? periods : periods + 1;
}

uint64_t Beacon::published_s(uint64_t round) const {
  uint64_t out = 0;
  const bool beyond =
      __builtin_mul_overflow(round == 0 ? 0 : round - 1, uint64_t{period_s}, &out) ||
      __builtin_add_overflow(out, genesis_s, &out);
  return beyond ? UINT64_MAX : out;
}

Digest chain_hash(const Beacon& beacon, const Digest& group_hash, std::string_view id) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  const auto update = [&state](ByteView bytes) {
    crypto_hash_sha256_update(&state, bytes.data(), bytes.size());
  };
  update(big_endian(beacon.period_s));
  update(big_endian(beacon.genesis_s));
  update(beacon.key.bytes());
  update(group_hash);
  if (id != "default") update(common::view_of(id));
  Digest out;
  crypto_hash_sha256_final(&state, out.data());
  return out;
}

const Digest& quicknet_group_hash() {
  static const Digest hash =
      from_hex<32>("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e");
  return hash;
}

Digest randomness_of(const RoundSignature& signature) { return sha256(signature); }

Checked<void> verify(const BeaconKey& key, uint64_t round, ByteView signature) {
  const auto point = bls381::g1_from_bytes(signature);
  if (!point) return tl::unexpected(point.error());
  // e(Q, key) = e(signature, G2), as one product that must be one.
  const std::array<bls381::PointPair, 2> pairs = {
      {{round_point(round), bls381::g2_from_bytes(key.bytes()).value()},
       {-*point, bls381::g2_generator()}}};
  if (bls381::pairing_product(pairs) == bls381::Fp12::one()) return {};
  return tl::unexpected(Fault::kBadSignature);
}

BeaconSecret BeaconSecret::from_seed(ByteView seed) {
  CHECK(seed.size() >= 32);
  constexpr std::array<uint8_t, 1> kZero = {0};
  constexpr std::array<uint8_t, 3> kInfo1 = {0, 48, 1};  // The 48 bytes wanted, and a counter.
  constexpr std::array<uint8_t, 3> kInfo2 = {0, 48, 2};
  const auto hmac = [](const Digest& key, ByteView a, ByteView b) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    crypto_auth_hmacsha256_update(&state, a.data(), a.size());
    crypto_auth_hmacsha256_update(&state, b.data(), b.size());
    Digest out;
    crypto_auth_hmacsha256_final(&state, out.data());
    sodium_memzero(&state, sizeof state);
    return out;
  };
  BeaconSecret secret;
  Digest salt = sha256(common::view_of("BLS-SIG-KEYGEN-SALT-"));
  // Once, but for one seed in 2^255, whose number is zero.
  for (; secret.scalar_ == bls381::Scalar{}; salt = sha256(salt)) {
    Digest key = hmac(salt, seed, kZero);
    std::array<Digest, 2> number = {hmac(key, kInfo1, {}), {}};
    number[1] = hmac(key, number[0], kInfo2);
    secret.scalar_ = bls381::scalar_of(ByteView(number[0].data(), sizeof number).first(48));
    sodium_memzero(key.data(), key.size());
    sodium_memzero(number.data(), sizeof number);
  }
  return secret;
}

BeaconSecret::BeaconSecret(BeaconSecret&& other) noexcept : scalar_(other.scalar_) {
  sodium_memzero(other.scalar_.data(), other.scalar_.size());
}

BeaconSecret& BeaconSecret::operator=(BeaconSecret&& other) noexcept {
  std::swap(scalar_, other.scalar_);
  return *this;
}

BeaconSecret::~BeaconSecret() { sodium_memzero(scalar_.data(), scalar_.size()); }

BeaconKey BeaconSecret::key() const {
  CHECK(scalar_ != bls381::Scalar{});
  const auto point = bls381::multiply<bls381::Fp2>(bls381::g2_generator(), scalar_);
  return BeaconKey(bls381::bytes_of(point.affine()));
}

RoundSignature BeaconSecret::sign(uint64_t round) const {
  CHECK(scalar_ != bls381::Scalar{});
  return bls381::bytes_of(bls381::multiply<bls381::Fp>(round_point(round), scalar_).affine());
}

}  // namespace chain::timelock
