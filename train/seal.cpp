#include "train/seal.h"

#include <sodium.h>

#include <algorithm>

#include "common/check.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;

constexpr size_t kChunkSize = 1 << 20;
constexpr size_t kHeaderSize = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr size_t kChunkOverhead = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(kHeaderSize == 24 && kChunkOverhead == 17);

// An empty text is one empty chunk, so that there always is a last one.
uint64_t chunk_count(uint64_t plain_size) {
  return std::max<uint64_t>(1, plain_size / kChunkSize + (plain_size % kChunkSize != 0 ? 1 : 0));
}

uint8_t tag_of(bool last) {
  return last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
              : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
}

}  // namespace

SealKey make_seal_key() {
  SealKey key;
  crypto_secretstream_xchacha20poly1305_keygen(key.data());
  return key;
}

uint64_t sealed_size(uint64_t plain_size) {
  return kHeaderSize + plain_size + chunk_count(plain_size) * kChunkOverhead;
}

Bytes seal(ByteView plain, const SealKey& key) {
  Bytes sealed(sealed_size(plain.size()));
  crypto_secretstream_xchacha20poly1305_state state;
  crypto_secretstream_xchacha20poly1305_init_push(&state, sealed.data(), key.data());
  uint8_t* out = sealed.data() + kHeaderSize;
  const uint64_t chunks = chunk_count(plain.size());
  for (uint64_t i = 0; i < chunks; ++i) {
    const ByteView chunk =
        plain.subspan(i * kChunkSize)
            .first(std::min(kChunkSize, plain.size() - static_cast<size_t>(i) * kChunkSize));
    CHECK(crypto_secretstream_xchacha20poly1305_push(&state, out, nullptr, chunk.data(),
                                                     chunk.size(), nullptr, 0,
                                                     tag_of(i + 1 == chunks)) == 0);
    out += chunk.size() + kChunkOverhead;
  }
  CHECK(out == sealed.data() + sealed.size());
  return sealed;
}

std::optional<Bytes> unseal(ByteView sealed, const SealKey& key) {
  if (sealed.size() < kHeaderSize + kChunkOverhead) return std::nullopt;
  crypto_secretstream_xchacha20poly1305_state state;
  if (crypto_secretstream_xchacha20poly1305_init_pull(&state, sealed.data(), key.data()) != 0) {
    return std::nullopt;
  }
  ByteView rest = sealed.subspan(kHeaderSize);
  Bytes plain(rest.size());  // A little more than is needed: the chunks' overhead.
  size_t filled = 0;
  while (!rest.empty()) {
    const ByteView chunk = rest.first(std::min(rest.size(), kChunkSize + kChunkOverhead));
    rest = rest.subspan(chunk.size());
    uint8_t tag = 0;
    if (chunk.size() < kChunkOverhead ||
        crypto_secretstream_xchacha20poly1305_pull(&state, plain.data() + filled, nullptr, &tag,
                                                   chunk.data(), chunk.size(), nullptr, 0) != 0) {
      return std::nullopt;
    }
    filled += chunk.size() - kChunkOverhead;
    // Just the tag that `seal` writes here: no other way to say the same.
    if (tag != tag_of(rest.empty())) return std::nullopt;
  }
  // One text, one ciphertext size: an empty last chunk is allowed only for an empty text.
  plain.resize(filled);
  if (sealed.size() != sealed_size(filled)) return std::nullopt;
  return plain;
}

}  // namespace train
