// Who somebody is: accounts, sr25519 keys, SS58 addresses, and Bittensor's wallet folder.
//
// Formats are Substrate's and Bittensor's, so that existing wallets work here and ours work there.
// Sources: schnorrkel (sr25519 over ristretto255), BIP39 with Substrate's entropy variant, SS58,
// btwallet.
#pragma once

#include <array>
#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/result.h"

namespace common {

// A public key as the chain knows it: 32 bytes.
struct AccountId {
  std::array<uint8_t, 32> bytes{};
  auto operator<=>(const AccountId&) const = default;

  // "5Grwva...", Substrate's generic prefix 42.
  std::string ss58() const;
  // Nothing for a wrong length, checksum, alphabet or another network's prefix.
  static std::optional<AccountId> from_ss58(std::string_view text);
};

using Signature = std::array<uint8_t, 64>;

// True if `account` signed `message` (sr25519, context "substrate"). Strict: the marker bit and a
// canonical scalar are demanded.
bool verify(const AccountId& account, ByteView message, const Signature& signature);
// Ed25519 accounts are valid on the chain too; our own keys are never of that kind.
bool verify_ed25519(const AccountId& account, ByteView message, const Signature& signature);

// An sr25519 key pair; the secret half is wiped from memory by the destructor. Move only.
class Keypair {
 public:
  // From Substrate's secret URI: a phrase or 0x-hex seed, then //hard and /soft junctions and
  // ///password. Without a phrase ("//Alice") the well-known development phrase.
  static Result<Keypair> from_uri(std::string_view uri);
  // 12 to 24 English words with a valid checksum.
  static Result<Keypair> from_mnemonic(std::string_view phrase, std::string_view password = {});
  static Keypair from_seed(const std::array<uint8_t, 32>& mini_secret);
  // scalar (32, little-endian) | nonce (32): what btwallet stores as "privateKey".
  static Result<Keypair> from_secret(const std::array<uint8_t, 64>& secret);

  Keypair(Keypair&&) noexcept;
  Keypair& operator=(Keypair&&) noexcept;
  ~Keypair();

  const AccountId& account() const { return account_; }
  // Randomised: two signatures of one message differ and both verify.
  Signature sign(ByteView message) const;
  // scalar | nonce, for writing a wallet file; wipe it after use.
  std::array<uint8_t, 64> secret() const;

 private:
  Keypair() = default;
  struct Secret;
  std::unique_ptr<Secret> secret_;
  AccountId account_;
};

// `words` is 12, 15, 18, 21 or 24. From the system's random source.
std::string make_mnemonic(int words);

}  // namespace common
