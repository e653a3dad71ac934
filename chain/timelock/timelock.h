// Timelock: what is encrypted for a round of a drand beacon can be read when that round's
// signature is published, and by nobody before. Validators hide their weights in it (call 113).
//
// A beacon is a BLS key over BLS12-381: the key in G2 (96 bytes), signatures in G1 (48), scheme
// "bls-unchained-g1-rfc9380". Encryption is identity based (Boneh and Franklin 2001, with Fujisaki
// and Okamoto's transform), the round being the identity, over AES-256-GCM, in the bytes of the
// runtime's `tle` crate. Ledgers of private networks are beacons of their own: `BeaconSecret`.
//
// The curve is ours (chain/timelock/bls381/): Debian 12 packages no library with BLS12-381 that
// C++ can link, the build downloads nothing, and nobody else's source is kept here.
//
// Time does not depend on secrets: arithmetic, scalar multiplication and pairing have neither
// branches nor table look-ups by one. Decoding, subgroup checks and hashing to the curve do, and
// see only what is public. Keys, sigmas and scalars are wiped; what the arithmetic leaves on the
// stack is not. Cost on one core: encrypt, decrypt and verify 3 ms each, sign and key under 1 ms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "chain/timelock/fault.h"
#include "common/bytes.h"
#include "common/keys.h"
#include "common/result.h"

namespace chain::timelock {

using common::Bytes;
using common::ByteView;
using Digest = std::array<uint8_t, 32>;  // SHA-256, which is drand's.

inline constexpr size_t kPublicKeySize = 96;
inline constexpr size_t kSignatureSize = 48;
inline constexpr size_t kCiphertextSizeMax = 5000;  // The runtime's bound of a commit.
inline constexpr size_t kCiphertextOverhead = 244;
inline constexpr size_t kPlaintextSizeMax = kCiphertextSizeMax - kCiphertextOverhead;

// A beacon's public key: a point of G2 that was checked.
class BeaconKey {
 public:
  // kLength, kFlags, kNotCanonical, kNotOnCurve, kNotInSubgroup, kZero.
  static Checked<BeaconKey> parse(ByteView bytes);
  static const BeaconKey& quicknet();

  const std::array<uint8_t, kPublicKeySize>& bytes() const { return bytes_; }
  auto operator<=>(const BeaconKey&) const = default;

 private:
  friend class BeaconSecret;
  explicit BeaconKey(const std::array<uint8_t, kPublicKeySize>& bytes) : bytes_(bytes) {}
  std::array<uint8_t, kPublicKeySize> bytes_;
};

// A beacon and its clock. Round 1 is published at genesis, then one each period.
struct Beacon {
  BeaconKey key;
  uint32_t period_s;   // > 0
  uint64_t genesis_s;  // Unix time.

  // drand's mainnet: the beacon that Bittensor uses.
  static const Beacon& quicknet();

  // floor((t - genesis) / period), at least 1: the round by which Bittensor's SDK names a time.
  // It is the last round whose whole period has passed at `unix_s`.
  uint64_t round_at(uint64_t unix_s) const;
  // The last round published by `unix_s`; 0 before genesis.
  uint64_t latest_round(uint64_t unix_s) const;
  // When `round` is published; round 0 counts as 1.  2^64 - 1 for what lies beyond.
  uint64_t published_s(uint64_t round) const;
};

inline constexpr std::string_view kSchemeId = "bls-unchained-g1-rfc9380";
inline constexpr std::string_view kQuicknetId = "quicknet";
// What drand calls a chain's hash: SHA-256(period u32 | genesis i64 (both big-endian) | key |
// group_hash | id), the id being left out if it is empty or "default".
Digest chain_hash(const Beacon& beacon, const Digest& group_hash, std::string_view id);
// Of quicknet, with which chain_hash gives 52db9ba7...
const Digest& quicknet_group_hash();

using RoundSignature = std::array<uint8_t, kSignatureSize>;

// SHA-256(signature): what a pulse calls its randomness.
Digest randomness_of(const RoundSignature& signature);

// Whether `signature` is `key`'s of `round`: faults of a point, or kBadSignature. Takes any bytes.
Checked<void> verify(const BeaconKey& key, uint64_t round, ByteView signature);

// A beacon's secret scalar, wiped by the destructor. Move only.
class BeaconSecret {
 public:
  // KeyGen of draft-irtf-cfrg-bls-signature-05: the same seed gives the same key.
  // Pre: 32 bytes at least. The seed is as secret as the key.
  static BeaconSecret from_seed(ByteView seed);

  BeaconSecret(BeaconSecret&&) noexcept;
  BeaconSecret& operator=(BeaconSecret&&) noexcept;
  ~BeaconSecret();

  BeaconKey key() const;
  // Deterministic. Publishing it opens everything that was encrypted for this round.
  RoundSignature sign(uint64_t round) const;

 private:
  BeaconSecret() = default;
  std::array<uint8_t, 32> scalar_{};  // Big-endian, 0 < scalar < group order.
};

// Anybody can encrypt for any round. Of one plaintext no two ciphertexts are equal: key, sigma and
// nonce come from the system's random source. The length is plaintext + kCiphertextOverhead.
// kInvalidArgument over kPlaintextSizeMax.
common::Result<Bytes> encrypt(ByteView plaintext, uint64_t round, const BeaconKey& key);

// Opens what was encrypted for the round and key of `signature`. Strict: one ciphertext has one
// encoding. Faults of points (of either argument), kLength, kFraming, kOtherRound, kAltered. The
// signature need not have been verified: a wrong one opens nothing.
Checked<Bytes> decrypt(ByteView ciphertext, ByteView signature);

// What a validator hides: set_weights, and who says so.
struct WeightsPayload {
  // Nothing in the form of before spec 424, whose commits could be copied.
  std::optional<common::AccountId> hotkey;
  std::vector<uint16_t> uids;
  std::vector<uint16_t> values;
  uint64_t version_key = 0;

  bool operator==(const WeightsPayload&) const = default;

  // SCALE {hotkey Vec<u8>, uids Vec<u16>, values Vec<u16>, version_key u64}, or without the first.
  Bytes encode() const;
  // What the runtime would take from `bytes` of a commit that `signer` made: the form with a
  // hotkey, which must then be the signer's (kOtherHotkey), else the older form (kNoPayload).
  // As in the runtime, what follows the payload is ignored; at most 65,535 uids and values.
  static Checked<WeightsPayload> decode(ByteView bytes, const common::AccountId& signer);
};

// The commit_reveal_version with which call 113 takes these ciphertexts.
inline constexpr uint16_t kCommitRevealVersion = 4;
// So many blocks into its epoch a commit is aimed, so that the pulse is there.
inline constexpr uint64_t kSafetyBlocks = 3;

// The first block of the epoch that reveals a commit made now.
//   spec 425: `next_epoch_block` is get_next_epoch_start_block's; saturates.
uint64_t first_reveal_block(uint64_t next_epoch_block, uint16_t tempo, uint64_t reveal_period);
//   spec 293: epochs were (block + netuid + 1) / (tempo + 1).
uint64_t first_reveal_block_293(uint64_t block, uint16_t netuid, uint16_t tempo,
                                uint64_t reveal_period);

// The round to encrypt for: the one the SDK names for the time of block first_reveal +
// kSafetyBlocks, rounded down, when `block` is the head and it is `now_ms` of Unix time.
uint64_t reveal_round(const Beacon& beacon, uint64_t now_ms, uint64_t block, uint64_t first_reveal,
                      uint64_t block_ms);

}  // namespace chain::timelock
