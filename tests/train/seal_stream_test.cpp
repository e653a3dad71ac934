// Goal: the stream seals and opens what `seal` and `unseal` do, in pieces and ranges of any size on
// any number of threads, and says whose fault it is when it does not. Method: against the whole in
// memory; every byte's damage by kind; readers side by side; files and keys that fail.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "common/files.h"
#include "common/philox.h"
#include "tests/temp_folder.h"
#include "tests/train/seal_text.h"
#include "train/seal_reader.h"
#include "train/seal_writer.h"

namespace train {
namespace {

using common::Bytes;
using common::ByteView;
using common::Code;
using common::FileWriter;
using common::MemorySource;
using common::Result;
using common::Verdict;

constexpr size_t kChunk = kSealChunk;
// About the sizes of a chunk, of a group, of what two threads hold.
const std::vector<size_t> kSizes = {0,          1,          kChunk - 1,     kChunk,
                                    kChunk + 1, 8 * kChunk, 8 * kChunk + 1, 17 * kChunk + 12345};

struct Made {
  Bytes sealed;
  SealKey key;
  SealSummary summary;
};

class SealStream : public testing::Test {
 protected:
  Made made_of(ByteView text, uint32_t threads, size_t piece) {
    auto file = FileWriter::create(folder_ / "sealed");
    CHECK(file.has_value());
    SealWriter writer(*file, threads);
    for (size_t at = 0; at < text.size(); at += piece) {
      CHECK(writer.append(text.subspan(at, std::min(piece, text.size() - at))).has_value());
    }
    const auto summary = writer.finish();
    CHECK(summary.has_value() && file->commit().has_value());
    return {*common::read_file(folder_ / "sealed", 1 << 30), writer.key(), *summary};
  }

