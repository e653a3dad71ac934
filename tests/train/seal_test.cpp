// Goal: what is sealed is read with the key and with every byte, or not at all.
// Method: sizes about the chunk's; every bit, every cut, every exchange of chunks.
#include "train/seal.h"

#include <gtest/gtest.h>

#include <cstring>

#include "common/philox.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;

constexpr size_t kChunk = 1 << 20;
constexpr size_t kHeader = 24;
constexpr size_t kOverhead = 17;

Bytes text_of(size_t size) {
  common::Philox random(size);
  Bytes text(size);
  for (uint8_t& byte : text) byte = static_cast<uint8_t>(random.next32());
  return text;
}

TEST(Seal, AnySizeComesBackAndTheSizeIsExact) {
  const SealKey key = make_seal_key();
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, kChunk - 1, kChunk, kChunk + 1,
                            2 * kChunk, 2 * kChunk + 1}) {
    const Bytes text = text_of(size);
    const Bytes sealed = seal(text, key);
    const size_t chunks = size == 0 ? 1 : (size + kChunk - 1) / kChunk;
    EXPECT_EQ(sealed.size(), kHeader + size + kOverhead * chunks) << size;
    EXPECT_EQ(sealed_size(size), sealed.size()) << size;
    EXPECT_EQ(unseal(sealed, key), text) << size;
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
    EXPECT_FALSE(unseal(ByteView(three).first(kHeader + chunks * (kChunk + kOverhead)), key));
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
  const auto chunk = [&](size_t i) {
    return ByteView(sealed).subspan(kHeader + i * (kChunk + kOverhead), kChunk + kOverhead);
  };
  const auto of = [&](std::initializer_list<size_t> order) {
    Bytes bytes(sealed.begin(), sealed.begin() + kHeader);
    for (const size_t i : order) bytes.insert(bytes.end(), chunk(i).begin(), chunk(i).end());
    return bytes;
  };
  EXPECT_TRUE(unseal(of({0, 1, 2}), key));
  EXPECT_FALSE(unseal(of({1, 0, 2}), key));
  EXPECT_FALSE(unseal(of({0, 2}), key));
  EXPECT_FALSE(unseal(of({0, 0, 1, 2}), key));
  EXPECT_FALSE(unseal(of({0, 1, 2, 2}), key));
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(unseal(longer, key));
}

TEST(Seal, TwoSealsOfOneTextDiffer) {
  const SealKey key = make_seal_key();
  EXPECT_NE(seal(text_of(10), key), seal(text_of(10), key));
}

}  // namespace
}  // namespace train
