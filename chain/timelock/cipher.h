// AES-256-GCM without associated data: the layer that carries the plaintext.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "common/bytes.h"

namespace chain::timelock {

using CipherKey = std::array<uint8_t, 32>;
using CipherNonce = std::array<uint8_t, 12>;

// The ciphertext, then its tag (16 bytes).
common::Bytes seal_aes(const CipherKey& key, const CipherNonce& nonce, common::ByteView plaintext);
// Nothing if the tag does not fit.  Pre: 16 bytes at least.
std::optional<common::Bytes> open_aes(const CipherKey& key, const CipherNonce& nonce,
                                      common::ByteView sealed);

}  // namespace chain::timelock
