// Extrinsics, version 4: how a call is signed, wrapped and taken apart again.
//
//   Compact(length) | 0x84 | address | signature | era | Compact(nonce) | Compact(tip) | 0x00 |
//   call Compact(length) | 0x04 | call                                    a bare one: Timestamp.set
//
// Source: Substrate's extrinsic format with the transaction extensions of subtensor spec 424.
#pragma once

#include <cstdint>
#include <optional>

#include "chain/substrate/scale.h"
#include "common/keys.h"
#include "common/result.h"

namespace chain::substrate {

using common::Keypair;
using common::Result;
using common::Signature;

inline constexpr size_t kExtrinsicSizeMax = 1 << 20;

// For which blocks an extrinsic is good: all of them, or `period` from a birth block on.
struct Era {
  uint32_t period = 0;  // 0: immortal; else a power of two, 4 to 65,536.
  uint32_t phase = 0;   // birth modulo period; a multiple of max(period / 4096, 1).
  auto operator<=>(const Era&) const = default;

  static Era immortal() { return {}; }
  // Born at `block` (or up to period / 4096 - 1 before).  Pre: `period` is as above and not 0.
  static Era mortal(uint32_t period, uint64_t block);
  // The birth block, seen from `current`; its hash is signed with the payload. 0 for an immortal
  // one.
  uint64_t birth(uint64_t current) const;
  // The first block that must not hold it any more; the largest number for an immortal one.
  uint64_t death(uint64_t current) const;
};

Bytes encode_era(const Era& era);
// Fails the decoder for a phase that is not below the period or not quantised.
Era decode_era(Decoder& in);

enum class SignatureKind : uint8_t { kEd25519 = 0, kSr25519 = 1 };

// What the sender chooses beside the call.
struct Extra {
  Era era;
  uint32_t nonce = 0;
  uint64_t tip = 0;  // rao
};

// What is signed but not sent: which chain, which rules, which fork.
struct SigningContext {
  uint32_t spec_version = 0;
  uint32_t transaction_version = 0;
  Hash genesis;
  Hash birth;  // Hash of the era's birth block; the genesis hash for an immortal era.
};

// The bytes under the signature: the payload, or its BLAKE2b-256 if it is longer than 256 bytes.
Bytes signing_bytes(ByteView call, const Extra& extra, const SigningContext& context);

struct Extrinsic {
  // Nothing for a bare one.
  struct Signed {
    AccountId account;
    SignatureKind kind = SignatureKind::kSr25519;
    Signature signature{};
    Extra extra;
  };
  std::optional<Signed> signer;
  Bytes call;  // A pallet, a call, its arguments: chain/substrate/value.h.
};

// With the length prefix, as it is sent, stored in blocks, and hashed.
Bytes encode_extrinsic(const Extrinsic& extrinsic);
// The one encoding only; kInvalidArgument names the part that is wrong. The call's bytes are not
// looked into, except that there are at least two.
Result<Extrinsic> decode_extrinsic(ByteView bytes);

// Signs `call` with an sr25519 key and wraps it.
Bytes sign_extrinsic(const Keypair& key, ByteView call, const Extra& extra,
                     const SigningContext& context);
// True if the signature is its signer's.  Pre: `extrinsic.signer`.
bool signature_holds(const Extrinsic& extrinsic, const SigningContext& context);

// BLAKE2b-256 of the bytes with their length prefix: the extrinsic's name.
Hash extrinsic_hash(ByteView bytes);

}  // namespace chain::substrate
