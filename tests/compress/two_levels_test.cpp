// Goal: two_levels finds the best two magnitudes, and of two magnitudes exactly these.
// Method: against every split tried one by one in long double; the edges of the number format; a
// fixed point.
#include "compress/two_levels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "common/philox.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

std::vector<float> descending_magnitudes(uint64_t count, uint64_t seed) {
  std::vector<float> values = testing::gaussian(count, seed);
  for (float& value : values) value = std::fabs(value) + 0.5f;
  std::sort(values.begin(), values.end(), std::greater<>());
  return values;
}

long double error_about_mean(std::span<const float> values) {
  if (values.empty()) return 0;
  const long double mean =
      std::accumulate(values.begin(), values.end(), 0.0L) / static_cast<long double>(values.size());
  long double error = 0;
  for (const float value : values) error += (value - mean) * (value - mean);
  return error;
}

TEST(TwoLevels, FindsTheSplitOfLeastSquaredError) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::vector<float> values = descending_magnitudes(2 + seed % 63, seed);
    size_t best = 1;
    const auto error = [&](size_t s) {
      return error_about_mean(std::span(values).first(s)) +
             error_about_mean(std::span(values).subspan(s));
    };
    for (size_t s = 2; s < values.size(); ++s) {
      if (error(s) < error(best)) best = s;
    }
    const TwoLevels levels = two_levels(values);
    EXPECT_EQ(levels.high_count, best) << seed;
    EXPECT_EQ(levels.count, values.size());
  }
}

TEST(TwoLevels, RoundsToEightAndSixBits) {
  const TwoLevels levels = two_levels(std::vector<float>{3.002f, 3.004f, 1.001f, 0.999f});
  EXPECT_EQ(levels.high_count, 2u);
  EXPECT_EQ(levels.high(), 3.0);  // 192 / 64; the next is 193 / 64.
  EXPECT_EQ(levels.ratio, 21);    // 64 / 3 = 21.33
  EXPECT_EQ(levels.low(), 3.0 * 21 / 64);
}

TEST(TwoLevels, FindsItsOwnLevelsAgain) {
  common::Philox random(3);
  for (int round = 0; round < 2000; ++round) {
    const TwoLevels made{.high_count = 1 + static_cast<uint32_t>(random.below(40)),
                         .count = 0,
                         .high_code = static_cast<uint16_t>(random.below(0x4000)),
                         .ratio = static_cast<uint8_t>(random.below(64))};
    const size_t low_count = made.ratio == 0 ? 0 : 1 + random.below(round % 2 == 0 ? 4 : 4000);
    std::vector<float> values(made.high_count, static_cast<float>(made.high()));
    values.insert(values.end(), low_count, static_cast<float>(made.low()));
    const TwoLevels found = two_levels(values);
    ASSERT_EQ(found.high_count, made.high_count);
    ASSERT_EQ(found.count, values.size());
    ASSERT_EQ(found.high_code, made.high_code);
    ASSERT_EQ(found.ratio, made.ratio);
  }
}

TEST(TwoLevels, EqualOrNearlyEqualMagnitudesAreOneLevel) {
  for (const std::vector<float>& values : {std::vector<float>{0.7f}, std::vector<float>(64, 0.7f),
                                           std::vector<float>{0.703f, 0.702f, 0.701f, 0.7f}}) {
    const TwoLevels levels = two_levels(values);
    EXPECT_EQ(levels.ratio, 0);
    EXPECT_EQ(levels.high_count, values.size());
    EXPECT_EQ(levels.count, values.size());
    EXPECT_NEAR(levels.high(), 0.7, 0.004);
  }
}

TEST(TwoLevels, DoesNotSendWhatWouldBeRoundedToZero) {
  const TwoLevels levels = two_levels(std::vector<float>{1000, 1000, 1, 1, 1});
  EXPECT_EQ(levels.high_count, 2u);
  EXPECT_EQ(levels.count, 2u);
  EXPECT_EQ(levels.ratio, 0);
  EXPECT_EQ(levels.high(), 1000.0);
}

TEST(TwoLevels, SaturatesAboveAndEndsBelow) {
  const std::vector<float> huge(3, std::numeric_limits<float>::max());
  EXPECT_EQ(two_levels(huge).high_code, magnitude_code::kLargest);
  EXPECT_EQ(two_levels(std::vector<float>{3e38f, 1e38f}).high_code, magnitude_code::kLargest);
  EXPECT_EQ(two_levels(std::vector<float>{std::ldexp(1.0f, -96)}).high_code, 0);
  EXPECT_EQ(two_levels(std::vector<float>{std::ldexp(1.0f, -98)}).count, 0u);
  EXPECT_EQ(two_levels(std::vector<float>{std::numeric_limits<float>::denorm_min()}).count, 0u);
}

TEST(TwoLevels, EveryMagnitudeIsExactInFp32) {
  for (uint32_t code = 0; code <= magnitude_code::kLargest; ++code) {
    for (uint32_t ratio = 0; ratio < 64; ++ratio) {
      const TwoLevels levels{1, 1, static_cast<uint16_t>(code), static_cast<uint8_t>(ratio)};
      ASSERT_EQ(double{static_cast<float>(levels.high())}, levels.high());
      ASSERT_EQ(double{magnitude_code::float_value(levels.high_code)}, levels.high());
      ASSERT_EQ(double{static_cast<float>(levels.low())}, levels.low());
    }
  }
}

}  // namespace
}  // namespace compress
