// Goal: what is sealed is read with the key and with every byte, or not at all; and it is sealed as
// its header says. Method: the format again from libsodium's and the standard's parts (slow and
// obvious); sizes about the chunk's; every bit, every cut, every exchange of chunks.
#include "train/seal.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <cstring>

#include "common/philox.h"
#include "tests/train/seal_text.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;

constexpr size_t kChunk = 1 << 20;
constexpr size_t kTag = 16;

// As train/seal.h says it, chunk by chunk, with libsodium's cipher and not OpenSSL's.
Bytes slow_seal(ByteView plain, const SealKey& key) {
  const std::string label = "muster seal v2 chacha20-poly1305";
  const auto cipher_key = common::blake2b_256_keyed(key, common::view_of(label)).bytes;
  Bytes sealed;
  uint64_t number = 0;
  do {
    const ByteView chunk = plain.first(std::min(plain.size(), kChunk));
    plain = plain.subspan(chunk.size());
    std::array<uint8_t, 12> nonce{};
    std::memcpy(nonce.data(), &number, 8);
    nonce[11] = plain.empty() ? 1 : 0;
    const size_t at = sealed.size();
    sealed.resize(at + chunk.size() + kTag);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data() + at, nullptr, chunk.data(),
                                              chunk.size(), nullptr, 0, nullptr, nonce.data(),
                                              cipher_key.data());
    ++number;
  } while (!plain.empty());
  return sealed;
}

TEST(Seal, IsTheFormatThatItsHeaderSays) {
  const SealKey key = make_seal_key();
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{5000}, kChunk, kChunk + 1, 8 * kChunk, 9 * kChunk + 77}) {
    const Bytes text = text_of(size);
    EXPECT_EQ(seal(text, key), slow_seal(text, key)) << size;
  }
}

TEST(Seal, AnySizeComesBackAndTheSizeIsExact) {
  const SealKey key = make_seal_key();
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{1000}, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk,
        2 * kChunk + 1, 8 * kChunk - 1, 8 * kChunk, 8 * kChunk + 1}) {
    const Bytes text = text_of(size);
    const Bytes sealed = seal(text, key);
    const size_t chunks = size == 0 ? 1 : (size + kChunk - 1) / kChunk;
    EXPECT_EQ(sealed.size(), size + kTag * chunks) << size;
    EXPECT_EQ(sealed_size(size), sealed.size()) << size;
    EXPECT_EQ(plain_size(sealed.size()), size);
    EXPECT_EQ(unseal(sealed, key), text) << size;
  }
}

TEST(Seal, SizesThatNoSealHasAreNone) {
  const size_t sealed_chunk = kChunk + kTag;
  for (const uint64_t size : {uint64_t{0}, uint64_t{15}, uint64_t{sealed_chunk + 1},
                              uint64_t{sealed_chunk + 16}, uint64_t{3 * sealed_chunk + 15}}) {
    EXPECT_FALSE(plain_size(size)) << size;
    EXPECT_FALSE(unseal(Bytes(size), make_seal_key())) << size;
  }
  EXPECT_EQ(plain_size(sealed_chunk + 17), kChunk + 1);
  // Of a stranger's number nothing overflows.
  for (uint64_t size = ~uint64_t{0}; size > ~uint64_t{0} - 40; --size) {
    EXPECT_LT(plain_size(size).value_or(0), size);
  }
}

TEST(Seal, EveryFlippedBitIsNoticed) {
  const SealKey key = make_seal_key();
  const Bytes sealed = seal(text_of(40), key);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(unseal(changed, key)) << bit;
  }
}

TEST(Seal, EveryCutIsNoticed) {
  const SealKey key = make_seal_key();
  const Bytes sealed = seal(text_of(40), key);
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(unseal(ByteView(sealed).first(size), key)) << size;
  }
  // Also where chunks end: the last one must say that it is the last.
  const Bytes three = seal(text_of(2 * kChunk + 5), key);
  for (const size_t chunks : {size_t{0}, size_t{1}, size_t{2}}) {
    EXPECT_FALSE(unseal(ByteView(three).first(chunks * (kChunk + kTag)), key));
  }
}

TEST(Seal, AnotherKeyOpensNothing) {
  SealKey key = make_seal_key();
  const Bytes sealed = seal(text_of(10), key);
  EXPECT_NE(key, make_seal_key());
  for (size_t bit = 0; bit < 256; ++bit) {
    SealKey other = key;
    other[bit / 8] = static_cast<uint8_t>(other[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(unseal(sealed, other)) << bit;
  }
}

TEST(Seal, ChunksStayInTheirOrderAndNumber) {
  const SealKey key = make_seal_key();
  const Bytes sealed = seal(text_of(3 * kChunk), key);
  const auto of = [&](std::initializer_list<size_t> order) {
    Bytes bytes;
    for (const size_t i : order) {
      const ByteView chunk = ByteView(sealed).subspan(i * (kChunk + kTag), kChunk + kTag);
      bytes.insert(bytes.end(), chunk.begin(), chunk.end());
    }
    return bytes;
  };
  EXPECT_TRUE(unseal(of({0, 1, 2}), key));
  EXPECT_FALSE(unseal(of({1, 0, 2}), key));
  EXPECT_FALSE(unseal(of({0, 2}), key));
  EXPECT_FALSE(unseal(of({0, 0, 1, 2}), key));
  EXPECT_FALSE(unseal(of({0, 1, 2, 2}), key));
  EXPECT_FALSE(unseal(of({0, 1}), key));
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(unseal(longer, key));
  // Nor can an empty chunk be hung on: its own seal is one of chunk 0.
  const Bytes empty = seal({}, key);
  longer = sealed;
  longer.insert(longer.end(), empty.begin(), empty.end());
  EXPECT_FALSE(unseal(longer, key));
}

TEST(Seal, TheSummaryIsOfTextCiphertextAndKey) {
  const SealKey key = make_seal_key();
  const Bytes text = text_of(2 * kChunk + 9);
  const Bytes sealed = seal(text, key);
  const SealSummary summary = summarise(text, sealed, key);
  EXPECT_EQ(summary.plain_size, text.size());
  EXPECT_EQ(summary.sealed_size, sealed.size());
  EXPECT_EQ(summary.plain_digest, common::tree_hash(text));
  std::vector<common::Hash> leaves;
  for (size_t at = 0; at < sealed.size(); at += kChunk + kTag) {
    const ByteView rest = ByteView(sealed).subspan(at);
    leaves.push_back(common::blake2b_256(rest.first(std::min(rest.size(), kChunk + kTag))));
  }
  EXPECT_EQ(summary.sealed_root, common::merkle_root(leaves));
  // Who guesses the text cannot check his guess without the key.
  EXPECT_EQ(summary.plain_hash, common::blake2b_256_keyed(key, summary.plain_digest.bytes));
  EXPECT_NE(summarise(text, sealed, make_seal_key()).plain_hash, summary.plain_hash);
}

}  // namespace
}  // namespace train
