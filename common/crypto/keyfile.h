// What lies in a btwallet key file: the encryptions, and the JSON inside.
#pragma once

#include <optional>
#include <string_view>

#include "common/crypto/key_fields.h"
#include "common/crypto/secret_bytes.h"
#include "common/keys.h"
#include "common/result.h"

namespace common::crypto {

enum class KeyfileFormat { kPlain, kNacl, kAnsible, kFernet };

// By its first bytes; what carries no mark is plain.
KeyfileFormat keyfile_format(ByteView file);

// The key of a password: Argon2i, 8 passes over 512 MiB, with btwallet's one salt. About three
// seconds; kExhausted if the memory is not there.
Result<SecretBytes> nacl_key(std::string_view password);
// "$NACL" | nonce (24) | XSalsa20-Poly1305 box.  Pre: a key of `nacl_key`.
Bytes seal_nacl(ByteView plain, const SecretBytes& key);
// kPermission for a wrong key or a changed file, which cannot be told apart.
Result<SecretBytes> open_nacl(ByteView file, const SecretBytes& key);

// The key pair: secretPhrase, or secretSeed, or privateKey, the first that is there.
// kInvalidArgument if none is; kCorrupt if the file names another account than its secret's.
Result<Keypair> keypair_in(const KeyFields& fields);
// Whether any of these three is there.
bool holds_secret(const KeyFields& fields);
// The account that ss58Address, publicKey and accountId name; kCorrupt if one is malformed or they
// differ.
Result<std::optional<AccountId>> account_in(const KeyFields& fields);

// The JSON of a key file. An empty `phrase` leaves out phrase and seed; kInvalidArgument if it is
// no phrase, or another key pair's.
Result<SecretBytes> keyfile_json(const Keypair& keypair, std::string_view phrase);
// The JSON of a public file.
std::string pubfile_json(const AccountId& account);

}  // namespace common::crypto
