// Goal: samples come in the order they were asked for, fetched ahead but not too far, and a
// prefetcher that is not wanted any more ends at once.
// Method: a bucket in memory whose calls are watched and held up; the data set itself is the
// oracle.
#include "train/prefetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/philox.h"
#include "tests/train/memory_store.h"
#include "tests/train/token_set.h"

namespace {

using testing::ElementsAre;
using tests::Code;
using tests::MemoryStore;
using train::Dataset;
using train::Prefetcher;

// A sample a chunk: sample i begins with i * 1024, and is of chunk i but for its last token.
constexpr uint32_t kLength = 1024;
constexpr uint64_t kSamples = 40;

class Prefetch : public testing::Test {
 protected:
  Prefetch() {
    std::vector<uint32_t> tokens(kSamples * kLength + 1);
    for (uint32_t i = 0; i < tokens.size(); ++i) tokens[i] = i;
    const TokenSet set = token_set<uint32_t>({tokens}, 262'144);
    for (const auto& [file, bytes] : set.files) store_.write(file, bytes);
    write_to(folder_, set);
    hash_ = set.manifest.hash();
  }

  Dataset remote() {
    auto opened = Dataset::open(std::make_unique<tests::StoreView>(store_), "bucket", hash_,
                                kLength, {folder_.path() / "cache", 1 << 20});
    CHECK_MSG(opened.has_value(), opened.error().message);
    return std::move(opened).value();
  }

  DataFolder folder_;
  MemoryStore store_;
  common::Hash hash_;
};

TEST_F(Prefetch, HandsOutTheSamplesInTheirOrderWhateverTheThreads) {
  const Dataset dataset = remote();
  common::Philox random(uint64_t{3});
  std::vector<uint64_t> samples;
  for (int i = 0; i < 200; ++i) samples.push_back(random.below(kSamples));
  for (const uint32_t threads : {1U, 3U, 8U}) {
    for (const uint32_t ahead : {1U, 2U, 1000U}) {
      Prefetcher prefetcher(dataset, samples, {.threads = threads, .ahead = ahead});
      for (const uint64_t sample : samples) {
        ASSERT_EQ(prefetcher.next().value().front(), sample * kLength);
      }
    }
  }
}

TEST_F(Prefetch, OfAFolderReadsTheSameWithoutThreads) {
  const auto dataset = Dataset::open(folder_.path(), hash_, kLength);
  ASSERT_TRUE(dataset.has_value());
  EXPECT_FALSE(dataset->is_remote());
  const std::vector<uint64_t> samples = {7, 0, 39};
  Prefetcher prefetcher(*dataset, samples);
  for (const uint64_t sample : samples) {
    EXPECT_EQ(prefetcher.next().value(), dataset->sample(sample).value());
  }
}

// Waits, for at most some seconds, until `condition` holds.
bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

TEST_F(Prefetch, FetchesInOrderWhileNobodyAsksButNotTooFar) {
  const Dataset dataset = remote();
  std::mutex mutex;
  int shards_read = 0;
  store_.watch = [&](const std::string& call) -> std::optional<common::Error> {
    const std::lock_guard lock(mutex);
    if (call == "get tokens-0.bin") ++shards_read;
    return std::nullopt;
  };
  const auto read = [&] {
    const std::lock_guard lock(mutex);
    return shards_read;
  };
  const std::vector<uint64_t> samples = {0, 2, 4, 6, 8, 10, 12, 14};
  Prefetcher prefetcher(dataset, samples, {.threads = 1, .ahead = 3});
  EXPECT_TRUE(eventually([&] { return read() == 6; }));  // Two chunks each, of three samples.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(read(), 6);
  EXPECT_EQ(prefetcher.next().value().front(), 0U);
  EXPECT_TRUE(eventually([&] { return read() == 8; }));
}

TEST_F(Prefetch, TwoThatWantTheSameChunkFetchItOnce) {
  const Dataset dataset = remote();
  store_.calls();
  const std::vector<uint64_t> samples(20, 5);
  {
    Prefetcher prefetcher(dataset, samples, {.threads = 8, .ahead = 20});
    for (size_t i = 0; i < samples.size(); ++i) ASSERT_TRUE(prefetcher.next().has_value());
  }
  EXPECT_THAT(store_.calls(),
              ElementsAre("get tokens-0.bin.hashes", "get tokens-0.bin", "get tokens-0.bin"));
}

TEST_F(Prefetch, EndsWithoutWaitingForWhatIsNotFetchedYet) {
  const Dataset dataset = remote();
  ASSERT_TRUE(dataset.sample(0).has_value());
  std::atomic<int> begun = 0;
  std::atomic<bool> open = false;
  store_.watch = [&](const std::string&) -> std::optional<common::Error> {
    ++begun;
    while (!open) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return std::nullopt;
  };
  std::vector<uint64_t> samples;
  for (uint64_t i = 5; i < kSamples; ++i) samples.push_back(i);
  std::jthread opener;
  {
    Prefetcher prefetcher(dataset, samples, {.threads = 2, .ahead = 100});
    ASSERT_TRUE(eventually([&] { return begun >= 2; }));
    // Only once the destructor is at work: what is under way ends, nothing more begins.
    opener = std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      open = true;
    });
  }
  EXPECT_LE(begun, 2 + 2);  // A sample has two chunks.
}

TEST_F(Prefetch, AnErrorIsOfItsSampleAndAskedForOnceMore) {
  const Dataset dataset = remote();
  ASSERT_TRUE(dataset.sample(0).has_value());
  std::atomic<bool> down = true;
  store_.watch = [&](const std::string&) -> std::optional<common::Error> {
    if (!down) return std::nullopt;
    return common::Error{Code::kRefused, "down"};
  };
  const std::vector<uint64_t> samples = {0, 9, 0, 12};
  Prefetcher prefetcher(dataset, samples, {.threads = 1, .ahead = 10});
  EXPECT_TRUE(prefetcher.next().has_value());  // Kept.
  EXPECT_EQ(prefetcher.next().error().code, Code::kRefused);
  EXPECT_TRUE(prefetcher.next().has_value());
  down = false;
  EXPECT_EQ(prefetcher.next().value().front(), 12 * kLength);
}

TEST_F(Prefetch, OfNoSamplesIsNoTrouble) {
  const Dataset dataset = remote();
  const Prefetcher prefetcher(dataset, {});
}

}  // namespace
