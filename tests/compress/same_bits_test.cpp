// Goal: the fast ways give the bits of the slow ones: with every instruction set, on any number of
// threads, in one pass over memory or in four. Method: sparseloco against itself done step by step
// with the plainest instruction set, over shapes, densities, seeds and numbers of every kind.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/philox.h"
#include "compress/error_feedback.h"
#include "compress/sparseloco.h"
#include "compress/topk.h"
#include "compress/two_levels.h"
#include "tests/compress/support.h"
#include "tests/compress/targets.h"

namespace compress {
namespace {

using testing::gaussian;
using testing::kKinds;
using testing::layout_of;
using testing::of_kind;
using testing::on_every_target;

// What one window leaves: the body, and e.
struct Window {
  Bytes body;
  std::vector<float> e;
  bool operator==(const Window&) const = default;
};

Window in_one_pass(const SparseLoco& codec, std::vector<float> e, const std::vector<float>& delta,
                   const Layout& layout) {
  Bytes body = codec.encode_feedback(e, 0.95f, delta, layout);
  return {std::move(body), std::move(e)};
}

// The same by four steps.
Window step_by_step(std::vector<float> e, const std::vector<float>& delta, const Layout& layout) {
  const SparseLoco codec;
  for (size_t i = 0; i < e.size(); ++i) e[i] = 0.95f * e[i] + delta[i];
  Bytes body = codec.encode(e, layout);
  const auto sent = codec.decode(body, layout);
  if (sent) add_to(e, *sent, layout, std::vector<float>(layout.tensors().size(), -1.0f));
  return {std::move(body), std::move(e)};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) {
           return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y);
         });
}

// The first is what all others must be; the plainest instruction set is the last.
std::vector<int64_t> plainest_first() {
  std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  std::reverse(targets.begin(), targets.end());
  return targets;
}

TEST(SameBits, OnePassIsFourStepsWithEveryInstructionSet) {
  EXPECT_GE(plainest_first().size(), 1u);
  EXPECT_TRUE(rc::check("one pass is four steps", [] {
    const auto side = *rc::gen::inRange<uint32_t>(1, 33);
    const auto keep = *rc::gen::inRange<uint32_t>(1, side * side + 1);
    const auto rows = *rc::gen::inRange<uint32_t>(1, 90);
    const auto cols = *rc::gen::inRange<uint32_t>(1, 200);
    const Layout layout = layout_of({{rows, cols}, {1, cols * 3}, {cols, 1}}, side * side, keep);
    const auto seed = *rc::gen::inRange<uint64_t>(0, 1u << 30);
    const auto kind = *rc::gen::inRange<uint32_t>(0, kKinds);
    const std::vector<float> e = of_kind(kind, layout.parameter_count(), seed);
    const auto other = *rc::gen::inRange<uint32_t>(0, kKinds);
    const std::vector<float> delta = of_kind(other, layout.parameter_count(), seed + 7);
    std::vector<Window> windows;
    for (const int64_t target : plainest_first()) {
      hwy::SetSupportedTargetsForTest(target);
      windows.push_back(step_by_step(e, delta, layout));
      windows.push_back(in_one_pass(SparseLoco(), e, delta, layout));
    }
    hwy::SetSupportedTargetsForTest(0);
    for (const Window& window : windows) {
      RC_ASSERT(window.body == windows[0].body);
      RC_ASSERT(same_bits(window.e, windows[0].e));
    }
  }));
}

TEST(SameBits, AnyNumberOfThreads) {
  // Five groups: 1,300 tiles in a row make a group of their own.
  const Layout layout =
      layout_of({{64, 8 * 600}, {200, 300}, {16, 8 * 1300}, {1, 64 * 900}}, 64, 5);
  const std::vector<float> e = gaussian(layout.parameter_count(), 1);
  const std::vector<float> delta = gaussian(layout.parameter_count(), 2);
  const Window wanted = in_one_pass(SparseLoco(1), e, delta, layout);
  const Update update = *SparseLoco(1).decode(wanted.body, layout);
  for (const uint32_t threads : {2u, 3u, 16u}) {
    const SparseLoco codec(threads);
    EXPECT_EQ(in_one_pass(codec, e, delta, layout), wanted) << threads;
    EXPECT_EQ(codec.encode(delta, layout), SparseLoco(1).encode(delta, layout)) << threads;
    const Update decoded = *codec.decode(wanted.body, layout);
    for (size_t t = 0; t < update.tensors.size(); ++t) {
      EXPECT_EQ(decoded.tensors[t].index, update.tensors[t].index);
      EXPECT_EQ(decoded.tensors[t].value, update.tensors[t].value);
      EXPECT_EQ(decoded.tensors[t].norm, update.tensors[t].norm);
    }
  }
}

