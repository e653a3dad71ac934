// Sealing: bytes that nobody can read before the deadline and nobody can change after it.
//
// libsodium's secretstream (XChaCha20-Poly1305) in chunks of 1 MiB, one random key a window.
// Output: header (24) | chunks, each 17 bytes longer than its text; the last carries the FINAL tag,
// so that a cut is noticed.
#pragma once

#include <array>
#include <optional>

#include "common/bytes.h"
#include "common/hash.h"

namespace train {

using SealKey = std::array<uint8_t, 32>;

SealKey make_seal_key();  // From the system's random source.

common::Bytes seal(common::ByteView plain, const SealKey& key);
// Nothing if the key is wrong or a byte was changed, cut or added.
std::optional<common::Bytes> unseal(common::ByteView sealed, const SealKey& key);
// The size of what `seal` makes of `plain_size` bytes.
uint64_t sealed_size(uint64_t plain_size);

}  // namespace train
