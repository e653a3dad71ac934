// Goal: top_k keeps exactly the k largest magnitudes of a tile, the same on every node.
// Method: against a full sort (slow and obvious) on seeded data, then the edges one by one.
#include "compress/topk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/philox.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using Offsets = std::vector<uint16_t>;

Offsets select(const std::vector<float>& values, size_t keep) {
  Offsets offsets(keep);
  top_k(values, offsets);
  return offsets;
}

Offsets select_by_sorting(const std::vector<float>& values, size_t keep) {
  Offsets offsets(values.size());
  std::iota(offsets.begin(), offsets.end(), uint16_t{0});
  std::stable_sort(offsets.begin(), offsets.end(), [&](uint16_t a, uint16_t b) {
    return std::fabs(values[a]) > std::fabs(values[b]);
  });
  offsets.resize(keep);
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

TEST(TopK, KeepsWhatAFullSortKeeps) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const std::vector<float> values = testing::gaussian(4096, seed);
    for (const size_t keep : {1, 2, 64, 1000, 4096}) {
      EXPECT_EQ(select(values, keep), select_by_sorting(values, keep)) << seed << " " << keep;
    }
  }
}

TEST(TopK, KeepsWhatAFullSortKeepsAmongManyEqualMagnitudes) {
  common::Philox random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> values(1 + random.below(300));
    for (float& value : values) value = static_cast<float>(random.below(7)) - 3.0f;
    const size_t keep = 1 + random.below(values.size());
    EXPECT_EQ(select(values, keep), select_by_sorting(values, keep)) << round;
  }
}

TEST(TopK, EqualMagnitudesKeepTheLowerOffset) {
  EXPECT_EQ(select({1, -1, 1, -1}, 2), (Offsets{0, 1}));
  EXPECT_EQ(select({0, 0, 0, 0}, 3), (Offsets{0, 1, 2}));
  EXPECT_EQ(select({0.0f, -0.0f, 2}, 2), (Offsets{0, 2}));
}

TEST(TopK, OrdersMagnitudesThatDifferInTheLastBit) {
  const float one_and_a_bit = std::nextafter(1.0f, 2.0f);
  EXPECT_EQ(select({1, 1, -one_and_a_bit}, 1), (Offsets{2}));
}

TEST(TopK, KnowsTheSmallestAndTheLargestNumbers) {
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  constexpr float kHuge = std::numeric_limits<float>::max();
  EXPECT_EQ(select({0, kTiny, -kHuge, 1}, 3), (Offsets{1, 2, 3}));
  EXPECT_EQ(select({5}, 1), (Offsets{0}));
}

TEST(TopKDeathTest, NanAndInfinityAreBugs) {
  EXPECT_DEATH(select({0, NAN}, 1), "NaN or infinity");
  EXPECT_DEATH(select({0, -INFINITY}, 1), "NaN or infinity");
}

TEST(TopKDeathTest, KeepingNothingOrMoreThanThereIsIsABug) {
  EXPECT_DEATH(select({1, 2}, 0), "CHECK failed");
  EXPECT_DEATH(select({1, 2}, 3), "CHECK failed");
}

}  // namespace
}  // namespace compress
