#include "common/keys.h"

#include <sodium.h>

#include <algorithm>

#include "common/check.h"
#include "common/crypto/bip39.h"
#include "common/crypto/secret_bytes.h"
#include "common/crypto/secret_uri.h"
#include "common/crypto/sr25519.h"
#include "common/crypto/ss58.h"

namespace common {
namespace {

// Known to everybody: the root of //Alice and //Bob. Substrate's DEV_PHRASE.
constexpr std::string_view kDevelopmentPhrase =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

// The secret at the root of a URI, before its junctions.
Result<crypto::SecretBytes> root_of(const crypto::SecretUri& uri) {
  if (uri.phrase.starts_with("0x")) {
    if (!uri.password.empty()) {
      return Error{Code::kInvalidArgument, "a seed takes no ///password, only a phrase does"};
    }
    auto seed = crypto::secret_from_hex(uri.phrase, crypto::kMiniSecretSize);
    if (!seed) return Error{Code::kInvalidArgument, "a seed is 0x and 64 hex digits"};
    return crypto::expand(seed->view());
  }
  const std::string_view phrase = uri.phrase.empty() ? kDevelopmentPhrase : uri.phrase;
  TRY(const crypto::SecretBytes entropy, crypto::entropy_of(phrase));
  return crypto::expand(crypto::mini_secret_of(entropy.view(), uri.password).view());
}

}  // namespace

std::string AccountId::ss58() const { return crypto::to_ss58(bytes); }

std::optional<AccountId> AccountId::from_ss58(std::string_view text) {
  const auto bytes = crypto::from_ss58(text);
  if (!bytes) return std::nullopt;
  return AccountId{*bytes};
}

bool verify(const AccountId& account, ByteView message, const Signature& signature) {
  return crypto::verify(account.bytes, message, signature);
}

bool verify_ed25519(const AccountId& account, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     account.bytes.data()) == 0;
}

struct Keypair::Secret {
  crypto::SecretBytes bytes;

  static Keypair paired(crypto::SecretBytes secret) {
    Keypair keypair;
    keypair.account_.bytes = crypto::public_of(secret);
    keypair.secret_ = std::make_unique<Secret>(Secret{std::move(secret)});
    return keypair;
  }
};

Keypair::Keypair(Keypair&&) noexcept = default;
Keypair& Keypair::operator=(Keypair&&) noexcept = default;
Keypair::~Keypair() = default;

Result<Keypair> Keypair::from_uri(std::string_view uri) {
  TRY(const crypto::SecretUri parts, crypto::parse_secret_uri(uri));
  TRY(crypto::SecretBytes secret, root_of(parts));
  for (const crypto::Junction& junction : parts.junctions) {
    secret = junction.hard ? crypto::derive_hard(secret, junction.chain_code)
                           : crypto::derive_soft(secret, junction.chain_code);
  }
  return Secret::paired(std::move(secret));
}

Result<Keypair> Keypair::from_mnemonic(std::string_view phrase, std::string_view password) {
  TRY(const crypto::SecretBytes entropy, crypto::entropy_of(phrase));
  return Secret::paired(crypto::expand(crypto::mini_secret_of(entropy.view(), password).view()));
}

Keypair Keypair::from_seed(const std::array<uint8_t, 32>& mini_secret) {
  return Secret::paired(crypto::expand(mini_secret));
}

Result<Keypair> Keypair::from_secret(const std::array<uint8_t, 64>& secret) {
  if (!crypto::is_secret(secret)) {
    return Error{
        Code::kInvalidArgument,
        "this is no sr25519 private key: its scalar is zero or not below the group's order"};
  }
  return Secret::paired(crypto::SecretBytes::copy_of(secret));
}

Signature Keypair::sign(ByteView message) const {
  CHECK_MSG(secret_ != nullptr, "a key pair that was moved from signs nothing");
  return crypto::sign(secret_->bytes, account_.bytes, message);
}

std::array<uint8_t, 64> Keypair::secret() const {
  CHECK_MSG(secret_ != nullptr, "a key pair that was moved from has no secret");
  std::array<uint8_t, 64> out;
  std::ranges::copy(secret_->bytes.view(), out.begin());
  return out;
}

std::string make_mnemonic(int words) {
  CHECK_MSG(words >= 12 && words <= 24 && words % 3 == 0, "12, 15, 18, 21 or 24 words");
  crypto::SecretBytes entropy(static_cast<size_t>(words) / 3 * 4);
  randombytes_buf(entropy.bytes().data(), entropy.size());
  return std::string(crypto::phrase_of(entropy.view()).text());
}

}  // namespace common
