#include "common/crypto/sr25519.h"

#include <sodium.h>

#include <algorithm>

#include "common/check.h"
#include "common/crypto/transcript.h"

namespace common::crypto {
namespace {

using Scalar = std::array<uint8_t, 32>;
using WideScalar = std::array<uint8_t, 64>;

constexpr uint8_t kMarker = 0x80;  // In the last byte: "this is schnorrkel's, not Ed25519's".

ByteView scalar_of(const SecretBytes& secret) { return secret.view().first(32); }
ByteView nonce_of(const SecretBytes& secret) { return secret.view().subspan(32); }

void reduce(uint8_t* out, const WideScalar& wide) {
  crypto_core_ristretto255_scalar_reduce(out, wide.data());
}

// Below the group order L.
bool is_canonical(ByteView scalar) {
  WideScalar wide{};
  std::ranges::copy(scalar, wide.begin());
  Scalar reduced;
  reduce(reduced.data(), wide);
  const bool canonical = sodium_memcmp(reduced.data(), scalar.data(), reduced.size()) == 0;
  wipe(wide);
  wipe(reduced);
  return canonical;
}

// The challenge k of a signature.
Scalar challenge(const PublicKey& account, ByteView message, ByteView commitment) {
  Transcript transcript("SigningContext");
  transcript.append("", view_of("substrate"))
      .append("sign-bytes", message)
      .append("proto-name", view_of("Schnorr-sig"))
      .append("sign:pk", account)
      .append("sign:R", commitment);
  WideScalar wide;
  transcript.challenge("sign:c", wide);
  Scalar out;
  reduce(out.data(), wide);
  return out;
}

// The witness r, never the same twice and never to be guessed.
SecretBytes witness(const SecretBytes& secret, const PublicKey& account, ByteView message) {
  static_assert(kSecretSize <= crypto_generichash_KEYBYTES_MAX);
  WideScalar fresh;
  randombytes_buf(fresh.data(), fresh.size());
  WideScalar wide;
  crypto_generichash_state state;
  crypto_generichash_init(&state, secret.view().data(), secret.size(), wide.size());
  crypto_generichash_update(&state, fresh.data(), fresh.size());
  crypto_generichash_update(&state, account.data(), account.size());
  crypto_generichash_update(&state, message.data(), message.size());
  crypto_generichash_final(&state, wide.data(), wide.size());
  SecretBytes out(32);
  reduce(out.bytes().data(), wide);
  sodium_memzero(&state, sizeof state);
  wipe(wide);
  wipe(fresh);
  return out;
}

}  // namespace

SecretBytes expand(ByteView mini_secret) {
  CHECK(mini_secret.size() == kMiniSecretSize);
  SecretBytes secret(kSecretSize);
  const auto out = secret.bytes();
  crypto_hash_sha512(out.data(), mini_secret.data(), mini_secret.size());
  out[0] &= 248;
  out[31] &= 63;
  out[31] |= 64;
  // Divided by the cofactor 8, which is exact: the three low bits were just cleared.
  for (size_t i = 0; i < 31; ++i) out[i] = static_cast<uint8_t>(out[i] >> 3 | out[i + 1] << 5);
  out[31] >>= 3;
  return secret;
}

bool is_secret(ByteView bytes) {
  return bytes.size() == kSecretSize && is_canonical(bytes.first(32)) &&
         sodium_is_zero(bytes.data(), 32) == 0;
}

PublicKey public_of(const SecretBytes& secret) {
  CHECK(secret.size() == kSecretSize);
  PublicKey account;
  CHECK(crypto_scalarmult_ristretto255_base(account.data(), scalar_of(secret).data()) == 0);
  return account;
}

SecretBytes derive_hard(const SecretBytes& secret, const ChainCode& chain_code) {
  Transcript transcript("SchnorrRistrettoHDKD");
  transcript.append("sign-bytes", {})
      .append("chain-code", chain_code)
      .append("secret-key", scalar_of(secret));
  SecretBytes mini_secret(kMiniSecretSize);
  transcript.challenge("HDKD-hard", mini_secret.bytes());
  return expand(mini_secret.view());
}

SecretBytes derive_soft(const SecretBytes& secret, const ChainCode& chain_code) {
  Transcript transcript("SchnorrRistrettoHDKD");
  transcript.append("sign-bytes", {})
      .append("chain-code", chain_code)
      .append("public-key", public_of(secret));
  WideScalar wide;
  transcript.challenge("HDKD-scalar", wide);
  Scalar step;
  reduce(step.data(), wide);
  SecretBytes child(kSecretSize);
  crypto_core_ristretto255_scalar_add(child.bytes().data(), scalar_of(secret).data(), step.data());
  // Schnorrkel draws the child's nonce at random; from the parent's it is as secret, and stays the
  // same.
  CHECK(crypto_generichash(child.bytes().data() + 32, 32, chain_code.data(), chain_code.size(),
                           nonce_of(secret).data(), 32) == 0);
  return child;
}

std::array<uint8_t, 64> sign(const SecretBytes& secret, const PublicKey& account,
                             ByteView message) {
  std::array<uint8_t, 64> signature;
  const SecretBytes r = witness(secret, account, message);
  CHECK(crypto_scalarmult_ristretto255_base(signature.data(), r.view().data()) == 0);
  const Scalar k = challenge(account, message, ByteView(signature).first(32));
  SecretBytes ka(32);
  crypto_core_ristretto255_scalar_mul(ka.bytes().data(), k.data(), scalar_of(secret).data());
  crypto_core_ristretto255_scalar_add(signature.data() + 32, ka.view().data(), r.view().data());
  signature[63] |= kMarker;
  return signature;
}

bool verify(const PublicKey& account, ByteView message, const std::array<uint8_t, 64>& signature) {
  if ((signature[63] & kMarker) == 0) return false;
  Scalar s;
  std::ranges::copy(ByteView(signature).subspan(32), s.begin());
  s[31] &= static_cast<uint8_t>(~kMarker);
  if (!is_canonical(s)) return false;

  const ByteView commitment = ByteView(signature).first(32);
  const Scalar k = challenge(account, message, commitment);
  std::array<uint8_t, 32> ka;
  // Fails for what is no point, and for the zero point, whose signatures anybody can make.
  if (crypto_scalarmult_ristretto255(ka.data(), k.data(), account.data()) != 0) return false;
  std::array<uint8_t, 32> sb{};
  // Fails for s = 0 only, whose product is zero, as written above.
  if (crypto_scalarmult_ristretto255_base(sb.data(), s.data()) != 0) sb.fill(0);
  std::array<uint8_t, 32> expected;
  if (crypto_core_ristretto255_sub(expected.data(), sb.data(), ka.data()) != 0) return false;
  return sodium_memcmp(expected.data(), commitment.data(), expected.size()) == 0;
}

}  // namespace common::crypto
