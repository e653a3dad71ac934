// Goal: copies stand out, honest contributions do not, and the blame falls on who came later.
// Method: random index sets with a shared part, against a slow intersection; then the cases one by
// one.
#include "validator/overlap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "common/philox.h"

namespace validator {
namespace {

// `shared` of `kept` indices are drawn from a common crowd of favourites, as honest gradients do.
IndexSet set_of(uint64_t seed, size_t kept, size_t shared) {
  constexpr uint64_t kPopulation = 80000;
  common::Philox random(common::Hasher().number(seed).finish());
  std::set<uint32_t> indices;
  while (indices.size() < shared) indices.insert(static_cast<uint32_t>(random.below(2 * shared)));
  while (indices.size() < kept) indices.insert(static_cast<uint32_t>(random.below(kPopulation)));
  return {indices.begin(), indices.end()};
}

// What fraction `part` of a's indices replaced by b's looks like: a copier that covers its traces.
IndexSet blend(const IndexSet& a, const IndexSet& b, double part) {
  std::set<uint32_t> indices;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool replace = static_cast<double>(i % 100) < part * 100;
    indices.insert(replace ? b[i] : a[i]);
  }
  return {indices.begin(), indices.end()};
}

struct Crowd {
  explicit Crowd(uint64_t seed, size_t count, size_t shared = 360) {
    for (size_t i = 0; i < count; ++i) sets.push_back(set_of(seed * 1000 + i, 2000, 2 * shared));
  }
  std::vector<Fingerprint> prints(Window window) const {
    std::vector<Fingerprint> list;
    for (size_t i = 0; i < sets.size(); ++i) {
      list.push_back({{static_cast<uint16_t>(i)}, window, &sets[i]});
    }
    return list;
  }
  std::vector<IndexSet> sets;
};

TEST(CommonIndices, AreWhatAnIntersectionHolds) {
  const IndexSet a = set_of(1, 1000, 200);
  const IndexSet b = set_of(2, 1400, 200);
  std::vector<uint32_t> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  EXPECT_GT(both.size(), 0u);
  EXPECT_EQ(common_indices(a, b), both.size());
  EXPECT_EQ(common_indices(b, a), both.size());
  EXPECT_EQ(common_indices(a, a), a.size());
}

TEST(Resemblances, HonestContributionsAreUsualHoweverMuchTheyShare) {
  for (const size_t shared : {0u, 30u, 360u}) {
    const Crowd now(1, 8, shared);
    const Crowd past(2, 8, shared);
    for (const Resemblance& found : resemblances(now.prints({2}), past.prints({1}))) {
      EXPECT_LT(found.z, 3) << "uid " << found.uid.index << ", shared " << shared;
    }
  }
}

TEST(Resemblances, OfTwinsTheHigherUidIsToBlame) {
  Crowd now(3, 5);
  now.sets[3] = now.sets[1];
  const auto found = resemblances(now.prints({1}), {});
  EXPECT_GT(found[3].z, 20);
  EXPECT_EQ(found[3].overlap, 1);
  EXPECT_EQ(found[3].with, Uid{1});
  for (const size_t innocent : {0, 1, 2, 4}) EXPECT_LT(found[innocent].z, 3) << innocent;
}

TEST(Resemblances, WhoCopiesLastWindowIsToBlameWhateverItsUid) {
  Crowd now(4, 5);
  const Crowd past(5, 5);
  now.sets[0] = past.sets[4];
  const auto found = resemblances(now.prints({2}), past.prints({1}));
  EXPECT_GT(found[0].z, 20);
  EXPECT_EQ(found[0].with, Uid{4});
  EXPECT_LT(found[4].z, 3);
}

TEST(Resemblances, SendingTheSameTwiceIsACopyToo) {
  Crowd now(6, 5);
  const Crowd past(7, 5);
  now.sets[2] = past.sets[2];
  const auto found = resemblances(now.prints({2}), past.prints({1}));
  EXPECT_GT(found[2].z, 20);
  EXPECT_EQ(found[2].with, Uid{2});
}

TEST(Resemblances, ACopyWithHalfItsIndicesChangedStillStandsOut) {
  Crowd now(8, 6);
  now.sets[5] = blend(now.sets[1], set_of(99, 2000, 720), 0.5);
  EXPECT_GT(resemblances(now.prints({1}), {})[5].z, 6);
}

TEST(Resemblances, WithFewerThanThreePairsNothingIsKnown) {
  Crowd two(9, 2);
  two.sets[1] = two.sets[0];
  const auto found = resemblances(two.prints({1}), {});
  EXPECT_EQ(found[1].z, 0);
  EXPECT_EQ(found[1].overlap, 1);
  EXPECT_EQ(resemblances({}, {}).size(), 0u);
}

TEST(Resemblances, AnEmptyUpdateResemblesNobody) {
  Crowd now(10, 4);
  now.sets[2].clear();
  EXPECT_EQ(resemblances(now.prints({1}), {})[2].overlap, 0);
}

}  // namespace
}  // namespace validator
