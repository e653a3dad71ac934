// sr25519: Schnorr signatures over ristretto255 with Merlin transcripts, as Substrate uses them.
//
// Source: schnorrkel (github.com/w3f/schnorrkel), signing context "substrate", expansion mode
// "Ed25519". A secret is 64 bytes: scalar a (little-endian, 0 < a < L) | nonce (32).
#pragma once

#include <array>

#include "common/bytes.h"
#include "common/crypto/secret_bytes.h"

namespace common::crypto {

using PublicKey = std::array<uint8_t, 32>;
using ChainCode = std::array<uint8_t, 32>;

inline constexpr size_t kMiniSecretSize = 32;
inline constexpr size_t kSecretSize = 64;

// The secret of a mini secret.  Pre: 32 bytes.
SecretBytes expand(ByteView mini_secret);
// Whether 64 bytes are a secret: the scalar is in range. Polkadot's "ed25519 form" (8 a) is not.
bool is_secret(ByteView bytes);

// a B.  Pre: is_secret.
PublicKey public_of(const SecretBytes& secret);

// The child of a hard junction: known only to who knows the secret.
SecretBytes derive_hard(const SecretBytes& secret, const ChainCode& chain_code);
// The child of a soft junction: its public key follows from the parent's. The same child always.
SecretBytes derive_soft(const SecretBytes& secret, const ChainCode& chain_code);

// R | s, with schnorrkel's marker bit. The witness is a hash of the secret, of fresh randomness and
// of the message, so that neither a broken random source nor an unlucky nonce gives the key away.
std::array<uint8_t, 64> sign(const SecretBytes& secret, const PublicKey& account, ByteView message);
// Strict: marker bit, canonical s, a canonical point other than zero for the key.
bool verify(const PublicKey& account, ByteView message, const std::array<uint8_t, 64>& signature);

}  // namespace common::crypto
