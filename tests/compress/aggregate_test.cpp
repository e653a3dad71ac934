// Goal: the aggregate is what the formula says, bit for bit, and nobody can tilt it by size, order
// or silence. Method: a dense oracle that follows the formula; the worked example of the reference
// system; properties.
#include "compress/aggregate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/sparseloco.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::gaussian;
using testing::layout_of;
using testing::outer_params;
using testing::sparse;

std::vector<Contributor> contributors_of(const std::vector<Update>& updates) {
  std::vector<Contributor> made;
  for (const Update& update : updates) {
    made.push_back({.uid = {static_cast<uint16_t>(made.size())}, .weight = 1, .update = &update});
  }
  return made;
}

std::vector<float> aggregate_of(const std::vector<Update>& updates, const Layout& layout,
                                const common::OuterParams& params) {
  return aggregate(contributors_of(updates), layout, params);
}

// Seeded updates of every tensor, encoded and decoded as they would be.
std::vector<Update> coded_updates(const Layout& layout, size_t count) {
  const SparseLoco codec;
  std::vector<Update> updates;
  for (size_t p = 0; p < count; ++p) {
    std::vector<float> values = gaussian(layout.parameter_count(), 100 + p);
    for (float& value : values) value *= static_cast<float>(1 + p % 4);
    updates.push_back(*codec.decode(codec.encode(values, layout), layout));
  }
  return updates;
}

// The formula, on dense arrays, a coordinate at a time. Contributors ascend by uid.
std::vector<float> slow_aggregate(const std::vector<Contributor>& contributors,
                                  const Layout& layout, const common::OuterParams& params) {
  const size_t R = contributors.size();
  std::vector<float> G(layout.parameter_count());
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    std::vector<double> norms;
    for (const Contributor& c : contributors) norms.push_back(c.update->tensors[t].norm);
    std::vector<double> sorted = norms;
    std::sort(sorted.begin(), sorted.end());
    const double mean = std::accumulate(norms.begin(), norms.end(), 0.0) / static_cast<double>(R);
    const double m = std::max(sorted[(R - 1) / 2], params.norm_floor * mean);
    for (uint32_t j = 0; j < layout.tensors()[t].size(); ++j) {
      float sum = 0;
      size_t senders = 0;
      for (size_t p = 0; p < R; ++p) {
        const SparseTensor& sent = contributors[p].update->tensors[t];
        const auto at = std::find(sent.index.begin(), sent.index.end(), j);
        if (at == sent.index.end()) continue;
        const float value = sent.value[static_cast<size_t>(at - sent.index.begin())];
        const auto s = static_cast<float>(std::min(1.0, m / norms[p]) * contributors[p].weight);
        const float product = s * value;
        sum = sum + product;
        ++senders;
      }
      const size_t divisor = params.divide == "senders" ? std::max<size_t>(1, senders) : R;
      G[layout.tensors()[t].offset + j] =
          sum * static_cast<float>(1.0 / static_cast<double>(divisor));
    }
  }
  return G;
}

TEST(Aggregate, IsTheFormulaBitForBit) {
  const Layout layout = layout_of({{40, 50}, {1, 100}, {9, 3}}, 64, 20);
  for (const char* divide : {"contributors", "senders"}) {
    for (const size_t count : {1, 2, 3, 7}) {
      const std::vector<Update> updates = coded_updates(layout, count);
      std::vector<Contributor> contributors = contributors_of(updates);
      contributors[0].weight = 0.75;
      EXPECT_EQ(aggregate(contributors, layout, outer_params(divide, 0.5)),
                slow_aggregate(contributors, layout, outer_params(divide, 0.5)))
          << divide << " " << count;
    }
  }
}

TEST(Aggregate, GivesTheWorkedExampleOfTheReferenceSystem) {
  // Three peers, eight values. Norms 2.828427, 6.324555, 1.414214; median 2.828427; factors 1,
  // 0.447214, 1. Numbers from the reference system's own code: sent coordinates are divided by
  // their senders.
  const Layout layout = layout_of({{1, 8}}, 64, 16);
  const std::vector<Update> updates{sparse(std::vector<float>{2, 0, 0, -2, 0, 0, 0, 0}),
                                    sparse(std::vector<float>{6, 0, 0, 0, 0, 2, 0, 0}),
                                    sparse(std::vector<float>{0, 0, 0, 1, 0, 0, 0, 1})};
  const std::vector<float> G = aggregate_of(updates, layout, outer_params("senders"));
  const std::vector<float> wanted{2.341641f, 0, 0, -0.5f, 0, 0.894427f, 0, 1};
  for (size_t j = 0; j < 8; ++j) EXPECT_NEAR(G[j], wanted[j], 1e-6) << j;

  // By contributors every sum is divided by three: (2 + 2.683282) / 3, (-2 + 1) / 3, ...
  const std::vector<float> by_all = aggregate_of(updates, layout, outer_params());
  const std::vector<float> shares{1.561094f, 0, 0, -0.333333f, 0, 0.298142f, 0, 0.333333f};
  for (size_t j = 0; j < 8; ++j) EXPECT_NEAR(by_all[j], shares[j], 1e-6) << j;
}

