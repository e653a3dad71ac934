// Goal: a data set in a bucket reads as the same set in a folder does, fetches only what it needs,
// uses nothing that is not what the manifest says, and says what is wrong.
// Method: random shards, chunks and samples under fixed seeds against the folder; a bucket in
// memory whose calls are counted, failed, and whose objects are changed behind its back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/philox.h"
#include "tests/train/memory_store.h"
#include "tests/train/token_set.h"
#include "train/dataset.h"

namespace {

using common::Hash;
using common::Philox;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::Bytes;
using tests::Code;
using tests::MemoryStore;
using tests::StoreView;
using train::Dataset;
using train::DatasetCache;

constexpr auto kAddress = "s3://a/bucket";

void put_into(MemoryStore& store, const TokenSet& set) {
  for (const auto& [file, bytes] : set.files) store.write(file, bytes);
}

common::Result<Dataset> open_remote(MemoryStore& store, const Hash& hash, uint32_t length,
                                    const DatasetCache& cache = {}) {
  return Dataset::open(std::make_unique<StoreView>(store), kAddress, hash, length, cache);
}

template <typename Token>
std::vector<std::vector<Token>> random_shards(uint64_t seed, uint32_t vocabulary) {
  Philox random(seed);
  std::vector<std::vector<Token>> shards(1 + random.below(4));
  for (auto& shard : shards) {
    // Also of exactly one chunk, and of one token.
    const uint64_t sizes[] = {1, 4096 / sizeof(Token), 1 + random.below(9000)};
    shard.resize(sizes[random.below(3)]);
    for (Token& token : shard) token = static_cast<Token>(random.below(vocabulary));
  }
  shards.front().resize(shards.front().size() + 40, 3);  // Long enough for a sample.
  return shards;
}

// Shards of 0 .. n - 1 counted on, n below the vocabulary: two of 5,000 tokens, 5 chunks each.
TokenSet counting_set() {
  std::vector<std::vector<uint32_t>> shards(2, std::vector<uint32_t>(5000));
  for (uint32_t i = 0; i < 10'000; ++i) shards[i / 5000][i % 5000] = i;
  return token_set(shards, 262'144);
}

class RemoteDataset : public testing::Test {
 protected:
  RemoteDataset() { put_into(store_, set_); }

  Dataset open(uint32_t length, uint64_t cache_size = 0) {
    DatasetCache cache;
    if (cache_size > 0) cache = {folder_.path() / "cache", cache_size};
    auto dataset = open_remote(store_, set_.manifest.hash(), length, cache);
    CHECK_MSG(dataset.has_value(), dataset.error().message);
    store_.calls();
    return std::move(dataset).value();
  }
  // Flips a bit of the object behind everybody's back.
  void damage(const std::string& key, size_t at) {
    Bytes bytes = store_.peek(key).value();
    bytes[at] ^= 1;
    store_.write(key, bytes);
  }

  DataFolder folder_;
  TokenSet set_ = counting_set();
  MemoryStore store_;
};

template <typename Token>
void expect_remote_is_local(uint64_t seed, uint32_t vocabulary) {
  const DataFolder folder;
  const TokenSet set = token_set(random_shards<Token>(seed, vocabulary), vocabulary);
  write_to(folder, set);
  MemoryStore store;
  put_into(store, set);
  Philox random(seed + 1000);
  const auto length = static_cast<uint32_t>(1 + random.below(40));
  const auto local = Dataset::open(folder.path(), set.manifest.hash(), length);
  const DatasetCache cache{folder.path() / "cache", 1 + random.below(40'000)};
  const auto remote = open_remote(store, set.manifest.hash(), length, cache);
  ASSERT_TRUE(local.has_value() && remote.has_value()) << seed;
  ASSERT_TRUE(local->verify() && remote->verify()) << seed;
  ASSERT_EQ(local->sample_count(), remote->sample_count());
  for (int i = 0; i < 60; ++i) {
    const uint64_t sample =
        i == 0 ? local->sample_count() - 1 : random.below(local->sample_count());
    const auto read = remote->sample(sample);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(*read, local->sample(sample).value()) << "seed " << seed << ", sample " << sample;
  }
}

TEST(RemoteDatasetProperty, ReadsWhatTheFolderReads) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    expect_remote_is_local<uint16_t>(seed, 32'000);
    expect_remote_is_local<uint32_t>(seed, 262'144);
  }
}

TEST(RemoteDatasetProperty, ALargeVocabularysLastTokensSurvive) {
  std::vector<uint32_t> tokens;
  for (uint32_t i = 0; i < 3000; ++i) tokens.push_back(262'143 - i);
  MemoryStore store;
  const TokenSet set = token_set<uint32_t>({tokens}, 262'144);
  EXPECT_EQ(set.manifest.token_bytes, 4U);
  put_into(store, set);
  const auto dataset = open_remote(store, set.manifest.hash(), 2999);
  ASSERT_TRUE(dataset.has_value()) << dataset.error().message;
  EXPECT_EQ(dataset->sample(0).value(), tokens);
  EXPECT_TRUE(dataset->is_remote());
}

TEST_F(RemoteDataset, FetchesTheHashesOfAShardAndTheChunksOfASampleAndNoMore) {
  const Dataset dataset = open(100, 1 << 20);
  EXPECT_EQ(dataset.sample(2).value().front(), 200U);
  EXPECT_THAT(store_.calls(), ElementsAre("get tokens-0.bin.hashes", "get tokens-0.bin"));
  EXPECT_TRUE(dataset.sample(3).has_value());  // Of the same chunk.
  EXPECT_THAT(store_.calls(), ElementsAre());
  EXPECT_TRUE(dataset.sample(10).has_value());  // 1,000 to 1,100: of the first and the second.
  EXPECT_THAT(store_.calls(), ElementsAre("get tokens-0.bin"));
  EXPECT_TRUE(dataset.sample(50).has_value());
  EXPECT_THAT(store_.calls(), ElementsAre("get tokens-1.bin.hashes", "get tokens-1.bin"));
}

TEST_F(RemoteDataset, ARestartFetchesNothingAgain) {
  { ASSERT_TRUE(open(100, 1 << 20).sample(70).has_value()); }
  const Dataset dataset = open(100, 1 << 20);
  EXPECT_EQ(dataset.sample(70).value().front(), 7000U);
  EXPECT_THAT(store_.calls(), ElementsAre());
}

TEST_F(RemoteDataset, ASmallCacheHoldsItsLimitAndEverySampleIsStillRead) {
  const Dataset dataset = open(100, 9000);  // Two chunks and some hashes.
  for (uint64_t sample = 0; sample < dataset.sample_count(); ++sample) {
    ASSERT_EQ(dataset.sample(sample).value().back(), sample * 100 + 100);
    uint64_t kept = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_.path() / "cache")) {
      if (entry.is_regular_file()) kept += entry.file_size();
    }
    ASSERT_LE(kept, 9000U);
  }
}

TEST_F(RemoteDataset, DamageInTheCacheIsNoticedAndFetchedAgain) {
  { ASSERT_TRUE(open(100, 1 << 20).sample(0).has_value()); }
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_.path() / "cache")) {
    if (entry.is_regular_file()) std::ofstream(entry.path(), std::ios::binary) << "damaged";
  }
  const Dataset dataset = open(100, 1 << 20);
  EXPECT_EQ(dataset.sample(0).value().back(), 100U);
  EXPECT_THAT(store_.calls(), ElementsAre("get tokens-0.bin.hashes", "get tokens-0.bin"));
}

TEST_F(RemoteDataset, AWrongChunkIsAskedForTwiceThenRefusedByItsNameAndNotKept) {
  damage("tokens-1.bin", 4096 * 3 + 7);
  const Dataset dataset = open(100, 1 << 20);
  const auto read = dataset.sample(81);  // 8,100 to 8,200: token 3,100 of the second shard.
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  EXPECT_THAT(read.error().message, HasSubstr("tokens-1.bin, chunk 3 (bytes 12288 to 16383)"));
  EXPECT_THAT(read.error().message, HasSubstr(kAddress));
  EXPECT_THAT(store_.calls(),
              ElementsAre("get tokens-1.bin.hashes", "get tokens-1.bin", "get tokens-1.bin"));
  EXPECT_TRUE(dataset.sample(60).has_value());  // The others are good.
  damage("tokens-1.bin", 4096 * 3 + 7);         // Repaired.
  EXPECT_EQ(dataset.sample(81).value().front(), 8100U);
}

TEST_F(RemoteDataset, AChunkThatIsWrongOnceIsReadAllTheSame) {
  const Dataset dataset = open(100);
  damage("tokens-0.bin", 5);
  int asked = 0;
  store_.watch = [&](const std::string& call) -> std::optional<common::Error> {
    if (call == "get tokens-0.bin" && ++asked == 2) damage("tokens-0.bin", 5);
    return std::nullopt;
  };
  EXPECT_EQ(dataset.sample(0).value().front(), 0U);
  EXPECT_EQ(asked, 2);
}

TEST_F(RemoteDataset, ShardsCutShortLongerOrGoneAreNamed) {
  const Dataset dataset = open(100);
  Bytes cut = store_.peek("tokens-1.bin").value();
  cut.resize(cut.size() - 4);
  store_.write("tokens-1.bin", cut);
  EXPECT_TRUE(dataset.sample(60).has_value());
  const auto read = dataset.sample(98);
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  EXPECT_THAT(read.error().message, HasSubstr("tokens-1.bin, chunk 4"));
  EXPECT_THAT(read.error().message, HasSubstr("cut short"));
  store_.erase("tokens-1.bin");
  EXPECT_EQ(dataset.sample(98).error().code, Code::kNotFound);
  EXPECT_THAT(dataset.sample(98).error().message, HasSubstr(kAddress));
}

TEST_F(RemoteDataset, WrongLongOrMissingHashesAreRefusedByTheirName) {
  const Bytes good = store_.peek("tokens-0.bin.hashes").value();
  damage("tokens-0.bin.hashes", 40);
  EXPECT_THAT(open(100).sample(0).error().message, HasSubstr("tokens-0.bin.hashes"));
  EXPECT_EQ(open(100).sample(0).error().code, Code::kCorrupt);
  Bytes longer = good;
  longer.resize(longer.size() + 32);
  store_.write("tokens-0.bin.hashes", longer);
  EXPECT_FALSE(open(100).sample(0).has_value());
  store_.erase("tokens-0.bin.hashes");
  EXPECT_EQ(open(100).sample(0).error().code, Code::kNotFound);
  store_.write("tokens-0.bin.hashes", good);
  EXPECT_TRUE(open(100).sample(0).has_value());
}

TEST_F(RemoteDataset, TokensOutOfRangeAreRefusedEvenIfTheirHashIsRight) {
  const TokenSet wrong = token_set<uint32_t>({{1, 2, 262'144, 3}}, 262'144);
  MemoryStore store;
  put_into(store, wrong);
  const auto dataset = open_remote(store, wrong.manifest.hash(), 1);
  ASSERT_TRUE(dataset.has_value());
  EXPECT_TRUE(dataset->sample(0).has_value());
  const auto read = dataset->sample(1);
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  EXPECT_THAT(read.error().message, HasSubstr("tokens-0.bin, chunk 0"));
  EXPECT_THAT(read.error().message, HasSubstr("token 262144 at position 2"));
  EXPECT_FALSE(dataset->verify().has_value());
}

TEST_F(RemoteDataset, TroubleThatPassesIsWaitedForAndTroubleThatStaysIsSaid) {
  const Dataset dataset = open(100);
  int failures = 0;
  store_.watch = [&](const std::string& call) -> std::optional<common::Error> {
    if (call == "get tokens-0.bin" && ++failures <= 2) {
      return common::Error{Code::kUnavailable, "down"};
    }
    return std::nullopt;
  };
  EXPECT_TRUE(dataset.sample(0).has_value());
  EXPECT_EQ(failures, 3);
  store_.watch = tests::always(Code::kUnavailable);
  const auto read = dataset.sample(20);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Code::kUnavailable);
  EXPECT_THAT(read.error().message, HasSubstr(kAddress));
}

TEST_F(RemoteDataset, ABucketThatFailsNowAndThenNeverGivesWrongTokens) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Dataset dataset = open(100, 20'000);
    Philox random(seed);
    store_.watch = [&](const std::string&) -> std::optional<common::Error> {
      if (random.below(3) > 0) return std::nullopt;
      return common::Error{Code::kRefused, "not now"};  // Not waited for.
    };
    int good = 0;
    for (int i = 0; i < 100; ++i) {
      const uint64_t sample = random.below(dataset.sample_count());
      const auto read = dataset.sample(sample);
      if (!read) continue;
      ++good;
      ASSERT_EQ(read->front(), sample * 100);
      ASSERT_EQ(read->back(), sample * 100 + 100);
    }
    EXPECT_GT(good, 50);
    store_.watch = nullptr;
  }
}

TEST_F(RemoteDataset, VerifyReadsEverythingPastTheCacheAndTellsHowFarItIs) {
  const Dataset dataset = open(100, 1 << 20);
  std::vector<uint64_t> done;
  ASSERT_TRUE(dataset.verify([&](uint64_t bytes, uint64_t total) {
    done.push_back(bytes);
    EXPECT_EQ(total, 40'000U);
  }));
  EXPECT_EQ(done.size(), 10U);
  EXPECT_EQ(done.back(), 40'000U);
  EXPECT_TRUE(dataset.sample(99 - 1).has_value());
  damage("tokens-1.bin", 19'999);  // A kept chunk does not hide it.
  EXPECT_THAT(dataset.verify().error().message, HasSubstr("tokens-1.bin, chunk 4"));
}

TEST_F(RemoteDataset, AnotherSetOrNoneIsSaidWhenItIsOpened) {
  const auto other = open_remote(store_, common::blake2b_256(common::view_of("another")), 1);
  EXPECT_EQ(other.error().code, Code::kCorrupt);
  EXPECT_THAT(other.error().message, HasSubstr(set_.manifest.hash().hex()));
  store_.write("manifest.json", {'{', '}'});
  const auto broken = open_remote(store_, set_.manifest.hash(), 1);
  EXPECT_EQ(broken.error().code, Code::kInvalidArgument);
  EXPECT_THAT(broken.error().message, HasSubstr(std::string(kAddress) + "/manifest.json"));
  store_.erase("manifest.json");
  EXPECT_EQ(open_remote(store_, set_.manifest.hash(), 1).error().code, Code::kNotFound);
  store_.watch = tests::always(Code::kUnavailable);
  EXPECT_EQ(open_remote(store_, set_.manifest.hash(), 1).error().code, Code::kUnavailable);
}

TEST_F(RemoteDataset, AFolderReadAsABucketIsTheSame) {
  write_to(folder_, set_);
  const std::string address = "file://" + folder_.path().string();
  EXPECT_TRUE(train::is_bucket_address(address));
  EXPECT_FALSE(train::is_bucket_address(folder_.path().string()));
  EXPECT_EQ(train::read_manifest_at(address).value().hash(), set_.manifest.hash());
  EXPECT_EQ(train::read_manifest_at(folder_.path()).value().hash(), set_.manifest.hash());
  const auto dataset = Dataset::open(address, set_.manifest.hash(), 100);
  ASSERT_TRUE(dataset.has_value()) << dataset.error().message;
  EXPECT_EQ(dataset->sample(98).value().back(), 9900U);
  EXPECT_EQ(Dataset::open("file:///nonexistent/set", {}, 1).error().code, Code::kUnavailable);
}

}  // namespace
