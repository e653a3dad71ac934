#include "common/crypto/keyfile.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/check.h"
#include "common/crypto/bip39.h"
#include "common/crypto/sr25519.h"

namespace common::crypto {
namespace {

constexpr std::string_view kNaclMark = "$NACL";
constexpr std::string_view kAnsibleMark = "$ANSIBLE_VAULT";
constexpr std::string_view kFernetMark = "gAAAAA";  // Base64 of version 0x80 and a 64-bit time.

// One salt for everybody, in btwallet's source; a salt of our own would be a format of our own.
constexpr std::array<uint8_t, crypto_pwhash_SALTBYTES> kSalt = {
    0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1};
constexpr unsigned long long kPasses = 8;
constexpr size_t kMemoryBytes = size_t{512} << 20;

bool starts_with(ByteView bytes, std::string_view mark) { return text_of(bytes).starts_with(mark); }

// {"name":"value",...} in memory that is wiped. Names and values need no escapes.
class JsonWriter {
 public:
  explicit JsonWriter(size_t size_max) : out_(size_max) { raw("{"); }

  JsonWriter& member(std::string_view name, std::string_view value) {
    raw(used_ == 1 ? "\"" : ",\"");
    raw(name);
    raw("\":\"");
    raw(value);
    raw("\"");
    return *this;
  }
  JsonWriter& member(std::string_view name, ByteView value) {
    SecretBytes hex(2 + 2 * value.size() + 1);
    std::ranges::copy(view_of("0x"), hex.bytes().begin());
    sodium_bin2hex(reinterpret_cast<char*>(hex.bytes().data()) + 2, hex.size() - 2, value.data(),
                   value.size());
    hex.shrink(hex.size() - 1);
    return member(name, hex.text());
  }
  SecretBytes finish() && {
    raw("}");
    out_.shrink(used_);
    return std::move(out_);
  }

 private:
  void raw(std::string_view text) {
    CHECK(used_ + text.size() <= out_.size());
    std::ranges::copy(view_of(text), out_.bytes().subspan(used_).begin());
    used_ += text.size();
  }

