// Goal: a cache of chunks gives back what was put in or nothing, stays below its limit, and loses
// at most a chunk to a kill or a damaged file.
// Method: the promises one by one; a simple list of what was used when is the oracle of eviction.
#include "train/data/chunk_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "common/philox.h"
#include "tests/train/data_folder.h"

namespace {

using common::Bytes;
using common::Hash;
using train::ChunkCache;
namespace fs = std::filesystem;

Bytes chunk(uint64_t number, size_t size = 100) {
  common::Philox random(number);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(256));
  return bytes;
}
Hash name_of(uint64_t number, size_t size = 100) {
  return common::blake2b_256(chunk(number, size));
}
ChunkCache open(const DataFolder& folder, uint64_t size_max) {
  auto cache = ChunkCache::open(folder.path() / "cache", size_max);
  CHECK_MSG(cache.has_value(), cache.error().message);
  return std::move(cache).value();
}
fs::path file_of(const DataFolder& folder, uint64_t number) {
  const std::string name = name_of(number).hex();
  return folder.path() / "cache" / name.substr(0, 2) / name;
}
uint64_t bytes_below(const fs::path& folder) {
  uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  return sum;
}

TEST(ChunkCache, GivesBackWhatWasPutInAndNothingElse) {
  const DataFolder folder;
  ChunkCache cache = open(folder, 1000);
  EXPECT_FALSE(cache.get(name_of(1), 100));
  ASSERT_TRUE(cache.put(name_of(1), chunk(1)));
  EXPECT_EQ(cache.get(name_of(1), 100), chunk(1));
  EXPECT_FALSE(cache.get(name_of(2), 100));
  EXPECT_FALSE(cache.get(name_of(1), 99));  // Longer than the caller can use.
}

TEST(ChunkCache, WithoutAFolderKeepsNothing) {
  ChunkCache cache;
  EXPECT_TRUE(cache.put(name_of(1), chunk(1)));
  EXPECT_FALSE(cache.get(name_of(1), 100));
  EXPECT_EQ(cache.size_bytes(), 0U);
}

TEST(ChunkCache, TheLeastRecentlyUsedGoesFirstAndTheLimitHolds) {
  const DataFolder folder;
  ChunkCache cache = open(folder, 1050);  // Ten of 100.
  std::deque<uint64_t> used;              // The oracle: the latest at the back.
  common::Philox random(uint64_t{7});
  for (int turn = 0; turn < 400; ++turn) {
    const uint64_t number = random.below(20);
    const auto known = std::find(used.begin(), used.end(), number);
    const auto kept = cache.get(name_of(number), 100);
    ASSERT_EQ(kept.has_value(), known != used.end()) << turn;
    if (known != used.end()) used.erase(known);
    if (!kept) {
      ASSERT_TRUE(cache.put(name_of(number), chunk(number)));
    }
    used.push_back(number);
    if (used.size() > 10) used.pop_front();
    ASSERT_EQ(cache.count(), used.size());
    ASSERT_EQ(cache.size_bytes(), used.size() * 100);
  }
  EXPECT_EQ(bytes_below(folder.path() / "cache"), cache.size_bytes());
}

TEST(ChunkCache, WhatIsLargerThanTheLimitIsNotKept) {
  const DataFolder folder;
  ChunkCache cache = open(folder, 150);
  ASSERT_TRUE(cache.put(name_of(1), chunk(1)));
  ASSERT_TRUE(cache.put(name_of(2, 151), chunk(2, 151)));
  EXPECT_FALSE(cache.get(name_of(2, 151), 1000));
  EXPECT_TRUE(cache.get(name_of(1), 100));  // And nothing went for it.
}

