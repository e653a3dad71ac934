// Goal: trouble is handed up whole, and nobody reads a value that is not there.
// Method: small functions that succeed or fail; a death test.
#include "common/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace common {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{Code::kInvalidArgument, "odd"};
  return number / 2;
}

Result<int> quarter(int number) {
  TRY(const int once, half(number));
  TRY(const int twice, half(once));
  return twice;
}

Result<void> must_halve(int number) {
  TRY_VOID(half(number));
  return {};
}

TEST(Result, TryDeclaresTheValueOrHandsTheErrorUp) {
  EXPECT_EQ(*quarter(12), 3);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(6).error().code, Code::kInvalidArgument);
}

TEST(Result, TryVoidHandsTheErrorUp) {
  EXPECT_TRUE(must_halve(2));
  EXPECT_FALSE(must_halve(3));
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto pass = [&make]() -> Result<std::unique_ptr<int>> {
    TRY(auto value, make());
    return value;
  };
  EXPECT_EQ(**pass(), 5);
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorIsABug) {
  const auto failed = half(1);
  EXPECT_DEATH(static_cast<void>(failed.value()), "CHECK failed.*odd");
  EXPECT_DEATH(static_cast<void>(*failed), "CHECK failed.*odd");
}

TEST(Error, WithinSaysWhereAndKeepsTheCode) {
  const Error error = within("reading a", {Code::kTimeout, "no answer"});
  EXPECT_EQ(error.message, "reading a: no answer");
  EXPECT_EQ(error.code, Code::kTimeout);
}

TEST(Code, EveryCodeHasAName) {
  for (int i = 0; i <= static_cast<int>(Code::kCancelled); ++i) {
    EXPECT_NE(name(static_cast<Code>(i)), "unknown") << i;
  }
}

TEST(CheckDeathTest, SaysWhatAndWhere) {
  EXPECT_DEATH(CHECK(1 + 1 == 3), "CHECK failed: 1 \\+ 1 == 3 at .*result_test.cpp:");
  EXPECT_DEATH(CHECK_MSG(false, "because"), "CHECK failed: false: because at ");
}

}  // namespace
}  // namespace common
