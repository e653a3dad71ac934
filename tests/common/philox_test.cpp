// Goal: every machine draws the same numbers, without bias.
// Method: Random123's known answers; counts of small ranges; a plain Fisher-Yates shuffle as the
// oracle.
#include "common/philox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace common {
namespace {

using Words = std::array<uint32_t, 4>;

// Random123 1.14, tests/kat_vectors, "philox4x32 10".
TEST(Philox, GivesRandom123sKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, AStreamCountsUpFromZeroUnderItsSeed) {
  Philox random(uint64_t{0x299f31d0a4093822});
  for (uint32_t block = 0; block < 3; ++block) {
    for (const uint32_t word : philox4x32({block, 0, 0, 0}, {0xa4093822, 0x299f31d0})) {
      EXPECT_EQ(random.next32(), word);
    }
  }
}

TEST(Philox, StreamsOfDifferentHashesDiffer) {
  Philox a(blake2b_256(view_of("a")));
  Philox again(blake2b_256(view_of("a")));
  Philox b(blake2b_256(view_of("b")));
  const uint64_t first = a.next64();
  EXPECT_EQ(first, again.next64());
  EXPECT_NE(first, b.next64());
}

TEST(Philox, BelowIsUniformAndInRange) {
  Philox random(uint64_t{7});
  for (const uint64_t bound : {uint64_t{1}, uint64_t{3}, uint64_t{10}}) {
    std::vector<int> counts(bound);
    constexpr int kDraws = 30'000;
    for (int i = 0; i < kDraws; ++i) {
      const uint64_t value = random.below(bound);
      ASSERT_LT(value, bound);
      ++counts[value];
    }
    const double expected = kDraws / static_cast<double>(bound);
    for (const int count : counts) {
      EXPECT_NEAR(count, expected, 5 * std::sqrt(expected)) << "bound " << bound;
    }
  }
}

TEST(Philox, BelowHasNoModuloBiasForHugeBounds) {
  // Under 3/4 of 2^64, a bare modulo would land in the first third twice as often as elsewhere.
  Philox random(uint64_t{8});
  const uint64_t bound = uint64_t{3} << 62;
  int low = 0;
  for (int i = 0; i < 3000; ++i) low += random.below(bound) < bound / 3 ? 1 : 0;
  EXPECT_NEAR(low, 1000, 130);  // Five deviations; with the bias it would be 1,500.
}

TEST(PhiloxDeathTest, NothingIsBelowZero) {
  EXPECT_DEATH(Philox(uint64_t{1}).below(0), "CHECK failed");
}

TEST(Philox, UnitAndNormalHaveTheirMoments) {
  Philox random(uint64_t{9});
  double sum_unit = 0;
  double sum = 0;
  double sum_squares = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const double unit = random.unit();
    ASSERT_GE(unit, 0);
    ASSERT_LT(unit, 1);
    sum_unit += unit;
    const double normal = random.normal();
    sum += normal;
    sum_squares += normal * normal;
  }
  EXPECT_NEAR(sum_unit / kDraws, 0.5, 0.011);
  EXPECT_NEAR(sum / kDraws, 0, 0.036);
  EXPECT_NEAR(sum_squares / kDraws, 1, 0.05);
}

// The slow and obvious way: the whole array, and the first steps of the shuffle.
std::vector<uint64_t> plain_sample(Philox& random, uint64_t population, uint64_t count) {
  std::vector<uint64_t> all(population);
  std::iota(all.begin(), all.end(), uint64_t{0});
  for (uint64_t i = 0; i < count; ++i) std::swap(all[i], all[i + random.below(population - i)]);
  all.resize(count);
  return all;
}

TEST(SampleWithoutReplacement, DrawsWhatAPlainShuffleDraws) {
  for (uint64_t population = 0; population < 40; ++population) {
    for (uint64_t count = 0; count <= population; ++count) {
      Philox random(population * 100 + count);
      Philox oracle(population * 100 + count);
      const auto drawn = sample_without_replacement(random, population, count);
      ASSERT_EQ(drawn, plain_sample(oracle, population, count));
      ASSERT_EQ(std::set<uint64_t>(drawn.begin(), drawn.end()).size(), count);
    }
  }
}

TEST(SampleWithoutReplacement, CostsNothingPerUndrawnMember) {
  Philox random(uint64_t{10});
  const auto drawn = sample_without_replacement(random, uint64_t{1} << 62, 100);
  EXPECT_EQ(std::set<uint64_t>(drawn.begin(), drawn.end()).size(), 100u);
}

TEST(SampleWithoutReplacementDeathTest, MoreThanThereAreIsABug) {
  Philox random(uint64_t{11});
  EXPECT_DEATH(sample_without_replacement(random, 3, 4), "CHECK failed");
}

}  // namespace
}  // namespace common
