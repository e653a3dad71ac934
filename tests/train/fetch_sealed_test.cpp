// Goal: what lies on our disk after a fetch is what was claimed, a miner is blamed for his bytes
// only, and never for our disk or a bucket that did not answer. Method: a bucket that is changed,
// cut, emptied and broken at every call; leftovers of our own that are damaged.
#include "train/fetch_sealed.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "tests/train/memory_store.h"

namespace train {
namespace {

using common::Bytes;
using common::Code;
using common::Error;
using common::Result;
using common::Verdict;

class FetchSealed : public testing::Test {
 protected:
  FetchSealed() {
    bucket_.write("k", sealed_);
    claim_.sealed_size = sealed_.size();
    claim_.sealed_root = sealed_root(sealed_);
  }
  Result<Verdict> fetch() {
    return fetch_sealed(bucket_, "k", claim_, file_, 2, {.range_size = 1000});
  }
  bool whole() const {
    const auto bytes = common::read_file(file_, 1 << 20);
    return bytes && *bytes == sealed_;
  }
  size_t reads() {
    const auto calls = bucket_.calls();
    return static_cast<size_t>(std::ranges::count(calls, "get k"));
  }

  tests::TempFolder folder_;
  std::filesystem::path file_ = folder_ / "spool" / "3";
  tests::MemoryStore bucket_;
  const Bytes sealed_ = seal(Bytes(5000, 7), make_seal_key());
  Claim claim_;
};

TEST_F(FetchSealed, BringsWhatWasClaimedAndOnlyOnce) {
  EXPECT_EQ(*fetch(), Verdict::kAccepted);
  EXPECT_TRUE(whole());
  EXPECT_EQ(reads(), 6U);
  bucket_.erase("k");
  EXPECT_EQ(*fetch(), Verdict::kAccepted);
  EXPECT_TRUE(whole());
}

TEST_F(FetchSealed, WhatIsNotAsClaimedIsTheMinersFault) {
  const auto verdict_of = [&](const Bytes& bytes) {
    bucket_.write("k", bytes);
    const auto verdict = fetch();
    EXPECT_FALSE(std::filesystem::exists(file_));
    return *verdict;
  };
  Bytes other = sealed_;
  other[2500] ^= 1;
  EXPECT_EQ(verdict_of(other), Verdict::kHashMismatch);
  other = sealed_;
  other.push_back(0);
  EXPECT_EQ(verdict_of(other), Verdict::kHashMismatch);
  other.resize(4000);
  EXPECT_EQ(verdict_of(other), Verdict::kHashMismatch);
  EXPECT_EQ(verdict_of({}), Verdict::kHashMismatch);
  bucket_.erase("k");
  EXPECT_EQ(*fetch(), Verdict::kHashMismatch);
}

TEST_F(FetchSealed, ABucketThatDoesNotAnswerIsNobodysFaultAtAnyCall) {
  for (int silent = 0; silent < 7; ++silent) {
    int call = 0;
    bucket_.watch = [&](const std::string&) -> std::optional<Error> {
      if (call++ == silent) return Error{Code::kUnavailable, "nobody answered"};
      return std::nullopt;
    };
    EXPECT_EQ(fetch().error().code, Code::kUnavailable) << silent;
    // And the next goes on there.
    reads();
    EXPECT_EQ(*fetch(), Verdict::kAccepted);
    EXPECT_EQ(reads(), silent == 0 ? 6U : 7U - static_cast<size_t>(silent));
    EXPECT_TRUE(whole());
    common::discard_fetched(file_);
  }
}

TEST_F(FetchSealed, ALeftoverOfOursThatIsDamagedBlamesNobody) {
  for (const char* const name : {"3", "3.part"}) {
    for (const size_t size : {size_t{1}, size_t{3000}, sealed_.size()}) {
      ASSERT_TRUE(common::write_file(folder_ / "spool" / name, Bytes(size, 0xEE)));
      EXPECT_EQ(*fetch(), Verdict::kAccepted) << name << " of " << size;
      EXPECT_TRUE(whole());
      common::discard_fetched(file_);
    }
  }
}

TEST_F(FetchSealed, OurDisksTroubleBlamesNobody) {
  ASSERT_TRUE(common::write_file(folder_ / "spool", Bytes(1)));
  EXPECT_FALSE(fetch().has_value());
}

}  // namespace
}  // namespace train
