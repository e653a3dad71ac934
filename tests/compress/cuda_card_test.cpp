// Goal: a card gives the bits of the CPU. Method: what tests/compress/cuda_codec_test.cpp does with
// the emulated card, and real sizes, on the machine's first card; skipped, with the reason, where
// there is none or the build has no CUDA.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "compress/sparseloco.h"
#include "tests/compress/cuda_like_cpu.h"

namespace compress {
namespace {

using testing::gaussian;
using testing::layout_of;

class CudaCard : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = make_cuda_codec(0, layout_of({{8, 8}}, 64, 5), {0, 1});
    if (!made) GTEST_SKIP() << made.error().message;
  }
  static std::unique_ptr<CudaCodec> codec_of(const Layout& layout) {
    return make_cuda_codec(0, layout, all_pieces(*SparseLoco().format(layout))).value();
  }
};

TEST_F(CudaCard, FeedbackIsTheCpusBitForBit) {
  const std::vector<std::pair<uint32_t, uint32_t>> shapes = {{130, 200}, {1, 5000}, {64, 64}};
  for (const uint32_t keep : {1u, 20u, 64u, 128u, 300u, 4096u}) {
    const Layout layout = layout_of(shapes, 4096, keep);
    const auto codec = codec_of(layout);
    for (uint32_t kind = 0; kind < testing::kKinds; ++kind) {
      EXPECT_TRUE(testing::feedback_is_the_cpus(
          *codec, layout, testing::of_kind(kind, layout.parameter_count(), kind),
          gaussian(layout.parameter_count(), 50 + kind)))
          << keep << " kind " << kind;
    }
  }
}

TEST_F(CudaCard, SoItIsOfSmallTilesAndOddShapes) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const uint32_t side = 1 + seed % 17;
    const Layout layout =
        layout_of({{1 + seed * 7 % 90, 1 + seed * 31 % 130}, {1, 300}, {9 + seed, 1}}, side * side,
                  1 + seed % (side * side));
    const auto codec = codec_of(layout);
    EXPECT_TRUE(testing::feedback_is_the_cpus(
        *codec, layout, testing::of_kind(seed % testing::kKinds, layout.parameter_count(), seed),
        gaussian(layout.parameter_count(), seed)))
        << seed;
  }
}

TEST_F(CudaCard, SoItIsOf16MillionParametersManyTimes) {
  const Layout layout = layout_of({{2048, 4096}, {1, 4096}, {4096, 2048}});
  const auto codec = codec_of(layout);
  const std::vector<float> e = gaussian(layout.parameter_count(), 1);
  const std::vector<float> delta = gaussian(layout.parameter_count(), 2);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(testing::feedback_is_the_cpus(*codec, layout, e, delta)) << round;
  }
}

TEST_F(CudaCard, EveryFlippedBitGetsTheCpusVerdict) {
  const Layout layout = testing::small_layout();
  const auto codec = codec_of(layout);
  for (uint32_t kind = 0; kind < 5; ++kind) {
    const Bytes body =
        SparseLoco().encode(testing::of_kind(kind, layout.parameter_count(), 40 + kind), layout);
    for (size_t bit = 0; bit < (body.size() - 4) * 8; ++bit) {
      Bytes flipped = body;
      flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
      ASSERT_TRUE(testing::judges_as_the_cpu(*codec, layout, flipped)) << kind << " bit " << bit;
    }
  }
}

TEST_F(CudaCard, SumsAreTheCpusBitForBit) {
  for (const uint32_t keep : {20u, 64u, 200u}) {
    const Layout layout = layout_of({{130, 256}, {1, 9000}, {700, 330}}, 4096, keep);
    const auto codec = codec_of(layout);
    for (const size_t miners : {0, 1, 9, 20}) {
      for (const char* divide : {"contributors", "senders"}) {
        for (const char* rule : {"average", "sign"}) {
          EXPECT_TRUE(testing::sums_are_the_cpus(*codec, layout, miners, divide, rule))
              << keep << " " << miners << " " << divide << " " << rule;
        }
      }
    }
  }
}

TEST_F(CudaCard, ATrialIsTheCpusAndLeavesNoTrace) {
  const Layout layout = layout_of({{130, 200}, {1, 5000}, {1000, 3000}});
  EXPECT_TRUE(testing::trial_is_the_cpus(*codec_of(layout), layout, 11));
}

TEST(CudaDoor, ACardThatIsNotThereIsNamed) {
  const auto made = make_cuda_codec(4096, layout_of({{8, 8}}, 64, 5), {0, 1});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, common::Code::kUnavailable);
  EXPECT_TRUE(made.error().message.starts_with("cuda:4096: ")) << made.error().message;
}

}  // namespace
}  // namespace compress
