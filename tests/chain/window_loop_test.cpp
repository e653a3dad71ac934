// Goal: a program takes part in each window once, in order, and lives through what goes wrong in
// one. Method: a ledger and a clock that only sleeping moves; steps that fail as told.
#include "chain/window_loop.h"

#include <gtest/gtest.h>

#include "tests/chain/plain_ledger.h"

namespace chain {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;
using common::Window;

constexpr common::ScheduleParams kSchedule{.blocks_per_window = 100,
                                           .seal_block = 40,
                                           .reveal_block = 50,
                                           .manifest_block = 60,
                                           .lead_timeout_blocks = 10,
                                           .manifest_quorum = 0};

class WindowLoop : public testing::Test {
 protected:
  void go_to(uint64_t block) {
    if (block <= ledger_.height().index) return;
    clock_.sleep(PlainLedger::kBlockTime * static_cast<int64_t>(block - ledger_.height().index));
  }
  // A step that lasts until the window's end, and stops the clock after `count` calls.
  std::function<Result<void>(Window)> step(size_t count) {
    return [this, count](Window window) -> Result<void> {
      steps_.push_back(window.index);
      if (steps_.size() == count) clock_.stop = true;
      const auto outcome = outcomes_.find(steps_.size());
      if (outcome != outcomes_.end()) return Error{outcome->second, "as told"};
      go_to(window.next().first_block(100).index);
      return {};
    };
  }
  substrate::TestClock clock_;
  PlainLedger ledger_{clock_};
  std::vector<uint64_t> steps_;
  std::map<size_t, Code> outcomes_;  // Of the first, the second, ... call.
};

TEST_F(WindowLoop, BeginsWithTheWindowThatCanStillBeTakenPartIn) {
  for (const auto& [block, first] :
       {std::pair{239U, 2U}, std::pair{240U, 3U}, std::pair{299U, 3U}}) {
    substrate::TestClock clock;
    PlainLedger ledger(clock);
    clock.sleep(PlainLedger::kBlockTime * static_cast<int64_t>(block));
    uint64_t began = 0;
    EXPECT_TRUE(run_windows(ledger, clock, kSchedule, [&](Window window) -> Result<void> {
      began = window.index;
      clock.stop = true;
      return {};
    }));
    EXPECT_EQ(began, first) << block;
  }
}

TEST_F(WindowLoop, EachWindowOnceAndInOrder) {
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, step(4)));
  EXPECT_EQ(steps_, (std::vector<uint64_t>{0, 1, 2, 3}));
}

// The step came back at once: what is done is not done again, the next window is waited for by its
// step.
TEST_F(WindowLoop, AStepThatEndsEarlyIsNotRepeated) {
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, [&](Window window) -> Result<void> {
    steps_.push_back(window.index);
    clock_.stop = steps_.size() == 3;
    return {};
  }));
  EXPECT_EQ(steps_, (std::vector<uint64_t>{0, 1, 2}));
}

TEST_F(WindowLoop, WhatMayPassIsTriedAgainInItsWindow) {
  outcomes_ = {{1, Code::kUnavailable}, {2, Code::kUnavailable}};
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, step(4)));
  EXPECT_EQ(steps_, (std::vector<uint64_t>{0, 0, 0, 1}));
}

TEST_F(WindowLoop, WhatFailsOtherwiseIsSatOut) {
  outcomes_ = {{2, Code::kConflict}, {3, Code::kCorrupt}};
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, step(4)));
  EXPECT_EQ(steps_, (std::vector<uint64_t>{0, 1, 2, 3}));
}

TEST_F(WindowLoop, AStepThatTookTooLongSkipsWhatIsOver) {
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, [&](Window window) -> Result<void> {
    steps_.push_back(window.index);
    clock_.stop = steps_.size() == 2;
    go_to(350);
    return {};
  }));
  EXPECT_EQ(steps_, (std::vector<uint64_t>{0, 4}));
}

TEST_F(WindowLoop, WhatTheUserMustMendEndsIt) {
  outcomes_ = {{2, Code::kInvalidArgument}};
  EXPECT_EQ(run_windows(ledger_, clock_, kSchedule, step(9)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(steps_.size(), 2U);
}

TEST_F(WindowLoop, ASilentLedgerIsAskedAgainAndAStopEndsIt) {
  int asked = 0;
  ledger_.trouble = [&]() -> std::optional<Error> {
    if (++asked <= 3) return Error{Code::kUnavailable, "silence"};
    return std::nullopt;
  };
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, step(1)));
  EXPECT_EQ(steps_, (std::vector<uint64_t>{0}));
  EXPECT_GE(clock_.sleeps, 3);
  clock_.stop = true;
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, step(1)));
  EXPECT_EQ(steps_.size(), 1U);
}

// A step that says it was told to stop, when nobody was: no spinning.
TEST_F(WindowLoop, ACancelledStepDoesNotSpin) {
  const auto began = clock_.now();
  int calls = 0;
  EXPECT_TRUE(run_windows(ledger_, clock_, kSchedule, [&](Window) -> Result<void> {
    clock_.stop = ++calls == 100;
    return Error{Code::kCancelled, "told to stop"};
  }));
  EXPECT_GE(clock_.now() - began, milliseconds(10'000));
}

TEST(ConnectAs, AsksForAsLongAsItsPatienceThenSaysSo) {
  substrate::TestClock clock;
  const AccountId nobody{};
  const auto began = clock.now();
  const auto silent = connect_as(nobody, "http://127.0.0.1:1", 1, milliseconds(5'000), clock);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, Code::kUnavailable);
  EXPECT_GE(clock.now() - began, milliseconds(5'000));
  EXPECT_LT(clock.now() - began, milliseconds(20'000));
  clock.stop = true;
  EXPECT_EQ(connect_as(nobody, "http://127.0.0.1:1", 1, milliseconds(5'000), clock).error().code,
            Code::kCancelled);
  EXPECT_EQ(connect_as(nobody, "ftp://x", 1, milliseconds(5'000), clock).error().code,
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace chain