TEST(ChunkCache, ARestartFindsWhatWasKeptAndASmallerLimitHolds) {
  const DataFolder folder;
  {
    ChunkCache cache = open(folder, 1000);
    for (uint64_t number = 0; number < 10; ++number) {
      ASSERT_TRUE(cache.put(name_of(number), chunk(number)));
      // The clock of a file system may be coarse: times a second apart, the highest number newest.
      fs::last_write_time(file_of(folder, number),
                          fs::file_time_type(std::chrono::seconds(1'000'000 + number)));
    }
  }
  EXPECT_EQ(open(folder, 1000).count(), 10U);
  ChunkCache cache = open(folder, 300);
  EXPECT_EQ(cache.size_bytes(), 300U);
  EXPECT_EQ(bytes_below(folder.path() / "cache"), 300U);
  for (uint64_t number = 0; number < 10; ++number) {
    EXPECT_EQ(cache.get(name_of(number), 100).has_value(), number >= 7) << number;
  }
}

TEST(ChunkCache, ADamagedCutOrMissingFileIsNoticedAndMadeAgain) {
  const DataFolder folder;
  for (const std::string_view damage :
       {"longer than it should be, and wrong, by far. 12345678901234"
        "56789012345678901234567890123456789012345678901234567890",
        "cut", ""}) {
    ChunkCache cache = open(folder, 1000);
    ASSERT_TRUE(cache.put(name_of(1), chunk(1)));
    std::ofstream(file_of(folder, 1), std::ios::binary) << damage;
    EXPECT_FALSE(cache.get(name_of(1), 100));
    EXPECT_EQ(cache.size_bytes(), 0U);
    EXPECT_FALSE(fs::exists(file_of(folder, 1)));
    ASSERT_TRUE(cache.put(name_of(1), chunk(1)));
    fs::remove(file_of(folder, 1));
    EXPECT_FALSE(cache.get(name_of(1), 100));
    ASSERT_TRUE(cache.put(name_of(1), chunk(1)));
    EXPECT_EQ(cache.get(name_of(1), 100), chunk(1));
  }
}

TEST(ChunkCache, HalfWrittenFilesGoAndOthersStay) {
  const DataFolder folder;
  { ASSERT_TRUE(open(folder, 1000).put(name_of(1), chunk(1))); }
  const std::string half = file_of(folder, 1).string() + "-7.part";
  std::ofstream(half) << "half";
  std::ofstream(folder.path() / "cache/notes.txt") << "not ours";
  ChunkCache cache = open(folder, 100);
  EXPECT_EQ(cache.count(), 1U);
  EXPECT_FALSE(fs::exists(half));
  EXPECT_TRUE(fs::exists(folder.path() / "cache/notes.txt"));
}

TEST(ChunkCache, AFolderThatCannotBeUsedIsAnErrorAndOneThatVanishedIsNone) {
  const DataFolder folder;
  folder.write("file", "not a folder");
  EXPECT_FALSE(ChunkCache::open(folder.path() / "file", 100).has_value());
  ChunkCache cache = open(folder, 1000);
  ASSERT_TRUE(cache.put(name_of(1), chunk(1)));
  fs::remove_all(folder.path() / "cache");
  EXPECT_FALSE(cache.get(name_of(1), 100));
  EXPECT_FALSE(cache.put(name_of(1), chunk(1)));  // Said, and nothing is taken for kept.
  EXPECT_EQ(cache.size_bytes(), 0U);
}

TEST(ChunkCache, ThreadsShareIt) {
  const DataFolder folder;
  ChunkCache cache = open(folder, 550);
  const auto work = [&cache](uint64_t seed) {
    common::Philox random(seed);
    for (int turn = 0; turn < 200; ++turn) {
      const uint64_t number = random.below(8);
      const auto kept = cache.get(name_of(number), 100);
      if (kept) {
        EXPECT_EQ(*kept, chunk(number));
      } else {
        EXPECT_TRUE(cache.put(name_of(number), chunk(number)));
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
  }
  EXPECT_LE(cache.size_bytes(), 550U);
  EXPECT_EQ(bytes_below(folder.path() / "cache"), cache.size_bytes());
}

}  // namespace