  SecretBytes out_;
  size_t used_ = 0;
};

constexpr size_t kJsonSizeMax = 4096;

// A key pair from what `fields` hold first, without asking whether it is the account they name.
Result<Keypair> first_secret(const KeyFields& fields) {
  if (const auto phrase = fields.get("secretPhrase"); !phrase.empty()) {
    return Keypair::from_mnemonic(phrase);
  }
  if (const auto text = fields.get("secretSeed"); !text.empty()) {
    const auto seed = secret_from_hex(text, kMiniSecretSize);
    if (!seed) return Error{Code::kInvalidArgument, "secretSeed is not 0x and 64 hex digits"};
    std::array<uint8_t, kMiniSecretSize> bytes;
    std::ranges::copy(seed->view(), bytes.begin());
    Keypair keypair = Keypair::from_seed(bytes);
    wipe(bytes);
    return keypair;
  }
  if (const auto text = fields.get("privateKey"); !text.empty()) {
    const auto secret = secret_from_hex(text, kSecretSize);
    if (!secret) return Error{Code::kInvalidArgument, "privateKey is not 0x and 128 hex digits"};
    std::array<uint8_t, kSecretSize> bytes;
    std::ranges::copy(secret->view(), bytes.begin());
    auto keypair = Keypair::from_secret(bytes);
    wipe(bytes);
    return keypair;
  }
  return Error{Code::kInvalidArgument, "the key file holds no secret, only a public key"};
}

}  // namespace

KeyfileFormat keyfile_format(ByteView file) {
  if (starts_with(file, kNaclMark)) return KeyfileFormat::kNacl;
  if (starts_with(file, kAnsibleMark)) return KeyfileFormat::kAnsible;
  if (starts_with(file, kFernetMark)) return KeyfileFormat::kFernet;
  return KeyfileFormat::kPlain;
}

Result<SecretBytes> nacl_key(std::string_view password) {
  SecretBytes key(crypto_secretbox_KEYBYTES);
  if (crypto_pwhash(key.bytes().data(), key.size(), password.data(), password.size(), kSalt.data(),
                    kPasses, kMemoryBytes, crypto_pwhash_ALG_ARGON2I13) != 0) {
    return Error{Code::kExhausted,
                 "an encrypted key file needs 512 MiB of memory to open or write"};
  }
  return key;
}

Bytes seal_nacl(ByteView plain, const SecretBytes& key) {
  CHECK(key.size() == crypto_secretbox_KEYBYTES);
  std::array<uint8_t, crypto_secretbox_NONCEBYTES> nonce;
  randombytes_buf(nonce.data(), nonce.size());
  Bytes box(plain.size() + crypto_secretbox_MACBYTES);
  CHECK(crypto_secretbox_easy(box.data(), plain.data(), plain.size(), nonce.data(),
                              key.view().data()) == 0);
  return ByteWriter().raw(view_of(kNaclMark)).raw(nonce).raw(box).bytes();
}

Result<SecretBytes> open_nacl(ByteView file, const SecretBytes& key) {
  CHECK(key.size() == crypto_secretbox_KEYBYTES);
  ByteReader reader(file);
  const ByteView mark = reader.raw(kNaclMark.size());
  const ByteView nonce = reader.raw(crypto_secretbox_NONCEBYTES);
  if (!reader.ok() || text_of(mark) != kNaclMark ||
      reader.remaining() < crypto_secretbox_MACBYTES) {
    return Error{Code::kCorrupt, "the encrypted key file is cut short"};
  }
  const ByteView box = reader.raw(reader.remaining());
  SecretBytes plain(box.size() - crypto_secretbox_MACBYTES);
  if (crypto_secretbox_open_easy(plain.bytes().data(), box.data(), box.size(), nonce.data(),
                                 key.view().data()) != 0) {
    return Error{Code::kPermission, "wrong password, or the file was changed"};
  }
  return plain;
}

Result<Keypair> keypair_in(const KeyFields& fields) {
  TRY(Keypair keypair, first_secret(fields));
  TRY(const std::optional<AccountId> named, account_in(fields));
  if (named && *named != keypair.account()) {
    return Error{Code::kCorrupt, "the key file names account " + named->ss58() +
                                     ", but its secret is " + keypair.account().ss58() + "'s"};
  }
  return keypair;
}

bool holds_secret(const KeyFields& fields) {
  return !fields.get("secretPhrase").empty() || !fields.get("secretSeed").empty() ||
         !fields.get("privateKey").empty();
}

Result<std::optional<AccountId>> account_in(const KeyFields& fields) {
  std::optional<AccountId> account;
  for (const std::string_view name : {"ss58Address", "publicKey", "accountId"}) {
    const std::string_view text = fields.get(name);
    if (text.empty()) continue;
    std::optional<AccountId> named;
    if (name == "ss58Address") {
      named = AccountId::from_ss58(text);
    } else if (const auto hash = Hash::from_hex(text)) {
      named = AccountId{hash->bytes};
    }
    if (!named)
      return Error{Code::kCorrupt, "the key file's " + std::string(name) + " is malformed"};
    if (account && *account != *named) {
      return Error{Code::kCorrupt, "the key file's " + std::string(name) + " is another account's"};
    }
    account = named;
  }
  return account;
}

Result<SecretBytes> keyfile_json(const Keypair& keypair, std::string_view phrase) {
  JsonWriter json(kJsonSizeMax);
  json.member("accountId", keypair.account().bytes).member("publicKey", keypair.account().bytes);
  auto secret = keypair.secret();
  json.member("privateKey", secret);
  wipe(secret);
  if (!phrase.empty()) {
    TRY(const SecretBytes entropy, entropy_of(phrase));
    const SecretBytes seed = mini_secret_of(entropy.view(), {});
    if (public_of(expand(seed.view())) != keypair.account().bytes) {
      return Error{Code::kInvalidArgument,
                   "the phrase is another key's: a key from a phrase with password or junctions is "
                   "written without its phrase"};
    }
    json.member("secretPhrase", phrase_of(entropy.view()).text()).member("secretSeed", seed.view());
  }
  json.member("ss58Address", keypair.account().ss58());
  return std::move(json).finish();
}

std::string pubfile_json(const AccountId& account) {
  JsonWriter json(kJsonSizeMax);
  json.member("accountId", account.bytes)
      .member("publicKey", account.bytes)
      .member("ss58Address", account.ss58());
  return std::string(std::move(json).finish().text());
}

}  // namespace common::crypto
