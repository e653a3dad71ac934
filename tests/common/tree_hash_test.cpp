// Goal: a tree hash is the Merkle root over the BLAKE2b-256 of the leaves, however the bytes come,
// and the vectors' BLAKE2b is libsodium's. Method: leaf by leaf with libsodium's (slow and
// obvious), sizes about a block's, a leaf's and a group's, every instruction set that this machine
// has.
#include "common/tree_hash.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>

#include "common/lane_hasher.h"
#include "common/philox.h"

namespace common {
namespace {

Bytes text_of(size_t size) {
  Philox random(size);
  Bytes text(size);
  for (uint8_t& byte : text) byte = static_cast<uint8_t>(random.next32());
  return text;
}

Hash slow_root(ByteView bytes, size_t leaf_size) {
  std::vector<Hash> leaves;
  while (!bytes.empty()) {
    leaves.push_back(blake2b_256(bytes.first(std::min(leaf_size, bytes.size()))));
    bytes = bytes.subspan(std::min(leaf_size, bytes.size()));
  }
  return merkle_root(leaves);
}

// Each instruction set in turn, and its number.
void on_each_processor(const std::function<void(int64_t)>& act) {
  int64_t left = hwy::SupportedTargets();
  while (left != 0) {
    const int64_t target = left & -left;
    left ^= target;
    hwy::SetSupportedTargetsForTest(target);
    act(target);
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(LaneHasher, EveryLaneIsLibsodiumsDigest) {
  on_each_processor([](int64_t target) {
    for (size_t count = 1; count <= LaneHasher::kLanes; ++count) {
      for (const size_t size : {0, 1, 127, 128, 129, 255, 256, 257, 1000, 4096}) {
        std::vector<Bytes> texts;
        LaneHasher::Texts at{};
        for (size_t i = 0; i < count; ++i) texts.push_back(text_of(size * 10 + i + 1));
        for (size_t i = 0; i < count; ++i) at[i] = texts[i].data();
        LaneHasher lanes(count);
        lanes.update(at, size);
        std::vector<Hash> digests(count);
        lanes.finish(digests);
        for (size_t i = 0; i < count; ++i) {
          EXPECT_EQ(digests[i], blake2b_256(ByteView(texts[i]).first(size)))
              << count << " texts of " << size << ", lane " << i << ", target " << target;
        }
      }
    }
  });
}

TEST(LaneHasher, PiecesOfATextAreTheText) {
  const Bytes text = text_of(8 * 2000);
  for (const size_t piece : {128, 256, 384, 1024}) {
    LaneHasher lanes(8);
    for (size_t first = 0; first < 2000; first += piece) {
      LaneHasher::Texts at{};
      for (size_t i = 0; i < 8; ++i) at[i] = text.data() + i * 2000 + first;
      lanes.update(at, std::min(piece, 2000 - first));
    }
    std::array<Hash, 8> digests;
    lanes.finish(digests);
    for (size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(digests[i], blake2b_256(ByteView(text).subspan(i * 2000, 2000))) << piece;
    }
  }
}

TEST(LaneHasherDeathTest, ATextEndsOnce) {
  LaneHasher lanes(1);
  const Bytes text(200);
  lanes.update({text.data()}, 200);
  EXPECT_DEATH(lanes.update({text.data()}, 1), "CHECK failed");
}

// Sizes about those of a leaf and of a group of 8.
constexpr size_t kLeaf = 300;
const std::vector<size_t> kSizes = {0,
                                    1,
                                    kLeaf - 1,
                                    kLeaf,
                                    kLeaf + 1,
                                    2 * kLeaf,
                                    7 * kLeaf + 5,
                                    8 * kLeaf,
                                    8 * kLeaf + 1,
                                    9 * kLeaf,
                                    16 * kLeaf,
                                    37 * kLeaf + 11};

TEST(TreeHash, IsTheRootOverTheLeaves) {
  for (const size_t size : kSizes) {
    const Bytes text = text_of(size);
    EXPECT_EQ(tree_hash(text, kLeaf), slow_root(text, kLeaf)) << size;
  }
  const Bytes large = text_of(9 * kTreeLeaf + 77);
  EXPECT_EQ(tree_hash(large), slow_root(large, kTreeLeaf));
}

TEST(TreeHash, OfASourceIsTheSameOnAnyNumberOfThreads) {
  for (const size_t size : kSizes) {
    const Bytes text = text_of(size);
    for (const uint32_t threads : {1U, 2U, 5U}) {
      const auto leaves = tree_leaves(MemorySource(text), threads, kLeaf);
      ASSERT_TRUE(leaves);
      EXPECT_EQ(*leaves, tree_leaves(text, kLeaf)) << size << " on " << threads;
    }
  }
}

TEST(TreeHash, OfPiecesIsTheSameAndCanBeAskedOnTheWay) {
  for (const size_t piece : {1, 7, 299, 300, 301, 2400, 5000}) {
    TreeHasher hasher(kLeaf);
    const Bytes text = text_of(37 * kLeaf + 11);
    for (size_t first = 0; first < text.size(); first += static_cast<size_t>(piece)) {
      const ByteView rest = ByteView(text).subspan(first);
      hasher.update(rest.first(std::min(rest.size(), static_cast<size_t>(piece))));
      if (first % 5 == 0) {
        EXPECT_EQ(hasher.root(), slow_root(ByteView(text).first(hasher.size()), kLeaf)) << piece;
      }
    }
    EXPECT_EQ(hasher.size(), text.size());
    EXPECT_EQ(hasher.root(), slow_root(text, kLeaf)) << piece;
  }
}

TEST(TreeHash, OfABeginningNeedsOnlyTheLeavesAndOneOfThemAgain) {
  const Bytes text = text_of(12 * kLeaf + 100);
  const std::vector<Hash> leaves = tree_leaves(text, kLeaf);
  for (const size_t size :
       {size_t{0}, size_t{1}, kLeaf, kLeaf + 1, 12 * kLeaf, text.size() - 64, text.size()}) {
    const auto root = tree_hash_of_first(size, leaves, MemorySource(text), kLeaf);
    ASSERT_TRUE(root);
    EXPECT_EQ(*root, slow_root(ByteView(text).first(size), kLeaf)) << size;
  }
}

TEST(TreeHash, ASourceThatFailsIsAnErrorNotARoot) {
  class Failing final : public ByteSource {
   public:
    uint64_t size() const override { return 40 * kLeaf; }
    Result<void> read(uint64_t offset, std::span<uint8_t>) const override {
      if (offset < 20 * kLeaf) return {};
      return Error{Code::kIo, "a disk failed"};
    }
  };
  for (const uint32_t threads : {1U, 4U}) {
    const auto leaves = tree_leaves(Failing(), threads, kLeaf);
    ASSERT_FALSE(leaves);
    EXPECT_EQ(leaves.error().message, "a disk failed");
  }
}

}  // namespace
}  // namespace common
