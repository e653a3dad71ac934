#include "train/seal.h"

#include <sodium.h>

#include <algorithm>

#include "train/sealing/group_cipher.h"

namespace train {

using common::Bytes;
using common::ByteView;

SealKey make_seal_key() {
  SealKey key;
  randombytes_buf(key.data(), key.size());
  return key;
}

common::Hash plain_hash_of(const SealKey& key, const common::Hash& plain_digest) {
  return common::blake2b_256_keyed(key, plain_digest.bytes);
}

common::Hash sealed_root(ByteView sealed) { return common::tree_hash(sealed, kSealedChunk); }

SealSummary summarise(ByteView plain, ByteView sealed, const SealKey& key) {
  const common::Hash digest = common::tree_hash(plain, kSealChunk);
  return {.plain_size = plain.size(),
          .sealed_size = sealed.size(),
          .plain_digest = digest,
          .plain_hash = plain_hash_of(key, digest),
          .sealed_root = sealed_root(sealed)};
}

Bytes seal(ByteView plain, const SealKey& key) {
  Bytes sealed(sealed_size(plain.size()));
  GroupCipher cipher(key);
  const uint64_t chunks = seal_chunk_count(plain.size());
  for (uint64_t first = 0; first < chunks; first += kSealGroup) {
    const ByteView in = plain.subspan(first * kSealChunk);
    const auto out = std::span(sealed).subspan(first * kSealedChunk);
    cipher.seal({first, first + kSealGroup >= chunks}, in.first(std::min(in.size(), kPlainGroup)),
                out.first(std::min(out.size(), kSealedGroup)), {});
  }
  return sealed;
}

std::optional<Bytes> unseal(ByteView sealed, const SealKey& key) {
  const auto size = plain_size(sealed.size());
  if (!size) return std::nullopt;
  Bytes plain(*size);
  GroupCipher cipher(key);
  const uint64_t chunks = seal_chunk_count(*size);
  for (uint64_t first = 0; first < chunks; first += kSealGroup) {
    const ByteView in = sealed.subspan(first * kSealedChunk);
    const auto out = std::span(plain).subspan(first * kSealChunk);
    if (!cipher.open({first, first + kSealGroup >= chunks},
                     in.first(std::min(in.size(), kSealedGroup)),
                     out.first(std::min(out.size(), kPlainGroup)), {})) {
      return std::nullopt;
    }
  }
  return plain;
}

}  // namespace train
