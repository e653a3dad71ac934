// Goal: ranks that talk by NCCL make the calls they should, and whatever fails, at one rank or on
//   the wire, ends all waits with an Error that names it, and leaves nothing under way.
// Method: an emulated NCCL and emulated streams (nccl_emulation.h) under the logic that cards use;
//   faults one by one, with long transfers and deadlines that would make the test fail if they were
//   waited for. What all kinds of ranks promise is communicator_test.cpp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/train/nccl_emulation.h"
#include "train/cpu/backend.h"

namespace train::cuda {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;
using common::Result;
using testing::ElementsAre;
using testing::HasSubstr;
using Faults = EmulatedWire::Faults;

constexpr milliseconds kPatience{60'000};
constexpr milliseconds kShort{1000};

std::vector<std::unique_ptr<Backend>> backends_of(int ranks) {
  std::vector<std::unique_ptr<Backend>> backends;
  for (int rank = 0; rank < ranks; ++rank) backends.push_back(make_cpu_backend(1));
  return backends;
}

Result<std::unique_ptr<Ranks>> connect(EmulatedWire& wire,
                                       const std::vector<std::unique_ptr<Backend>>& backends,
                                       milliseconds deadline) {
  std::vector<Backend*> pointers;
  for (const auto& backend : backends) pointers.push_back(backend.get());
  return make_emulated_ranks(wire, pointers, deadline);
}

// What every rank heard when it added up `size` values `times` times.
std::vector<Error> hear(Ranks& ranks, size_t size, int times) {
  std::vector<Error> heard(static_cast<size_t>(ranks.count()), {Code::kNotFound, "nothing"});
  const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
    for (int i = 0; i < times; ++i) {
      std::vector<float> values(size, 1.0F);
      const auto reduced = communicator.all_reduce(values);
      if (reduced) continue;
      heard[static_cast<size_t>(communicator.rank())] = reduced.error();
      return reduced;
    }
    return {};
  });
  EXPECT_FALSE(result);
  return heard;
}

Result<void> do_all(Communicator& communicator) {
  const auto gather = [&](const std::vector<size_t>& sizes) {
    std::vector<float> mine(4);
    std::vector<float> all(12);
    return communicator.all_gather(all.data(), mine.data(), sizes);
  };
  const auto scatter = [&](const std::vector<size_t>& sizes) {
    std::vector<float> mine(4);
    const std::vector<float> all(12);
    return communicator.reduce_scatter(mine.data(), all.data(), sizes);
  };
  TRY_VOID(gather({4, 4, 4}));
  TRY_VOID(gather({4, 0, 2}));
  TRY_VOID(gather({0, 0, 0}));
  TRY_VOID(scatter({2, 2, 2}));
  TRY_VOID(scatter({3, 0, 1}));
  TRY_VOID(scatter({0, 0, 0}));
  std::vector<float> values(5);
  TRY_VOID(communicator.all_reduce(values));
  TRY_VOID(communicator.all_reduce({}));
  TRY_VOID(communicator.broadcast(values.data(), 12, 2));
  TRY_VOID(communicator.broadcast(nullptr, 0, 2));
  TRY_VOID(communicator.all_numbers(1.0));
  return communicator.barrier();
}

TEST(NcclRanks, CallOnceWhereAllHaveAsMuchAndForEachPartOtherwise) {
  const auto backends = backends_of(3);
  EmulatedWire wire(3);
  auto ranks = connect(wire, backends, kPatience);
  ASSERT_TRUE(ranks) << ranks.error().message;
  ASSERT_TRUE((*ranks)->run(do_all));
  for (int rank = 0; rank < 3; ++rank) {
    EXPECT_THAT(wire.calls(rank),
                ElementsAre("all_gather 16", "broadcast 16 from 0 + broadcast 8 from 2",
                            "reduce_scatter 2", "reduce 3 to 0 + reduce 1 to 2", "all_reduce 5",
                            "broadcast 12 from 2", "all_gather 8", "all_reduce 1"));
  }
  EXPECT_EQ(wire.aborted_count(), 0);
  ranks->reset();
  EXPECT_EQ(wire.aborted_count(), 3);
}

TEST(NcclRanks, WhatCannotBeMadeIsSaidAndUndone) {
  const auto backends = backends_of(3);
  EmulatedWire wire(3, {.refused = 1});
  const auto ranks = connect(wire, backends, kPatience);
  ASSERT_FALSE(ranks);
  EXPECT_EQ(ranks.error().code, Code::kUnavailable);
  EXPECT_EQ(ranks.error().message,
            "NCCL cannot connect the cards: rank 1 (emulated:1): starting NCCL: NCCL says: "
            "something is wrong: the cable was pulled");
  EXPECT_EQ(wire.aborted_count(), 1);  // Rank 0's: it was made.
}

TEST(NcclRanks, CardsThatDoNotFindEachOtherAreGivenUp) {
  const auto backends = backends_of(3);
  EmulatedWire wire(3, {.silent = 2});
  const auto ranks = connect(wire, backends, kShort);
  ASSERT_FALSE(ranks);
  EXPECT_EQ(ranks.error().code, Code::kUnavailable);
  EXPECT_THAT(ranks.error().message, HasSubstr("did not find each other within 1000 ms"));
  EXPECT_EQ(wire.aborted_count(), 3);
}

