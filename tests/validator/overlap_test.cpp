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
compress::Update update_of(uint64_t seed, size_t kept, size_t shared) {
  constexpr uint64_t kPopulation = 40000;
  compress::Update update;
  for (uint64_t tensor = 0; tensor < 2; ++tensor) {
    common::Philox random(common::Hasher().number(seed).number(tensor).finish());
    std::set<uint32_t> indices;
    while (indices.size() < shared) {
      indices.insert(static_cast<uint32_t>(random.below(2 * shared)));
    }
    while (indices.size() < kept) indices.insert(static_cast<uint32_t>(random.below(kPopulation)));
    compress::SparseTensor sparse;
    sparse.index.assign(indices.begin(), indices.end());
    sparse.value.assign(kept, 1.0F);
    update.tensors.push_back(std::move(sparse));
  }
  return update;
}

// What fraction `part` of a's indices replaced by b's looks like: a copier that covers its traces.
compress::Update blend(const compress::Update& a, const compress::Update& b, double part) {
  compress::Update out = a;
  for (size_t t = 0; t < a.tensors.size(); ++t) {
    std::set<uint32_t> indices;
    const auto& left = a.tensors[t].index;
    const auto& right = b.tensors[t].index;
    for (size_t i = 0; i < left.size(); ++i) {
      const bool replace = static_cast<double>(i % 100) < part * 100;
      indices.insert(replace ? right[i] : left[i]);
    }
    out.tensors[t].index.assign(indices.begin(), indices.end());
    out.tensors[t].value.assign(indices.size(), 1.0F);
  }
  return out;
}

struct Crowd {
  explicit Crowd(uint64_t seed, size_t count, size_t shared = 360) {
    for (size_t i = 0; i < count; ++i) updates.push_back(update_of(seed * 1000 + i, 1000, shared));
  }
  std::vector<Fingerprint> prints(Window window) const {
    std::vector<Fingerprint> list;
    for (size_t i = 0; i < updates.size(); ++i) {
      list.push_back({{static_cast<uint16_t>(i)}, window, &updates[i]});
    }
    return list;
  }
  std::vector<compress::Update> updates;
};

TEST(CommonIndices, AreWhatAnIntersectionHolds) {
  const compress::Update a = update_of(1, 500, 100);
  const compress::Update b = update_of(2, 700, 100);
  uint64_t slow = 0;
  for (size_t t = 0; t < 2; ++t) {
    std::vector<uint32_t> both;
    std::ranges::set_intersection(a.tensors[t].index, b.tensors[t].index, std::back_inserter(both));
    slow += both.size();
  }
  EXPECT_GT(slow, 0u);
  EXPECT_EQ(common_indices(a, b), slow);
  EXPECT_EQ(common_indices(b, a), slow);
  EXPECT_EQ(common_indices(a, a), a.value_count());
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
  now.updates[3] = now.updates[1];
  const auto found = resemblances(now.prints({1}), {});
  EXPECT_GT(found[3].z, 20);
  EXPECT_EQ(found[3].overlap, 1);
  EXPECT_EQ(found[3].with, Uid{1});
  for (const size_t innocent : {0, 1, 2, 4}) EXPECT_LT(found[innocent].z, 3) << innocent;
}

TEST(Resemblances, WhoCopiesLastWindowIsToBlameWhateverItsUid) {
  Crowd now(4, 5);
  const Crowd past(5, 5);
  now.updates[0] = past.updates[4];
  const auto found = resemblances(now.prints({2}), past.prints({1}));
  EXPECT_GT(found[0].z, 20);
  EXPECT_EQ(found[0].with, Uid{4});
  EXPECT_LT(found[4].z, 3);
}

TEST(Resemblances, SendingTheSameTwiceIsACopyToo) {
  Crowd now(6, 5);
  const Crowd past(7, 5);
  now.updates[2] = past.updates[2];
  const auto found = resemblances(now.prints({2}), past.prints({1}));
  EXPECT_GT(found[2].z, 20);
  EXPECT_EQ(found[2].with, Uid{2});
}

TEST(Resemblances, ACopyWithHalfItsIndicesChangedStillStandsOut) {
  Crowd now(8, 6);
  now.updates[5] = blend(now.updates[1], update_of(99, 1000, 360), 0.5);
  EXPECT_GT(resemblances(now.prints({1}), {})[5].z, 6);
}

TEST(Resemblances, WithFewerThanThreePairsNothingIsKnown) {
  Crowd two(9, 2);
  two.updates[1] = two.updates[0];
  const auto found = resemblances(two.prints({1}), {});
  EXPECT_EQ(found[1].z, 0);
  EXPECT_EQ(found[1].overlap, 1);
  EXPECT_EQ(resemblances({}, {}).size(), 0u);
}

TEST(Resemblances, AnEmptyUpdateResemblesNobody) {
  Crowd now(10, 4);
  for (auto& tensor : now.updates[2].tensors) tensor = {};
  EXPECT_EQ(resemblances(now.prints({1}), {})[2].overlap, 0);
}

}  // namespace
}  // namespace validator