TEST(Aggregate, TheMedianOfAnEvenNumberIsTheLower) {
  // Norms 1, 2, 3, 4: clipped to 2.
  std::vector<Update> updates;
  for (const float norm : {4.0f, 1.0f, 3.0f, 2.0f}) updates.push_back(sparse(std::vector{norm}));
  const auto factors = clip_factors(contributors_of(updates), outer_params());
  EXPECT_EQ(factors, (std::vector<std::vector<float>>{{0.5f}, {1}, {2.0f / 3}, {1}}));
  EXPECT_EQ(aggregate_of(updates, layout_of({{1, 1}}), outer_params())[0], (2 + 1 + 2 + 2) / 4.0f);
}

TEST(Aggregate, AMajorityOfZerosZeroesNobodyIfThereIsAFloor) {
  // Norms 0, 0, 0, 8: median 0, mean 2; at a floor of 0.5 the limit is 1.
  const std::vector<float> zero{0, 0};
  const std::vector<float> honest{8, 0};
  const std::vector<Update> updates{sparse(zero), sparse(zero), sparse(zero), sparse(honest)};
  const Layout layout = layout_of({{1, 2}});
  EXPECT_EQ(aggregate_of(updates, layout, outer_params("contributors", 0.5))[0], 0.25f);
  EXPECT_EQ(aggregate_of(updates, layout, outer_params("contributors", 0))[0], 0.0f);
}

TEST(Aggregate, OrderDoesNotMatter) {
  const Layout layout = layout_of({{40, 50}, {1, 100}}, 64, 20);
  const std::vector<Update> updates = coded_updates(layout, 5);
  std::vector<Contributor> contributors = contributors_of(updates);
  const std::vector<float> G = aggregate(contributors, layout, outer_params("senders", 0.9));
  for (int round = 0; round < 5; ++round) {
    std::rotate(contributors.begin(), contributors.begin() + 2, contributors.end());
    EXPECT_EQ(aggregate(contributors, layout, outer_params("senders", 0.9)), G);
    EXPECT_EQ(clip_factors(contributors, outer_params()).size(), 5u);
  }
}

TEST(Aggregate, WeightsScaleAfterTheClip) {
  const std::vector<Update> updates{sparse(std::vector<float>{4}), sparse(std::vector<float>{1})};
  std::vector<Contributor> contributors = contributors_of(updates);
  contributors[0].weight = 0.5;
  // Limit 1: (0.5 * 1 + 1) / 2.
  EXPECT_EQ(aggregate(contributors, layout_of({{1, 1}}), outer_params())[0], 0.75f);
}

TEST(Aggregate, NoContributorsMoveNothing) {
  const Layout layout = layout_of({{3, 3}});
  const std::vector<float> G = aggregate({}, layout, outer_params());
  EXPECT_EQ(G, std::vector<float>(9, 0.0f));
  EXPECT_TRUE(clip_factors({}, outer_params()).empty());
}

TEST(AggregateDeathTest, TwoOfOneUidAreABug) {
  const Update update = sparse(std::vector<float>{1});
  const std::vector<Contributor> twice(2, {.uid = {3}, .weight = 1, .update = &update});
  EXPECT_DEATH(aggregate(twice, layout_of({{1, 1}}), outer_params()), "CHECK failed");
}

TEST(AggregateDeathTest, AnUnknownDivisionIsABug) {
  EXPECT_DEATH(aggregate({}, layout_of({{1, 1}}), outer_params("everybody")), "CHECK failed");
}

TEST(OuterStep, RoundsEachOperationByItself) {
  // 3 * (1/3 as a float) is 1 after rounding, and 1 - 1 is 0; fused it would be -2^-25 * ...
  const float third = 1.0f / 3.0f;
  std::vector<float> theta{1.0f, 5.0f};
  outer_step(theta, std::vector<float>{third, 2.0f}, 3.0f);
  EXPECT_EQ(theta, (std::vector<float>{0.0f, -1.0f}));
  EXPECT_NE(std::fma(-3.0f, third, 1.0f), 0.0f);
}

TEST(Update, CountsItsValuesAndKnowsZero) {
  Update update = sparse(std::vector<float>{0, 2, 3});
  EXPECT_EQ(update.value_count(), 2u);
  EXPECT_FALSE(update.is_zero());
  update.tensors[0].value = {0.0f, -0.0f};
  EXPECT_TRUE(update.is_zero());
  EXPECT_TRUE(Update{}.is_zero());
}

}  // namespace
}  // namespace compress
