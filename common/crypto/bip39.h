// BIP39 phrases, in Substrate's variant: the seed comes from the entropy, not from the phrase.
//
// Source: BIP39 (github.com/bitcoin/bips), English list; substrate-bip39.
#pragma once

#include <string_view>

#include "common/crypto/secret_bytes.h"
#include "common/result.h"

namespace common::crypto {

// 12, 15, 18, 21 or 24 words with a valid checksum, to 16, 20, 24, 28 or 32 bytes. kInvalidArgument
// says which word is wrong by its place, never by itself: it is a secret.
Result<SecretBytes> entropy_of(std::string_view phrase);
// The reverse, one space between words.  Pre: one of these sizes.
SecretBytes phrase_of(ByteView entropy);
// PBKDF2-HMAC-SHA512 of the entropy, 2048 rounds, the first 32 bytes.
SecretBytes mini_secret_of(ByteView entropy, std::string_view password);

}  // namespace common::crypto