  tests::TempFolder folder_;
};

TEST_F(SealStream, WritesWhatSealDoes) {
  for (const size_t size : kSizes) {
    const Bytes text = text_of(size);
    for (const uint32_t threads : {1U, 2U}) {
      const Made made = made_of(text, threads, size / 7 + 100'000);
      EXPECT_EQ(made.sealed, seal(text, made.key)) << size << " on " << threads;
      EXPECT_EQ(made.summary, summarise(text, made.sealed, made.key)) << size;
    }
  }
}

TEST_F(SealStream, PiecesOfAnySizeAndTheDigestOnTheWay) {
  const Bytes text = text_of(3000);
  auto file = FileWriter::create(folder_ / "sealed");
  ASSERT_TRUE(file);
  SealWriter writer(*file, 2);
  EXPECT_EQ(writer.digest(), common::tree_hash({}));
  for (size_t at = 0; at < text.size(); ++at) {
    ASSERT_TRUE(writer.append(ByteView(text).subspan(at, 1)));
    if (at % 700 == 0) {
      EXPECT_EQ(writer.digest(), common::tree_hash(ByteView(text).first(at + 1)));
    }
  }
  EXPECT_EQ(writer.size(), text.size());
  EXPECT_EQ(writer.finish()->plain_digest, common::tree_hash(text));
  // Also when much of it was sealed and forgotten already.
  const Bytes large = text_of(9 * kChunk + 5);
  auto other = FileWriter::create(folder_ / "other");
  ASSERT_TRUE(other);
  SealWriter second(*other, 1);
  ASSERT_TRUE(second.append(large));
  EXPECT_EQ(second.digest(), common::tree_hash(large));
}

TEST_F(SealStream, EveryObjectHasAKeyOfItsOwn) {
  const Bytes text = text_of(10);
  const Made one = made_of(text, 1, 100);
  const Made two = made_of(text, 1, 100);
  EXPECT_NE(one.key, two.key);
  EXPECT_NE(one.sealed, two.sealed);
}

TEST_F(SealStream, ADiskThatFailsIsAnErrorAndNothingAppears) {
  // No file may grow beyond 3 MiB.
  const rlimit old = [] {
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    return limit;
  }();
  signal(SIGXFSZ, SIG_IGN);
  rlimit tight = old;
  tight.rlim_cur = 3 << 20;
  setrlimit(RLIMIT_FSIZE, &tight);
  {
    auto file = FileWriter::create(folder_ / "sealed");
    ASSERT_TRUE(file);
    SealWriter writer(*file, 2);
    Result<void> outcome;
    const Bytes piece(kChunk);
    for (int i = 0; i < 40 && outcome; ++i) outcome = writer.append(piece);
    setrlimit(RLIMIT_FSIZE, &old);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::kExhausted);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SealStream, ReadsEveryRange) {
  const Bytes text = text_of(3 * kChunk + 1000);
  const SealKey key = make_seal_key();
  const Bytes sealed = seal(text, key);
  const MemorySource source(sealed);
  const SealReader reader(source, key);
  ASSERT_EQ(reader.size(), text.size());
  common::Philox random(5);
  for (int i = 0; i < 200; ++i) {
    const size_t first = random.below(text.size() + 1);
    const size_t most = i % 4 == 0 ? text.size() : 3000;
    const size_t size = random.below(std::min(most, text.size() - first) + 1);
    Bytes out(size);
    ASSERT_TRUE(reader.read(first, out));
    ASSERT_TRUE(std::ranges::equal(out, ByteView(text).subspan(first, size))) << first;
  }
  for (const size_t at : {size_t{0}, kChunk - 1, kChunk, kChunk + 1, text.size()}) {
    Bytes out(text.size() - at);
    ASSERT_TRUE(reader.read(at, out));
    EXPECT_TRUE(std::ranges::equal(out, ByteView(text).subspan(at)));
  }
  const Bytes nothing = seal({}, key);
  const MemorySource empty(nothing);
  EXPECT_EQ(SealReader(empty, key).size(), 0U);
  EXPECT_TRUE(SealReader(empty, key).read(0, {}));
}

// Counts what is asked of it.
class CountingSource final : public common::ByteSource {
 public:
  explicit CountingSource(ByteView bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
    asked_ += out.size();
    return MemorySource(bytes_).read(offset, out);
  }
  uint64_t asked() const { return asked_; }

 private:
  ByteView bytes_;
  mutable std::atomic<uint64_t> asked_ = 0;
};

TEST_F(SealStream, OpensOnlyTheChunksThatAreTouchedAndThoseOnce) {
  const Bytes text = text_of(20 * kChunk);
  const SealKey key = make_seal_key();
  const Bytes sealed = seal(text, key);
  const CountingSource source(sealed);
  const SealReader reader(source, key);
  Bytes out(1000);
  for (size_t at = 5 * kChunk; at + out.size() <= 7 * kChunk; at += out.size()) {
    ASSERT_TRUE(reader.read(at, out));
    ASSERT_TRUE(std::ranges::equal(out, ByteView(text).subspan(at, out.size())));
  }
  EXPECT_EQ(source.asked(), 2 * kSealedChunk);
  // More chunks than are kept, from the first on: each is opened again.
  for (int round = 0; round < 2; ++round) {
    for (size_t chunk = 0; chunk <= SealReader::kKept; ++chunk) {
      ASSERT_TRUE(reader.read(chunk * kChunk + 5, out));
    }
  }
  EXPECT_LE(source.asked(), (2 + 2 * (SealReader::kKept + 1)) * kSealedChunk);
}

TEST_F(SealStream, ManyThreadsReadOneReader) {
  const Bytes text = text_of(12 * kChunk + 77);
  const SealKey key = make_seal_key();
  const Bytes sealed = seal(text, key);
  const MemorySource source(sealed);
  const SealReader reader(source, key);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      threads.emplace_back([&, seed] {
        common::Philox random(seed);
        Bytes out(2000);
        for (int i = 0; i < 200; ++i) {
          const size_t first = random.below(text.size() - out.size());
          const bool same = reader.read(first, out).has_value() &&
                            std::ranges::equal(out, ByteView(text).subspan(first, out.size()));
          wrong += same ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(SealStream, AChunkThatDoesNotOpenIsNamed) {
  const SealKey key = make_seal_key();
  Bytes sealed = seal(text_of(3 * kChunk), key);
  sealed[kSealedChunk + 9] ^= 1;
  const MemorySource source(sealed);
  const SealReader reader(source, key);
  Bytes out(10);
  EXPECT_TRUE(reader.read(0, out));
  EXPECT_TRUE(reader.read(2 * kChunk, out));
  const auto read = reader.read(kChunk + 500'000, out);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  EXPECT_NE(read.error().message.find("chunk 1 "), std::string::npos) << read.error().message;
  // And never comes out of what is kept.
  EXPECT_FALSE(reader.read(kChunk + 500'000, out));
}

Claim claim_of(const SealSummary& summary) {
  return {.sealed_root = summary.sealed_root,
          .sealed_size = summary.sealed_size,
          .plain_hash = summary.plain_hash};
}

TEST_F(SealStream, OpeningSaysWhatSealingSaid) {
  for (const size_t size : kSizes) {
    const Bytes text = text_of(size);
    const Made made = made_of(text, 1, size + 1);
    for (const uint32_t threads : {1U, 3U}) {
      const MemorySource source(made.sealed);
      EXPECT_EQ(*verify_sealed(source, claim_of(made.summary), threads), Verdict::kAccepted);
      const auto opened = open_seal(source, made.key, threads);
      ASSERT_TRUE(opened && *opened) << size;
      EXPECT_EQ((*opened)->summary, made.summary);
      EXPECT_EQ((*opened)->plain_leaves, common::tree_leaves(text));
      EXPECT_EQ(judge(claim_of(made.summary), *opened), Verdict::kAccepted);
    }
  }
}

TEST_F(SealStream, WhatIsNotAsClaimedIsTheMinersFault) {
  const Bytes text = text_of(9 * kChunk + 100);
  const Made made = made_of(text, 1, text.size());
  const Claim claim = claim_of(made.summary);
  const auto verdicts = [&](ByteView sealed, const SealKey& key) {
    const MemorySource source(sealed);
    return std::pair(*verify_sealed(source, claim, 2), judge(claim, *open_seal(source, key, 2)));
  };
  const std::pair good(Verdict::kAccepted, Verdict::kAccepted);
  const std::pair bad(Verdict::kHashMismatch, Verdict::kHashMismatch);
  EXPECT_EQ(verdicts(made.sealed, made.key), good);
  for (const size_t at : {size_t{0}, 3 * kSealedChunk + 1, 4 * kSealedChunk - 1,
                          9 * kSealedChunk + 5, made.sealed.size() - 1}) {
    Bytes changed = made.sealed;
    changed[at] ^= 0x10;
    EXPECT_EQ(verdicts(changed, made.key), bad) << at;
  }
  EXPECT_EQ(verdicts(ByteView(made.sealed).first(made.sealed.size() - 1), made.key), bad);
  EXPECT_EQ(verdicts(ByteView(made.sealed).first(9 * kSealedChunk), made.key), bad);
  EXPECT_EQ(verdicts({}, made.key), bad);
  // The right ciphertext, and another key.
  EXPECT_EQ(verdicts(made.sealed, make_seal_key()),
            std::pair(Verdict::kAccepted, Verdict::kHashMismatch));
  // It opens, but to something else than was promised.
  Claim other = claim;
  other.plain_hash.bytes[0] ^= 1;
  const auto opened = open_seal(MemorySource(made.sealed), made.key, 1);
  EXPECT_EQ(judge(other, *opened), Verdict::kHashMismatch);
}

TEST_F(SealStream, ADiskThatFailsIsNobodysFault) {
  class Failing final : public common::ByteSource {
   public:
    uint64_t size() const override { return 20 * kSealedChunk; }
    Result<void> read(uint64_t, std::span<uint8_t>) const override {
      return common::Error{Code::kIo, "a disk failed"};
    }
  };
  const Claim claim{.sealed_size = 20 * kSealedChunk};
  EXPECT_EQ(verify_sealed(Failing(), claim, 2).error().code, Code::kIo);
  EXPECT_EQ(open_seal(Failing(), make_seal_key(), 2).error().code, Code::kIo);
  Bytes out(10);
  const Failing failing;
  EXPECT_EQ(SealReader(failing, make_seal_key()).read(0, out).error().code, Code::kIo);
}

}  // namespace
}  // namespace train
