// Goal: who waited longest is judged, and nobody can foresee or choose the ties.
// Method: small boards by hand.
#include "validator/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/validator/support.h"

namespace validator {
namespace {

common::EvaluationParams at_most(uint32_t count) {
  auto params = tiny_hparams().evaluation;
  params.contributions_max = count;
  return params;
}

Standing waited(uint16_t uid, uint64_t windows) {
  return {.uid = {uid}, .judged_count = 1, .waited = windows};
}

std::vector<Uid> uids(uint16_t first, uint16_t end) {
  std::vector<Uid> list;
  for (uint16_t uid = first; uid < end; ++uid) list.push_back({uid});
  return list;
}

TEST(Select, EverybodyIfThereIsRoom) {
  EXPECT_EQ(select({}, uids(3, 7), digest(1), at_most(8)), uids(3, 7));
  EXPECT_TRUE(select({}, {}, digest(1), at_most(8)).empty());
}

TEST(Select, WhoWaitedLongestGoesFirstAndNewcomersBeforeAll) {
  Scoreboard board{{5}, {waited(0, 3), waited(1, 9), waited(2, 5), waited(3, 1)}};
  board.standings.push_back({.uid = {4}, .judged_count = 0, .waited = 1});  // Never judged.
  EXPECT_EQ(select(board, uids(0, 6), digest(1), at_most(2)), uids(4, 6));
  EXPECT_EQ(select(board, uids(0, 6), digest(1), at_most(3)), (std::vector<Uid>{{1}, {4}, {5}}));
  EXPECT_EQ(select(board, uids(0, 6), digest(1), at_most(4)),
            (std::vector<Uid>{{1}, {2}, {4}, {5}}));
}

TEST(Select, TheOrderOfTheAcceptedDoesNotMatter) {
  std::vector<Uid> turned = uids(0, 20);
  std::reverse(turned.begin(), turned.end());
  EXPECT_EQ(select({}, turned, digest(4), at_most(7)),
            select({}, uids(0, 20), digest(4), at_most(7)));
}

TEST(Select, TiesAreDrawnByTheBlock) {
  std::set<uint16_t> seen;
  for (uint64_t block = 0; block < 100; ++block) {
    const auto chosen = select({}, uids(0, 10), digest(block), at_most(3));
    EXPECT_EQ(chosen.size(), 3u);
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    for (const Uid uid : chosen) seen.insert(uid.index);
  }
  EXPECT_EQ(seen.size(), 10u);
}

}  // namespace
}  // namespace validator