TEST(NcclRanks, WhatNcclFindsOutAtOneRankEndsAll) {
  EmulatedCards cards(3, kPatience, {.broken = 2, .broken_at = 1});
  for (const Error& error : hear(cards, 1000, 3)) {
    EXPECT_EQ(error.code, Code::kIo);
    EXPECT_EQ(error.message,
              "rank 2 (emulated:2): collectives: NCCL says: something is wrong: the cable was "
              "pulled");
  }
  EXPECT_EQ(cards.wire().aborted_count(), 3);
}

TEST(NcclRanks, ACallThatIsRefusedEndsAll) {
  EmulatedCards cards(3, kPatience, {.refusing = 1});
  for (const Error& error : hear(cards, 4, 1)) {
    EXPECT_EQ(error.code, Code::kIo);
    EXPECT_THAT(error.message, HasSubstr("rank 1 (emulated:1): all_reduce of 16 bytes: NCCL says"));
  }
}

TEST(NcclRanks, ARefusedCallOfAGroupEndsTheGroupAndAll) {
  EmulatedCards cards(2, kPatience, {.refusing = 0});
  const auto result = cards.run([](Communicator& communicator) -> Result<void> {
    std::vector<float> mine(2);
    const std::vector<float> all(3);
    const std::vector<size_t> sizes = {1, 2};
    return communicator.reduce_scatter(mine.data(), all.data(), sizes);
  });
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("rank 0 (emulated:0): reduce_scatter of 4, 8"));
}

TEST(NcclRanks, ACollectiveThatDoesNotEndIsGivenUpThoughAllCame) {
  EmulatedCards cards(2, kShort, {.stuck = 1});
  for (const Error& error : hear(cards, 4, 2)) {
    EXPECT_EQ(error.code, Code::kTimeout);
    EXPECT_EQ(
        error.message,
        "collective 1, all_reduce of 16 bytes, did not end within 1000 ms, though all 2 ranks "
        "came to it");
  }
  EXPECT_EQ(cards.wire().aborted_count(), 2);
}

// It need not come to have its communicator aborted: the others could not release their memory.
TEST(NcclRanks, ARankThatIsLostIsAbortedByTheOthers) {
  EmulatedCards cards(3, kShort);
  const auto result = cards.run([](Communicator& communicator) -> Result<void> {
    if (communicator.rank() == 1) return {};
    return communicator.barrier();
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kTimeout);
  EXPECT_EQ(result.error().message,
            "rank 1 of 3 did not come to collective 0, barrier, within 1000 ms");
  EXPECT_EQ(cards.wire().aborted_count(), 3);
  // Should it come after all, it is told.
  const auto late = cards[1].barrier();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, result.error().message);
  EXPECT_FALSE(cards[1].all_numbers(1.0));
}

// What is handed over is released as soon as the rank is told: for the sanitizers.
TEST(NcclRanks, AnAbortInTheMiddleOfACollectiveEndsItAtOnce) {
  for (int round = 0; round < 10; ++round) {
    EmulatedCards cards(3, kPatience, {.transfer = kPatience});
    std::atomic<int> begun = 0;
    const auto result = cards.run([&](Communicator& communicator) -> Result<void> {
      std::vector<float> values(10'000, 1.0F);
      std::vector<float> more(10'000, 1.0F);
      const auto one = communicator.begin_all_reduce(values);
      const auto two = communicator.begin_all_reduce(more);
      ++begun;
      if (communicator.rank() == round % 3) {
        while (begun < 3) std::this_thread::yield();
        return Error{Code::kIo, "its disk is full"};
      }
      TRY_VOID(communicator.wait(two));
      return communicator.wait(one);
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kIo);
    EXPECT_EQ(cards.wire().aborted_count(), 3);
  }
}

TEST(NcclRanks, RanksThatGoAwayEndWhatIsUnderWay) {
  const auto backends = backends_of(2);
  EmulatedWire wire(2, {.transfer = kPatience});
  std::vector<float> values(1000);
  {
    auto ranks = connect(wire, backends, kPatience);
    ASSERT_TRUE(ranks);
    for (int rank = 0; rank < 2; ++rank) (**ranks)[rank].begin_all_reduce(values);
  }
  EXPECT_EQ(wire.aborted_count(), 2);
}

// They compute, or begin the next one, while the others are still on their way.
TEST(NcclRanks, WhoeverBeginsDoesNotWaitForTheOthers) {
  EmulatedCards cards(2, kPatience);
  std::atomic<bool> both_begun = false;
  const auto result = cards.run([&](Communicator& communicator) -> Result<void> {
    while (communicator.rank() == 1 && !both_begun) std::this_thread::yield();
    std::vector<float> one(10, 1.0F);
    std::vector<float> two(10, 2.0F);
    const auto first = communicator.begin_all_reduce(one);
    const auto second = communicator.begin_all_reduce(two);
    both_begun = true;
    TRY_VOID(communicator.wait(second));
    TRY_VOID(communicator.wait(first));
    EXPECT_EQ(one, std::vector<float>(10, 2.0F));
    EXPECT_EQ(two, std::vector<float>(10, 4.0F));
    return {};
  });
  EXPECT_TRUE(result) << result.error().message;
}

TEST(NcclRanksDeathTest, WaitingTwiceIsABug) {
  EXPECT_DEATH(
      {
        EmulatedCards cards(1, kPatience);
        const auto pending = cards[0].begin({});
        CHECK(cards[0].wait(pending));
        CHECK(cards[0].wait(pending));
      },
      "waited for twice");
}

}  // namespace
}  // namespace train::cuda
