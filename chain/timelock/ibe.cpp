#include "chain/timelock/ibe.h"

#include <sodium.h>

#include <algorithm>

#include "chain/timelock/bls381/codec.h"
#include "chain/timelock/bls381/pairing.h"
#include "chain/timelock/round_point.h"
#include "chain/timelock/sealed.h"

namespace chain::timelock {
namespace {

using bls381::G1Affine;
using bls381::G2Affine;
using bls381::Scalar;

Digest exclusive_or(const Digest& a, const Digest& b) {
  Digest out;
  for (size_t i = 0; i < out.size(); ++i) out[i] = a[i] ^ b[i];
  return out;
}

// What hides sigma.
Digest mask_of(const bls381::Fp12& shared) {
  auto bytes = shared.bytes();
  Digest out;
  crypto_hash_sha256(out.data(), bytes.data(), bytes.size());
  sodium_memzero(bytes.data(), bytes.size());
  return out;
}

// What hides the key.
Digest mask_of(const Digest& sigma) {
  Digest out;
  crypto_hash_sha256(out.data(), sigma.data(), sigma.size());
  return out;
}

// r: who knows sigma and key can make u again, and see that it was made so.
Scalar scalar_for(const Digest& sigma, const CipherKey& key) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, sigma.data(), sigma.size());
  crypto_hash_sha256_update(&state, key.data(), key.size());
  Digest digest;
  crypto_hash_sha256_final(&state, digest.data());
  const Scalar scalar = bls381::scalar_of(digest);
  sodium_memzero(digest.data(), digest.size());
  sodium_memzero(&state, sizeof state);
  return scalar;
}

// r G2, or infinity's stand-in for the one r of 2^255 that is zero: no u equals it.
std::array<uint8_t, bls381::kG2Size> public_half(const Scalar& scalar) {
  const auto point = bls381::multiply<bls381::Fp2>(bls381::g2_generator(), scalar);
  if (point.is_infinity()) return {};
  return bls381::bytes_of(point.affine());
}

// The key that u, v and w hide, if this signature opens them.
Checked<CipherKey> key_of(const Sealed& sealed, const G1Affine& signature, const G2Affine& u) {
  Digest mask = mask_of(bls381::pairing(signature, u));
  Digest sigma = exclusive_or(sealed.v, mask);
  CipherKey key = exclusive_or(sealed.w, mask_of(sigma));
  Scalar scalar = scalar_for(sigma, key);
  const bool fits = public_half(scalar) == sealed.u;
  sodium_memzero(mask.data(), mask.size());
  sodium_memzero(sigma.data(), sigma.size());
  sodium_memzero(scalar.data(), scalar.size());
  if (!fits) {
    sodium_memzero(key.data(), key.size());
    return tl::unexpected(Fault::kOtherRound);
  }
  return key;
}

}  // namespace

Ephemeral::~Ephemeral() {
  sodium_memzero(key.data(), key.size());
  sodium_memzero(sigma.data(), sigma.size());
}

Bytes encrypt_with(const Ephemeral& secret, ByteView plaintext, uint64_t round,
                   const BeaconKey& beacon) {
  CHECK(plaintext.size() <= kPlaintextSizeMax);
  Scalar scalar = scalar_for(secret.sigma, secret.key);
  const Bytes body = seal_aes(secret.key, secret.nonce, plaintext);
  Sealed sealed;
  sealed.u = public_half(scalar);
  // e(r Q, beacon) is e(Q, r beacon), and points of G1 are cheaper to multiply.
  const auto shared =
      bls381::pairing(bls381::multiply<bls381::Fp>(round_point(round), scalar).affine(),
                      bls381::g2_from_bytes(beacon.bytes()).value());
  sodium_memzero(scalar.data(), scalar.size());
  sealed.v = exclusive_or(secret.sigma, mask_of(shared));
  sealed.w = exclusive_or(secret.key, mask_of(secret.sigma));
  sealed.body = body;
  sealed.nonce = secret.nonce;
  return sealed.serialise();
}

common::Result<Bytes> encrypt(ByteView plaintext, uint64_t round, const BeaconKey& key) {
  if (plaintext.size() > kPlaintextSizeMax) {
    return common::Error{common::Code::kInvalidArgument,
                         "a timelock holds at most " + std::to_string(kPlaintextSizeMax) +
                             " bytes, and this is " + std::to_string(plaintext.size())};
  }
  CHECK(sodium_init() >= 0);
  Ephemeral secret;
  randombytes_buf(secret.key.data(), secret.key.size());
  randombytes_buf(secret.sigma.data(), secret.sigma.size());
  randombytes_buf(secret.nonce.data(), secret.nonce.size());
  return encrypt_with(secret, plaintext, round, key);
}

Checked<Bytes> decrypt(ByteView ciphertext, ByteView signature) {
  const auto sealed = Sealed::parse(ciphertext);
  if (!sealed) return tl::unexpected(sealed.error());
  const auto point = bls381::g1_from_bytes(signature);
  if (!point) return tl::unexpected(point.error());
  const auto u = bls381::g2_from_bytes(sealed->u);
  if (!u) return tl::unexpected(u.error());
  auto key = key_of(*sealed, *point, *u);
  if (!key) return tl::unexpected(key.error());
  auto plaintext = open_aes(*key, sealed->nonce, sealed->body);
  sodium_memzero(key->data(), key->size());
  if (!plaintext) return tl::unexpected(Fault::kAltered);
  return std::move(*plaintext);
}

}  // namespace chain::timelock
