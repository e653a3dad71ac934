#include "common/keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <optional>

#include "chain/vectors/reading.h"

namespace chain::vectors {
namespace {

using common::AccountId;
using common::Bytes;
using common::ByteView;
using common::Keypair;
using Seed = std::array<uint8_t, 32>;

constexpr const char* kDevPhrase = "dev_phrase";

// The account of a secret URI; what went wrong if it is none.
json account_of(const std::string& uri) {
  const auto key = Keypair::from_uri(uri);
  if (!key) return "error: " + key.error().message;
  return hex(key->account().bytes);
}

// Substrate's PBKDF2 over the entropy rather than the phrase; the first half is the mini secret.
Seed mini_secret(const Bytes& entropy, const std::string& password) {
  const std::string salt = "mnemonic" + password;
  std::array<uint8_t, 64> out{};
  const int done = PKCS5_PBKDF2_HMAC(
      reinterpret_cast<const char*>(entropy.data()), static_cast<int>(entropy.size()),
      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), 2048,
      EVP_sha512(), static_cast<int>(out.size()), out.data());
  CHECK(done == 1);
  Seed seed;
  std::copy_n(out.begin(), seed.size(), seed.begin());
  return seed;
}

// The 256-bit little-endian scalar times eight: the "ed25519 form" of a secret key.
std::array<uint8_t, 64> ed25519_form(std::array<uint8_t, 64> secret) {
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    const unsigned wide = secret[i] * 8U + carry;
    secret[i] = static_cast<uint8_t>(wide & 0xFF);
    carry = wide >> 8;
  }
  return secret;
}

void compare_dev_phrase(Replay& replay, const json& entry) {
  Comparison comparison(replay, kDevPhrase);
  const std::string& phrase = text(entry, "phrase");
  const Bytes entropy = bytes(entry.at("entropy"));
  comparison.expect("mini_secret", entry.at("mini_secret"), hex(mini_secret(entropy, "")));
  comparison.expect("mini_secret_with_password_hunter2",
                    entry.at("mini_secret_with_password_hunter2"),
                    hex(mini_secret(entropy, "hunter2")));
  for (const std::string password : {"", "hunter2"}) {
    const auto key = Keypair::from_mnemonic(phrase, password);
    const AccountId seeded = Keypair::from_seed(mini_secret(entropy, password)).account();
    comparison.expect("the phrase's account, password '" + password + "'", hex(seeded.bytes),
                      key ? json(hex(key->account().bytes)) : json(key.error().message));
  }
  const auto key = Keypair::from_seed(mini_secret(entropy, ""));
  comparison.expect("sr25519_pub", entry.at("sr25519_pub"), hex(key.account().bytes));
  comparison.expect("ss58", entry.at("ss58"), key.account().ss58());
  comparison.expect("sr25519_secret_key64_ed25519_form",
                    entry.at("sr25519_secret_key64_ed25519_form"), hex(ed25519_form(key.secret())));
}

// A hard junction's 32 bytes: a number little-endian, else the SCALE string, hashed if it is
// longer.
Seed chain_code(const std::string& junction) {
  Bytes encoded;
  if (std::all_of(junction.begin(), junction.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    auto number = integer<uint64_t>(json(junction));
    for (int i = 0; i < 8; ++i, number >>= 8) encoded.push_back(static_cast<uint8_t>(number));
  } else {
    if (junction.size() >= 64) malformed("a junction of over 63 bytes");
    encoded.push_back(static_cast<uint8_t>(junction.size() << 2));
    encoded.insert(encoded.end(), junction.begin(), junction.end());
  }
  if (encoded.size() > 32) return common::blake2b_256(encoded).bytes;
  Seed out{};
  std::copy(encoded.begin(), encoded.end(), out.begin());
  return out;
}

Seed ed25519_account(const Seed& seed) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()),
      EVP_PKEY_free);
  CHECK(key != nullptr);
  Seed out{};
  size_t size = out.size();
  CHECK(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == out.size());
  return out;
}

// Of "//a//b" under the development phrase; nothing for any other URI, ours having no such keys.
std::optional<Seed> ed25519_of(const std::string& uri, Seed seed) {
  if (!uri.starts_with("//") || uri.find("///") != std::string::npos) return std::nullopt;
  for (size_t at = 0; at < uri.size();) {
    if (uri.compare(at, 2, "//") != 0) return std::nullopt;
    const size_t end = std::min(uri.find('/', at + 2), uri.size());
    Bytes derived{11 << 2};
    const ByteView label = common::view_of("Ed25519HDKD");
    derived.insert(derived.end(), label.begin(), label.end());
    derived.insert(derived.end(), seed.begin(), seed.end());
    const Seed code = chain_code(uri.substr(at + 2, end - at - 2));
    derived.insert(derived.end(), code.begin(), code.end());
    seed = common::blake2b_256(derived).bytes;
    at = end;
  }
  return ed25519_account(seed);
}

void compare_uri(Replay& replay, const std::string& uri, const json& entry, const Seed& dev_seed) {
  Comparison comparison(replay, uri);
  const json got = account_of(uri);
  comparison.expect("sr25519", entry.at("sr25519"), got);
  const AccountId account{fixed_bytes<32>(entry.at("sr25519"))};
  comparison.expect("ss58", entry.at("ss58"), account.ss58());
  const auto read_back = AccountId::from_ss58(text(entry, "ss58"));
  comparison.expect("account of the ss58 address", true, read_back == account);
  if (entry.contains("ed25519") && !entry.at("ed25519").is_null()) {
    const auto ed25519 = ed25519_of(uri, dev_seed);
    comparison.expect("ed25519", entry.at("ed25519"),
                      ed25519 ? json(hex(*ed25519)) : json("not derived here"));
  }
}

void compare_signature(Replay& replay, const json& entry) {
  Comparison comparison(replay, "sr25519_example");
  const AccountId account{fixed_bytes<32>(entry.at("pub"))};
  const Bytes message = bytes(entry.at("msg"));
  auto signature = fixed_bytes<64>(entry.at("sig"));
  comparison.expect("verifies", entry.at("verifies"), common::verify(account, message, signature));
  signature[0] ^= 1;
  comparison.expect("verifies with a bit flipped", false,
                    common::verify(account, message, signature));
}

}  // namespace

Replay replay_keys(const json& file) {
  Replay replay;
  const json& keys = file.at("keys");
  const json& dev = keys.at(kDevPhrase);
  for (const auto& [uri, entry] : keys.items()) {
    if (uri == kDevPhrase) {
      compare_dev_phrase(replay, entry);
    } else {
      compare_uri(replay, uri, entry, fixed_bytes<32>(dev.at("mini_secret")));
    }
  }
  if (file.contains("sr25519_example")) compare_signature(replay, file.at("sr25519_example"));
  return replay;
}

}  // namespace chain::vectors
