// Goal: windows cut the chain without gap or overlap; a verdict's number is for ever.
// Method: every block of a few windows; the numbers written out.
#include "common/window.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "common/verdict.h"

namespace common {
namespace {

TEST(Window, EveryBlockIsInExactlyTheWindowThatCountsIt) {
  for (const uint64_t size : {uint64_t{1}, uint64_t{7}, uint64_t{115}}) {
    for (uint64_t block = 0; block < 4 * size; ++block) {
      const Window window = Window::of({block}, size);
      EXPECT_LE(window.first_block(size).index, block);
      EXPECT_LT(block, window.next().first_block(size).index);
      EXPECT_EQ(window.block_at(block % size, size), BlockNumber{block});
    }
  }
}

TEST(Verdict, NumbersStandInStoresAndDoNotMove) {
  EXPECT_EQ(static_cast<int>(Verdict::kAccepted), 0);
  EXPECT_EQ(static_cast<int>(Verdict::kLate), 2);
  EXPECT_EQ(static_cast<int>(Verdict::kWrongBase), 7);
  EXPECT_EQ(static_cast<int>(Verdict::kHashMismatch), 11);
  EXPECT_EQ(static_cast<int>(Verdict::kReplayMismatch), 16);
  EXPECT_EQ(name(Verdict::kAccepted), "accepted");
  EXPECT_EQ(name(Verdict::kWrongBase), "wrong base");
  EXPECT_EQ(name(Verdict::kReplayMismatch), "replay mismatch");
}

TEST(Verdict, EveryNumberHasItsOwnNameAndNoOtherIsOne) {
  std::set<std::string_view> names;
  for (uint8_t number = 0; number < kVerdictCount; ++number) {
    const auto verdict = verdict_of(number);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(static_cast<uint8_t>(*verdict), number);
    EXPECT_FALSE(name(*verdict).empty());
    EXPECT_TRUE(names.insert(name(*verdict)).second) << name(*verdict);
  }
  EXPECT_FALSE(verdict_of(kVerdictCount));
  EXPECT_FALSE(verdict_of(255));
}

}  // namespace
}  // namespace common
