// Sealing: bytes that nobody can read before the deadline and nobody can change after it.
// Version 2.
//
// The plaintext is cut in chunks of 1 MiB; each is sealed on its own with ChaCha20-Poly1305 (RFC
// 8439) under the nonce
//
//   chunk number (u64) | 0 0 0 | 1 if it is the last chunk, else 0
//
// the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar 2015, "Online authenticated
// encryption and its nonce-reuse misuse-resistance"): a chunk cannot be moved, left out, repeated
// or followed by another. So any range can be opened alone, by any number of threads. An empty text
// is one empty chunk. A sealed object is its sealed chunks (text, then 16 bytes of tag), one behind
// the other, without a header: what it is, its claim says.
//
// A nonce must never come twice under one key: a key is made for one object and used for no other.
// Poly1305 does not bind the key (one ciphertext can be made that two keys open, Dodis et al.
// 2018); `plain_hash_of` does, and the claim holds it.
//
// Digests: of the plaintext, the tree hash (common/tree_hash.h) with leaves of 1 MiB; of the sealed
// object, the tree hash whose leaves are its sealed chunks.
#pragma once

#include <array>
#include <optional>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/tree_hash.h"

namespace train {

using SealKey = std::array<uint8_t, 32>;

SealKey make_seal_key();  // From the system's random source.

inline constexpr size_t kSealChunk = common::kTreeLeaf;  // Of plaintext,
inline constexpr size_t kSealTag = 16;                   //   and what sealing adds to it.
inline constexpr size_t kSealedChunk = kSealChunk + kSealTag;

// An empty text is one chunk, too.
constexpr uint64_t seal_chunk_count(uint64_t plain_size) {
  return plain_size == 0 ? 1 : common::tree_leaf_count(plain_size, kSealChunk);
}
// The size of what sealing makes of `plain_size` bytes.
constexpr uint64_t sealed_size(uint64_t plain_size) {
  return plain_size + seal_chunk_count(plain_size) * kSealTag;
}
// The other way; nothing for a size that no sealed object has.
constexpr std::optional<uint64_t> plain_size(uint64_t sealed_size) {
  const uint64_t chunks = common::tree_leaf_count(sealed_size, kSealedChunk);
  const uint64_t rest = sealed_size % kSealedChunk;
  // The last chunk has a tag, and something before it unless it is the only one.
  if (chunks == 0 || (rest != 0 && (rest < kSealTag || (rest == kSealTag && chunks > 1)))) {
    return std::nullopt;
  }
  return sealed_size - chunks * kSealTag;
}
static_assert(sealed_size(0) == 16 && plain_size(16) == 0 && !plain_size(0) && !plain_size(15));
static_assert(sealed_size(kSealChunk + 1) == kSealedChunk + 17 && !plain_size(kSealedChunk + 16));

// What can be said of an object that was sealed or opened.
struct SealSummary {
  uint64_t plain_size = 0;
  uint64_t sealed_size = 0;
  common::Hash plain_digest;
  common::Hash plain_hash;   // Of the plaintext and the key; gives nothing of either away.
  common::Hash sealed_root;  // Of the ciphertext.
  bool operator==(const SealSummary&) const = default;
};

// BLAKE2b-256(key = seal key, digest of the plaintext): who does not know the key learns nothing
// from it, and no other key or plaintext has the same.
common::Hash plain_hash_of(const SealKey& key, const common::Hash& plain_digest);

// The tree hash of a sealed object.
common::Hash sealed_root(common::ByteView sealed);

// What SealWriter and open_seal say, of what was sealed in memory.
SealSummary summarise(common::ByteView plain, common::ByteView sealed, const SealKey& key);

// All in memory, on one thread: for what is small. What is large: seal_writer.h, seal_reader.h.
common::Bytes seal(common::ByteView plain, const SealKey& key);
// Nothing if the key is wrong or a byte was changed, cut or added.
std::optional<common::Bytes> unseal(common::ByteView sealed, const SealKey& key);

}  // namespace train
