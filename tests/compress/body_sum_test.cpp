// Goal: bodies summed tile by tile give the bits of updates that are decoded and aggregated, and
// whoever sent a bad body is named. Method: against decode and aggregate; every bit of a body
// flipped.
#include "compress/body_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "compress/aggregate.h"
#include "compress/sparseloco.h"
#include "tests/compress/support.h"
#include "tests/compress/targets.h"

namespace compress {
namespace {

using testing::gaussian;
using testing::layout_of;
using testing::outer_params;

// Bodies of miners who differ in size and scale, and uids that do not ascend.
class BodySum : public ::testing::Test {
 protected:
  void make(size_t miners) {
    bodies_.clear();
    for (size_t p = 0; p < miners; ++p) {
      std::vector<float> values = gaussian(layout_.parameter_count(), 100 + p);
      for (float& value : values) value *= static_cast<float>(1 + p % 4);
      // Nearly all tiles are zero.
      if (p == sparse_) std::fill(values.begin(), values.end() - 40, 0.0f);
      bodies_.push_back(SparseLoco().encode(values, layout_));
    }
  }
  std::vector<CodedContributor> contributors() const {
    std::vector<CodedContributor> made;
    for (size_t p = 0; p < bodies_.size(); ++p) {
      made.push_back({uid_of(p), 1.0 - 0.01 * static_cast<double>(p), bodies_[p]});
    }
    return made;
  }
  static common::Uid uid_of(size_t p) { return {static_cast<uint16_t>(97 * p % 61)}; }

  std::vector<float> by_updates(const common::OuterParams& params) const {
    std::vector<Update> updates;
    for (const Bytes& body : bodies_) updates.push_back(*SparseLoco().decode(body, layout_));
    std::vector<Contributor> made;
    for (const CodedContributor& coded : contributors()) {
      made.push_back({coded.uid, coded.weight, &updates[made.size()]});
    }
    return aggregate(made, layout_, params);
  }

  static Bytes flipped(Bytes body, size_t bit) {
    body[bit / 8] = static_cast<uint8_t>(body[bit / 8] ^ 1u << bit % 8);
    return body;
  }
  // One contributor's body replaced: it is refused as by decode, or all is as by decode. Whether it
  // was refused.
  bool expect_same(size_t contributor, Bytes body) {
    bodies_[contributor] = std::move(body);
    const auto update = SparseLoco().decode(bodies_[contributor], layout_);
    std::vector<float> G(layout_.parameter_count());
    const auto refused = aggregate_bodies(contributors(), layout_, outer_params(), 1, G);
    EXPECT_EQ(refused.has_value(), !update.has_value());
    if (refused) {
      EXPECT_EQ(refused->contributor, contributor);
      EXPECT_EQ(refused->verdict, update.error());
    } else if (update) {
      EXPECT_EQ(G, by_updates(outer_params()));
    }
    return refused.has_value();
  }

  // Two groups and more, tensors that share one, tiles cut at both edges.
  Layout layout_ = layout_of({{40, 50}, {16, 8 * 1300}, {1, 100}, {9, 3}, {70, 70}}, 64, 7);
  std::vector<Bytes> bodies_;
  size_t sparse_ = 2;  // Who sends hardly anything.
};

// Values that begin so many behind a cache line.
class Lines {
 public:
  Lines(size_t count, size_t behind) : room_(count + 32, NAN) {
    constexpr size_t kLine = 16;
    const size_t first = reinterpret_cast<uintptr_t>(room_.data()) / sizeof(float) % kLine;
    values_ = std::span(room_).subspan((kLine - first) % kLine + behind, count);
  }
  std::span<float> values() { return values_; }
  std::vector<float> copy() const { return {values_.begin(), values_.end()}; }
  // What lies around them is as it was.
  bool is_alone() const {
    return std::all_of(room_.begin(), room_.end(), [&](const float& value) {
      return std::isnan(value) || (&value >= values_.data() && &value <= &values_.back());
    });
  }

