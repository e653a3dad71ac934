// Goal: the payout is what the hparams say, fair in order, and whole.
// Method: worked examples, then promises on random scores and parameters (rapidcheck).
#include "validator/weights.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/validator/support.h"

namespace validator {
namespace {

common::WeightParams params() {
  return {.windows_per_weights = 1,
          .gather_count = 3,
          .gather_share = 0.75,
          .top_ratio = 2,
          .reserve_count = 4,
          .reserve_decay = 0.5,
          .exploration_share = 0.05,
          .burn_share = 0.1,
          .burn_uid = {999}};
}

std::vector<Score> scores(size_t count, bool accepted = true) {
  std::vector<Score> list;
  for (size_t i = 0; i < count; ++i) {
    list.push_back({{static_cast<uint16_t>(i)}, 100.0 - static_cast<double>(i), accepted});
  }
  return list;
}

double share_of(const std::vector<Share>& shares, uint16_t uid) {
  for (const Share& share : shares) {
    if (share.uid.index == uid) return share.share;
  }
  return 0;
}

double sum(const std::vector<Share>& shares, uint16_t first, uint16_t end) {
  double total = 0;
  for (uint16_t uid = first; uid < end; ++uid) total += share_of(shares, uid);
  return total;
}

TEST(Weights, FullTiersShareAsTheHparamsSay) {
  common::WeightParams p = params();
  p.gather_count = 5;
  const auto shares = weights(scores(20), p);
  // Of 0.9: gathered 0.75 (2, 1.75, 1.5, 1.25, 1 of 7.5), exploration 0.05 among 15, reserve the
  // rest.
  EXPECT_NEAR(share_of(shares, 0), 0.9 * 0.75 * 2 / 7.5, 1e-12);
  EXPECT_NEAR(share_of(shares, 4), 0.9 * 0.75 * 1 / 7.5, 1e-12);
  EXPECT_NEAR(sum(shares, 0, 5), 0.9 * 0.75, 1e-12);
  EXPECT_NEAR(share_of(shares, 19), 0.9 * 0.05 / 15, 1e-12);
  EXPECT_NEAR(sum(shares, 5, 9), 0.9 * (0.2 + 0.05 * 4 / 15), 1e-12);
  EXPECT_EQ(share_of(shares, 999), 0.1);
}

TEST(Weights, TheReserveDecaysAsAskedWhereThereIsRoom) {
  common::WeightParams p = params();
  p.gather_share = 0.9;
  p.exploration_share = 0.02;
  const auto shares = weights(scores(20), p);
  const double each = 0.9 * 0.02 / 17;
  EXPECT_NEAR(share_of(shares, 4) - each, 0.5 * (share_of(shares, 3) - each), 1e-12);
  EXPECT_NEAR(share_of(shares, 5) - each, 0.5 * (share_of(shares, 4) - each), 1e-12);
}

TEST(Weights, TheNominalSplitIsTheRealSplitWithTheShippedHparams) {
  // The reference's cap turned 75/25 into 96.8/3.2 (W18).
  common::WeightParams p = tiny_hparams().weights;
  const auto shares = weights(scores(60), p);
  EXPECT_NEAR(sum(shares, 0, 15), 0.75, 1e-12);
  EXPECT_NEAR(sum(shares, 15, 60), 0.25, 1e-12);
  EXPECT_NEAR(sum(shares, 25, 60), 0.05 * 35 / 45, 1e-12);
}

TEST(Weights, WhoWorksGetsSomethingWhateverItsRank) {
  auto list = scores(60);
  list[59].value = 0;         // Never judged, but accepted.
  list[58].accepted = false;  // Ranked beyond all, and did not deliver.
  const auto shares = weights(list, tiny_hparams().weights);
  EXPECT_GT(share_of(shares, 59), 0);
  EXPECT_EQ(share_of(shares, 59), share_of(shares, 57));
  EXPECT_EQ(share_of(shares, 58), 0);
}

TEST(Weights, FewPeersTakeWhatNobodyElseCan) {
  const auto one = weights(scores(1), params());
  EXPECT_NEAR(share_of(one, 0), 0.9, 1e-12);
  const auto two = weights(scores(2), params());
  EXPECT_NEAR(share_of(two, 0), 0.6, 1e-12);
  EXPECT_NEAR(share_of(two, 1), 0.3, 1e-12);
}

TEST(Weights, ALoneReserveNeverEarnsMoreThanTheLastGathered) {
  const auto shares = weights(scores(4), params());
  EXPECT_NEAR(share_of(shares, 3), share_of(shares, 2), 1e-12);
  EXPECT_NEAR(share_of(shares, 0), 2 * share_of(shares, 2), 1e-12);
}

TEST(Weights, WithNobodyEverythingIsBurned) {
  const std::vector<Share> all_burned = {{{999}, 1}};
  EXPECT_EQ(weights({}, params()), all_burned);
  const std::vector<Score> bad = {{{1}, 0, false}, {{2}, 0, false}};
  EXPECT_EQ(weights(bad, params()), (std::vector<Share>{{{1}, 0}, {{2}, 0}, {{999}, 1}}));
}

TEST(Weights, TheBurnUidEarnsNothingElse) {
  common::WeightParams p = params();
  p.burn_uid = {1};
  const auto shares = weights(scores(3), p);
  EXPECT_EQ(share_of(shares, 1), 0.1);
  EXPECT_NEAR(share_of(shares, 0), 0.6, 1e-12);
  p.burn_share = 0;  // Nothing is burned: an ordinary uid.
  EXPECT_GT(share_of(weights(scores(3), p), 1), 0.1);
}

TEST(WeightsDeathTest, TwoScoresOfOneUidAreABug) {
  EXPECT_DEATH(weights(std::vector<Score>{{{1}, 1, true}, {{1}, 2, true}}, params()),
               "CHECK failed");
}

common::WeightParams any_params() {
  common::WeightParams p = params();
  p.gather_count = *rc::gen::inRange(1u, 8u);
  p.reserve_count = *rc::gen::inRange(0u, 8u);
  p.gather_share = *rc::gen::inRange(0, 101) / 100.0;
  p.exploration_share = *rc::gen::inRange(0, 101) / 100.0 * (1 - p.gather_share);
  p.top_ratio = 1 + *rc::gen::inRange(0, 50) / 10.0;
  p.reserve_decay = *rc::gen::inRange(0, 101) / 100.0;
  p.burn_share = *rc::gen::element(0.0, 0.1, 0.5, 1.0);
  p.burn_uid = {*rc::gen::inRange<uint16_t>(0, 40)};
  return p;
}

std::vector<Score> any_scores() {
  const auto count = *rc::gen::inRange<uint16_t>(0, 30);
  std::vector<Score> list;
  for (uint16_t uid = 0; uid < count; ++uid) {
    list.push_back({{uid}, *rc::gen::inRange(0, 12) / 4.0, *rc::gen::inRange(0, 4) != 0});
  }
  return list;
}

RC_GTEST_PROP(WeightsProperty, TheySumToOneAndNoneIsNegative, ()) {
  const auto shares = weights(any_scores(), any_params());
  double total = 0;
  for (const Share& share : shares) {
    RC_ASSERT(share.share >= 0);
    total += share.share;
  }
  RC_ASSERT(std::abs(total - 1) < 1e-12);
}

RC_GTEST_PROP(WeightsProperty, TheBurnIsExact, ()) {
  auto p = any_params();
  const auto list = any_scores();
  RC_PRE(p.burn_share > 0);
  const bool somebody = std::any_of(list.begin(), list.end(), [&](const Score& score) {
    return score.value > 0 && score.uid != p.burn_uid;
  });
  const double burned = share_of(weights(list, p), p.burn_uid.index);
  const bool exact = somebody ? burned == p.burn_share : burned >= p.burn_share;
  RC_ASSERT(exact);
}

RC_GTEST_PROP(WeightsProperty, TheOrderOfScoresDoesNotMatter, ()) {
  const auto p = any_params();
  auto list = any_scores();
  const auto shares = weights(list, p);
  std::reverse(list.begin(), list.end());
  RC_ASSERT(weights(list, p) == shares);
  std::rotate(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 3),
              list.end());
  RC_ASSERT(weights(list, p) == shares);
}

RC_GTEST_PROP(WeightsProperty, AHigherScoreNeverEarnsLess, ()) {
  const auto p = any_params();
  const auto list = any_scores();
  const auto shares = weights(list, p);
  for (const Score& a : list) {
    for (const Score& b : list) {
      if (a.value <= b.value || !a.accepted || !b.accepted) continue;
      if (a.uid == p.burn_uid || b.uid == p.burn_uid) continue;
      RC_ASSERT(share_of(shares, a.uid.index) >= share_of(shares, b.uid.index) - 1e-15);
    }
  }
}

RC_GTEST_PROP(WeightsProperty, FullTiersGetTheirNominalShares, ()) {
  auto p = any_params();
  p.gather_count = 5;
  p.reserve_count = 10;
  p.top_ratio = 2;
  p.gather_share = 0.6;
  p.exploration_share = 0.1;
  p.burn_uid = {999};
  const auto shares = weights(scores(40), p);
  const double rest = 1 - p.burn_share;
  RC_ASSERT(std::abs(sum(shares, 0, 5) - 0.6 * rest) < 1e-12);
  RC_ASSERT(std::abs(sum(shares, 15, 40) - 0.1 * rest * 25 / 35) < 1e-12);
}

TEST(ChainWeights, TheLargestIs65535AndTheRestInProportion) {
  const std::vector<Share> shares = {{{1}, 0.5}, {{2}, 0.25}, {{3}, 0.0}, {{4}, 0.25 / 65535}};
  // 0.25 / 0.5 * 65535 = 32767.5 rounds up; the last is 0.5 and rounds up too.
  EXPECT_EQ(to_chain_weights(shares),
            (std::vector<chain::Weight>{{{1}, 65535}, {{2}, 32768}, {{4}, 1}}));
}

TEST(ChainWeights, ZerosAreLeftOut) {
  EXPECT_TRUE(to_chain_weights({}).empty());
  EXPECT_TRUE(to_chain_weights(std::vector<Share>{{{1}, 0}}).empty());
  const std::vector<Share> tiny = {{{1}, 1}, {{2}, 1e-9}};
  EXPECT_EQ(to_chain_weights(tiny).size(), 1u);
}

}  // namespace
}  // namespace validator
