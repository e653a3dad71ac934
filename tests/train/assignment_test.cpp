// Goal: everybody computes the same assignment, nobody two equal samples; a receipt is one byte
// string and
//   says whether the assignment was followed.
// Method: the promises of the header one by one, small enough to see; a receipt with every byte
// changed.
#include "train/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "tests/train/small_model.h"

namespace train {
namespace {

const common::Hash kHparams = common::blake2b_256(common::view_of("hparams"));
const common::Hash kBlock = common::blake2b_256(common::view_of("block"));

std::vector<uint64_t> assigned(uint64_t sample_count, uint16_t uid = 3, uint64_t window = 5) {
  return assignment(kHparams, kBlock, {uid}, {window}, sample_count, small_inner());
}

TEST(Assignment, HasAsManyDifferentSamplesAsTheStepsNeed) {
  const auto samples = assigned(1000);
  EXPECT_EQ(samples.size(), 12u);  // 4 steps of 3.
  EXPECT_EQ(std::set<uint64_t>(samples.begin(), samples.end()).size(), 12u);
  EXPECT_LT(*std::max_element(samples.begin(), samples.end()), 1000u);
}

TEST(Assignment, IsTheSameForTheSameAndDiffersByWhateverSeedsIt) {
  EXPECT_EQ(assigned(1000), assigned(1000));
  EXPECT_NE(assigned(1000), assigned(1000, 4));
  EXPECT_NE(assigned(1000), assigned(1000, 3, 6));
  EXPECT_NE(assigned(1000), assignment(kBlock, kBlock, {3}, {5}, 1000, small_inner()));
  EXPECT_NE(assigned(1000), assignment(kHparams, kHparams, {3}, {5}, 1000, small_inner()));
}

// The seed's bytes are the protocol's: hparams hash, block hash, uid (u16), window (u64),
// little-endian.
TEST(Assignment, IsSeededAsTheProtocolSays) {
  common::ByteWriter seed;
  seed.raw(kHparams.bytes).raw(kBlock.bytes).number(uint16_t{3}).number(uint64_t{5});
  common::Philox random(common::blake2b_256(seed.bytes()));
  EXPECT_EQ(assigned(1000), common::sample_without_replacement(random, 1000, 12));
}

TEST(Assignment, TakesASmallDataSetInWholeRounds) {
  const auto samples = assigned(5);
  ASSERT_EQ(samples.size(), 12u);
  for (const size_t round : {0, 5}) {
    EXPECT_EQ(std::set<uint64_t>(samples.begin() + static_cast<ptrdiff_t>(round),
                                 samples.begin() + static_cast<ptrdiff_t>(round + 5)),
              (std::set<uint64_t>{0, 1, 2, 3, 4}));
  }
  EXPECT_NE(samples[10], samples[11]);
  EXPECT_EQ(assigned(1), std::vector<uint64_t>(12, 0));
}

Receipt receipt_of(const std::vector<uint64_t>& samples, uint32_t steps) {
  Receipt receipt;
  for (uint32_t i = 0; i < steps; ++i) {
    const auto first = samples.begin() + 3 * static_cast<ptrdiff_t>(i);
    receipt.steps.push_back({i, {first, first + 3}, 4.5F - static_cast<float>(i)});
  }
  return receipt;
}

TEST(Receipt, ReadsBackWhatWasWritten) {
  for (const uint32_t steps : {0U, 1U, 4U}) {
    const Receipt receipt = receipt_of(assigned(1000), steps);
    EXPECT_EQ(Receipt::parse(receipt.serialise(), 4, 3), receipt);
  }
}

TEST(Receipt, RefusesWhatIsNotExactlyOne) {
  const auto good = receipt_of(assigned(1000), 2).serialise();
  EXPECT_FALSE(Receipt::parse({}, 4, 3));
  EXPECT_FALSE(Receipt::parse(good, 1, 3));  // More steps than there may be.
  EXPECT_FALSE(Receipt::parse(good, 4, 2));
  EXPECT_FALSE(Receipt::parse(good, 4, 4));
  EXPECT_FALSE(Receipt::parse(common::ByteView(good).first(good.size() - 1), 4, 3));
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(Receipt::parse(longer, 4, 3));
  common::ByteWriter huge;
  huge.number(uint32_t{1}).number(std::numeric_limits<uint32_t>::max());
  EXPECT_FALSE(Receipt::parse(huge.bytes(), std::numeric_limits<uint32_t>::max(), 1U << 31));
}

TEST(Receipt, RefusesLossesThatAreNone) {
  for (const float loss : {-1.0F, -0.0F, std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity()}) {
    Receipt receipt = receipt_of(assigned(1000), 2);
    receipt.steps[1].loss = loss;
    EXPECT_FALSE(Receipt::parse(receipt.serialise(), 4, 3)) << loss;
  }
}

// One value, one byte string: whatever still parses after a change of a byte writes that change
// again.
TEST(Receipt, IsCanonical) {
  const auto good = receipt_of(assigned(1000), 2).serialise();
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80}) {
      auto bad = good;
      bad[i] = static_cast<uint8_t>(bad[i] ^ flip);
      const auto parsed = Receipt::parse(bad, 4, 3);
      if (parsed) {
        EXPECT_EQ(parsed->serialise(), bad) << i;
      }
    }
  }
}

TEST(Receipt, RootCommitsToEveryField) {
  const Receipt receipt = receipt_of(assigned(1000), 3);
  Receipt other = receipt;
  other.steps[1].loss += 0.5F;
  EXPECT_NE(receipt.root(), other.root());
  other = receipt;
  std::swap(other.steps[2].samples[0], other.steps[2].samples[1]);
  EXPECT_NE(receipt.root(), other.root());
  other = receipt;
  other.steps.pop_back();
  EXPECT_NE(receipt.root(), other.root());
  EXPECT_EQ(receipt.root(), receipt_of(assigned(1000), 3).root());
}

TEST(Receipt, FollowsTheAssignmentOnlyInOrderAndFromItsStart) {
  const auto samples = assigned(1000);
  EXPECT_TRUE(receipt_of(samples, 4).follows(samples, 3));
  EXPECT_TRUE(receipt_of(samples, 2).follows(samples, 3));  // Stopped early.
  Receipt receipt = receipt_of(samples, 2);
  std::swap(receipt.steps[0].samples[0], receipt.steps[0].samples[1]);
  EXPECT_FALSE(receipt.follows(samples, 3));
  receipt = receipt_of(samples, 2);
  receipt.steps.erase(receipt.steps.begin());
  EXPECT_FALSE(receipt.follows(samples, 3));
  receipt = receipt_of(samples, 4);
  receipt.steps.push_back({4, {1, 2, 3}, 1.0F});  // More than was assigned.
  EXPECT_FALSE(receipt.follows(samples, 3));
}

}  // namespace
}  // namespace train