 private:
  std::vector<float> room_;
  std::span<float> values_;
};

TEST_F(BodySum, IsDecodeAndAggregateBitForBit) {
  for (const size_t miners : {1, 2, 5, 20}) {
    make(miners);
    for (const char* divide : {"contributors", "senders"}) {
      const auto params = outer_params(divide, 0.8);
      const std::vector<float> wanted = by_updates(params);
      testing::on_every_target([&] {
        for (const uint32_t threads : {1u, 2u}) {
          std::vector<float> G(layout_.parameter_count(), NAN);
          EXPECT_FALSE(aggregate_bodies(contributors(), layout_, params, threads, G));
          EXPECT_EQ(G, wanted) << miners << " " << divide << " on " << threads;
        }
      });
    }
  }
}

TEST_F(BodySum, OfTilesOf4096Too) {
  // Fewer than 64 values a tile, 64 and two blocks; rows that are whole lines and that are not.
  for (const uint32_t keep : {20u, 64u, 100u}) {
    for (const uint32_t cols : {256u, 304u, 330u}) {
      layout_ = layout_of({{200, cols}, {1, 9000}}, 4096, keep);
      for (const size_t miners : {3, 9}) {
        make(miners);
        for (const char* divide : {"contributors", "senders"}) {
          const auto params = outer_params(divide, 0.8);
          const std::vector<float> wanted = by_updates(params);
          testing::on_every_target([&] {
            std::vector<float> G(layout_.parameter_count(), NAN);
            EXPECT_FALSE(aggregate_bodies(contributors(), layout_, params, 1, G));
            EXPECT_EQ(G, wanted) << keep << " " << cols << " " << miners << " " << divide;
          });
        }
      }
    }
  }
}

TEST_F(BodySum, GoesToMemoryWhereverThatBeginsAndWhoeverSendsLittle) {
  // Tiles of 4, 3 and 1.25 lines a row; who sends little comes first, in the middle and last.
  for (const uint32_t cols : {64u, 304u, 340u}) {
    layout_ = layout_of({{130, cols}}, 4096, 64);
    for (sparse_ = 0; sparse_ < 9; ++sparse_) {
      make(9);
      const std::vector<float> wanted = by_updates(outer_params());
      for (const size_t behind : {0, 1, 15}) {
        testing::on_every_target([&] {
          Lines G(layout_.parameter_count(), behind);
          EXPECT_FALSE(aggregate_bodies(contributors(), layout_, outer_params(), 1, G.values()));
          EXPECT_EQ(G.copy(), wanted) << cols << " " << sparse_ << " " << behind;
          EXPECT_TRUE(G.is_alone());
        });
      }
    }
  }
}

TEST_F(BodySum, OfNobodyIsZero) {
  std::vector<float> G(layout_.parameter_count(), NAN);
  EXPECT_FALSE(aggregate_bodies({}, layout_, outer_params(), 1, G));
  EXPECT_EQ(G, std::vector<float>(G.size(), 0.0f));
}

TEST_F(BodySum, RefusesWhatDecodeRefusesAndSaysWho) {
  layout_ = testing::small_layout();
  make(2);
  const Bytes honest = bodies_[1];
  size_t refused_count = 0;
  for (size_t bit = 0; bit < honest.size() * 8; ++bit) {
    refused_count += expect_same(1, flipped(honest, bit));
  }
  for (size_t size = 0; size < honest.size(); ++size) {
    refused_count +=
        expect_same(1, {honest.begin(), honest.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  expect_same(1, Bytes(honest.size() * 100));
  expect_same(1, SparseLoco().encode(std::vector<float>(layout_.parameter_count()), layout_));
  EXPECT_GT(refused_count, honest.size());
}

TEST_F(BodySum, RefusesTheSameInTilesOf4096WithEveryInstructionSet) {
  layout_ = layout_of({{64, 128}});
  make(6);
  const Bytes honest = bodies_[4];
  testing::on_every_target([&] {
    size_t refused_count = 0;
    for (size_t bit = 0; bit < honest.size() * 8; ++bit) {
      refused_count += expect_same(4, flipped(honest, bit));
    }
    EXPECT_GT(refused_count, 100u);
    EXPECT_LT(refused_count, honest.size() * 8);
  });
}

TEST_F(BodySum, OfTwoBadOnesTheFirstIsNamed) {
  make(4);
  bodies_[1].pop_back();
  bodies_[3].pop_back();
  std::vector<float> G(layout_.parameter_count());
  const auto refused = aggregate_bodies(contributors(), layout_, outer_params(), 2, G);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->contributor, 1u);
}

}  // namespace
}  // namespace compress
