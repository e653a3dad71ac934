// Goal: what several threads of one process do in one folder at once succeeds for each of them.
// Method: many threads begin together, many times; every answer counts.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <thread>
#include <vector>

#include "common/files.h"
#include "tests/temp_folder.h"

namespace common {
namespace {

// The fetchers of a window all make the spool's folder.
TEST(MakeFolder, ManyThreadsMakeOneFolderAtOnce) {
  const tests::TempFolder folder;
  constexpr int kThreads = 8;
  constexpr int kRounds = 20;
  std::atomic<int> made = 0;
  {
    std::barrier together(kThreads);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          together.arrive_and_wait();
          if (make_folder(folder / std::to_string(round) / "spool")) ++made;
        }
      });
    }
  }
  EXPECT_EQ(made, kThreads * kRounds);
  for (int round = 0; round < kRounds; ++round) {
    const auto spool = folder / std::to_string(round) / "spool";
    EXPECT_TRUE(std::filesystem::is_directory(spool));
    EXPECT_TRUE(std::filesystem::is_empty(spool));  // No probe is left.
  }
}

}  // namespace
}  // namespace common