TEST(SameBits, ATileOf4096WithEveryInstructionSet) {
  const Layout layout = layout_of({{200, 330}, {1, 9000}});
  for (uint32_t kind = 0; kind < kKinds; ++kind) {
    const std::vector<float> values = of_kind(kind, layout.parameter_count(), 50 + kind);
    std::vector<Bytes> bodies;
    on_every_target([&] { bodies.push_back(SparseLoco().encode(values, layout)); });
    for (const Bytes& body : bodies) EXPECT_EQ(body, bodies[0]) << "kind " << kind;
    std::vector<std::vector<float>> decoded;
    on_every_target([&] {
      const auto update = SparseLoco().decode(bodies[0], layout);
      if (update) decoded.push_back(testing::dense(*update, layout));
    });
    for (const auto& values_of : decoded) EXPECT_TRUE(same_bits(values_of, decoded[0]));
  }
}

TEST(SameBits, EveryFlippedBitGetsTheSameVerdictWithEveryInstructionSet) {
  const Layout layout = testing::small_layout();
  const Bytes body = SparseLoco().encode(gaussian(layout.parameter_count(), 5), layout);
  std::vector<std::vector<Verdict>> verdicts;
  on_every_target([&] {
    std::vector<Verdict>& found = verdicts.emplace_back();
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      Bytes flipped = body;
      flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
      const auto update = SparseLoco().decode(flipped, layout);
      found.push_back(update ? Verdict::kAccepted : update.error());
    }
  });
  for (const auto& found : verdicts) EXPECT_EQ(found, verdicts[0]);
}

TEST(SameBits, AnErrorFeedbackThatEncodesIsOneThatAddsAndSubtracts) {
  const Layout layout = layout_of({{100, 130}, {1, 300}});
  const SparseLoco codec;
  ErrorFeedback fused(layout.parameter_count(), 0.95);
  ErrorFeedback stepwise(layout.parameter_count(), 0.95);
  for (uint64_t window = 0; window < 3; ++window) {
    const std::vector<float> delta = gaussian(layout.parameter_count(), window);
    const Bytes body = fused.encode(codec, delta, layout);
    stepwise.add(delta);
    EXPECT_EQ(codec.encode(stepwise.values(), layout), body);
    stepwise.subtract(*codec.decode(body, layout), layout);
    EXPECT_TRUE(
        std::equal(fused.values().begin(), fused.values().end(), stepwise.values().begin()));
  }
}

TEST(SameBits, TopKAndLevelsWithEveryInstructionSet) {
  for (uint32_t kind = 0; kind < kKinds; ++kind) {
    for (const size_t size : {1, 5, 63, 64, 65, 1000, 4096}) {
      const std::vector<float> values = of_kind(kind, size, 90 + kind);
      for (const size_t keep : {size_t{1}, size_t{64}, size_t{200}, size}) {
        if (keep > size) continue;
        std::vector<std::vector<uint16_t>> found;
        std::vector<TwoLevels> levels;
        on_every_target([&] {
          top_k(values, found.emplace_back(keep));
          std::vector<float> sorted;
          for (const uint16_t at : found.back()) sorted.push_back(std::fabs(values[at]));
          std::sort(sorted.begin(), sorted.end(), std::greater<>());
          levels.push_back(sorted.back() > 0 ? two_levels(sorted) : TwoLevels{});
        });
        for (size_t i = 0; i < found.size(); ++i) {
          ASSERT_EQ(found[i], found[0]) << kind << " " << size << " " << keep;
          ASSERT_EQ(levels[i].high_count, levels[0].high_count) << kind << " " << size;
          ASSERT_EQ(levels[i].high_code, levels[0].high_code) << kind << " " << size;
          ASSERT_EQ(levels[i].ratio, levels[0].ratio) << kind << " " << size;
        }
      }
    }
  }
}

}  // namespace
}  // namespace compress
