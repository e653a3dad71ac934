// Goal: a card gives the bits of the CPU. Method: the bodies of its kernels, and the order in which
// they are called, emulated on the host (tests/compress/cuda_emulation.h) with the threads of each
// step in several orders, against the CPU's codec, byte for byte: over shapes, densities, seeds and
// numbers of every kind, and over bodies that are wrong in every bit. What no card has run is how
// the compiler for cards and the barriers between steps do: tests/compress/cuda_card_test.cpp.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/philox.h"
#include "compress/cuda/plan.h"
#include "compress/sparseloco.h"
#include "tests/compress/cuda_emulated.h"
#include "tests/compress/cuda_like_cpu.h"

namespace compress {
namespace {

using testing::Emulated;
using testing::gaussian;
using testing::layout_of;
using testing::Order;

constexpr Order kOrders[] = {Order::kAscending, Order::kDescending, Order::kMixed};

TEST(CudaEmulated, FeedbackIsTheCpusBitForBit) {
  EXPECT_TRUE(rc::check("body and e are the CPU's", [] {
    const auto side = *rc::gen::inRange<uint32_t>(1, 33);
    const auto keep = *rc::gen::inRange<uint32_t>(1, side * side + 1);
    const auto rows = *rc::gen::inRange<uint32_t>(1, 90);
    const auto cols = *rc::gen::inRange<uint32_t>(1, 130);
    const Layout layout = layout_of({{rows, cols}, {1, cols * 3}, {cols, 1}}, side * side, keep);
    const auto seed = *rc::gen::inRange<uint64_t>(0, 1u << 30);
    const auto kind = *rc::gen::inRange<uint32_t>(0, testing::kKinds);
    const auto other = *rc::gen::inRange<uint32_t>(0, testing::kKinds);
    const Order order = kOrders[*rc::gen::inRange<size_t>(0, 3)];
    const Emulated machine(layout, order);
    RC_ASSERT(testing::feedback_is_the_cpus(
        machine.codec(), layout, testing::of_kind(kind, layout.parameter_count(), seed),
        testing::of_kind(other, layout.parameter_count(), seed + 7)));
  }));
}

TEST(CudaEmulated, SoAreTilesOf4096OfEveryKind) {
  for (const uint32_t keep : {1u, 20u, 64u, 128u, 300u, 4096u}) {
    const Layout layout = layout_of({{130, 200}, {1, 5000}}, 4096, keep);
    for (const Order order : kOrders) {
      const Emulated machine(layout, order);
      for (uint32_t kind = 0; kind < testing::kKinds; ++kind) {
        // The dense ones take a while.
        if (keep > 300 && (order != Order::kMixed || kind % 3 != 0)) continue;
        EXPECT_TRUE(testing::feedback_is_the_cpus(
            machine.codec(), layout, testing::of_kind(kind, layout.parameter_count(), 50 + kind),
            gaussian(layout.parameter_count(), kind)))
            << keep << " kind " << kind;
      }
    }
  }
}

TEST(CudaEmulated, SoAreSeveralPiecesAndThoseOfARank) {
  // Two pieces and more, tensors that share one, zero tiles.
  const Layout layout = layout_of({{40, 50}, {16, 8 * 1300}, {1, 100}, {9, 3}, {70, 70}}, 64, 7);
  const size_t pieces = SparseLoco().format(layout)->pieces().size();
  ASSERT_GT(pieces, 2u);
  const std::vector<float> e = testing::of_kind(1, layout.parameter_count(), 3);
  std::vector<float> delta = gaussian(layout.parameter_count(), 4);
  std::fill(delta.begin(), delta.begin() + 3000, 0.0f);
  for (size_t first = 0; first < pieces; ++first) {
    const Emulated machine(layout, Order::kMixed, {first, pieces});
    EXPECT_TRUE(testing::feedback_is_the_cpus(machine.codec(), layout, e, delta,
                                              PieceRange{first, pieces}));
  }
}

TEST(CudaEmulated, OfEqualGainsTheLatestSplitIsTaken) {
  // 3 | 2 1 and 3 2 | 1: 9 + 9 / 2 is 25 / 2 + 1.
  const Layout layout = layout_of({{1, 64}}, 64, 3);
  std::vector<float> delta(64);
  delta[5] = 2;
  delta[20] = -3;
  delta[63] = 1;
  for (const Order order : kOrders) {
    const Emulated machine(layout, order);
    EXPECT_TRUE(
        testing::feedback_is_the_cpus(machine.codec(), layout, std::vector<float>(64), delta));
  }
}

TEST(CudaEmulated, WindowAfterWindow) {
  const Layout layout = layout_of({{100, 130}, {1, 300}});
  const Emulated machine(layout, Order::kDescending);
  std::vector<float> e(layout.parameter_count());
  for (uint64_t window = 0; window < 3; ++window) {
    const std::vector<float> delta = gaussian(layout.parameter_count(), window);
    ASSERT_TRUE(testing::feedback_is_the_cpus(machine.codec(), layout, e, delta));
    SparseLoco().encode_feedback(e, 0.95f, delta, layout);
  }
}

TEST(CudaEmulatedDeathTest, NanInOurOwnUpdateIsABug) {
  const Layout layout = layout_of({{20, 20}}, 64, 5);
  const Emulated machine(layout, Order::kAscending);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> delta = gaussian(layout.parameter_count(), 1);
    delta[333] = bad;
    EXPECT_DEATH(testing::feedback_is_the_cpus(machine.codec(), layout, delta, delta),
                 "CHECK failed.*NaN or infinity in our own update");
  }
}

TEST(CudaEmulated, JudgesAsTheCpuDoesAndFindsItsSums) {
  EXPECT_TRUE(rc::check("sums are the CPU's", [] {
    const auto side = *rc::gen::inRange<uint32_t>(1, 17);
    const auto keep = *rc::gen::inRange<uint32_t>(1, side * side + 1);
    const auto rows = *rc::gen::inRange<uint32_t>(1, 200);
    const auto cols = *rc::gen::inRange<uint32_t>(1, 70);
    const Layout layout = layout_of({{rows, cols}, {1, cols * rows}, {cols, 1}}, side * side, keep);
    const auto kind = *rc::gen::inRange<uint32_t>(0, testing::kKinds);
    const auto seed = *rc::gen::inRange<uint64_t>(0, 1u << 30);
    const Emulated machine(layout, kOrders[seed % 3]);
    const auto values = testing::of_kind(kind, layout.parameter_count(), seed);
    RC_ASSERT(
        testing::judges_as_the_cpu(machine.codec(), layout, SparseLoco().encode(values, layout)) ==
        Verdict::kAccepted);
  }));
}

TEST(CudaEmulated, EveryFlippedBitGetsTheCpusVerdict) {
  const Layout small = testing::small_layout();
  const Layout whole = layout_of({{64, 128}});
  for (const Layout* layout : {&small, &whole}) {
    const Emulated machine(*layout, Order::kMixed);
    for (uint32_t kind = 0; kind < 5; ++kind) {
      const Bytes body = SparseLoco().encode(
          testing::of_kind(kind, layout->parameter_count(), 40 + kind), *layout);
      const size_t bits = (body.size() - 4) * 8;  // Without the table of the one piece.
      size_t accepted = 0;
      for (size_t bit = 0; bit < bits; ++bit) {
        Bytes flipped = body;
        flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
        const auto verdict = testing::judges_as_the_cpu(machine.codec(), *layout, flipped);
        ASSERT_TRUE(verdict) << "kind " << kind << " bit " << bit;
        accepted += *verdict == Verdict::kAccepted;
      }
      EXPECT_LT(accepted, bits);
    }
  }
}

TEST(CudaEmulated, SoDoesNoiseWithAndWithoutAGoodBeginning) {
  const Layout layout = layout_of({{40, 50}, {1, 700}}, 64, 7);
  const Emulated machine(layout, Order::kDescending);
  const Bytes good = SparseLoco().encode(gaussian(layout.parameter_count(), 9), layout);
  common::Philox random(5);
  for (int round = 0; round < 300; ++round) {
    Bytes body = good;
    const auto from = static_cast<size_t>(random.below(body.size() - 4));
    for (size_t i = from; i < body.size() - 4; ++i) {
      body[i] = random.below(3) == 0 ? uint8_t{0} : static_cast<uint8_t>(random.next32());
    }
    ASSERT_TRUE(testing::judges_as_the_cpu(machine.codec(), layout, body)) << round;
  }
}

TEST(CudaEmulated, HeadsThatEndBeforeTheirTilesGetTheCpusVerdict) {
  // A piece of 1,024 tiles whose levels leave one byte for all heads: zeros behind it would be
  // zero tiles, two bits each, 256 bytes.
  const Layout layout = layout_of({{1, 64 * 1024}}, 64, 5);
  const Emulated machine(layout, Order::kMixed);
  for (uint32_t size = 256; size < 1024; size += 17) {
    Bytes body(size + 4, 0);
    const uint32_t levels = size - 5;
    std::memcpy(body.data(), &levels, sizeof levels);
    std::memcpy(body.data() + size, &size, sizeof size);
    const auto verdict = testing::judges_as_the_cpu(machine.codec(), layout, body);
    ASSERT_TRUE(verdict) << size;
    EXPECT_EQ(*verdict, Verdict::kMalformed);
  }
}

TEST(CudaEmulated, AWholeTileIsSaidToBeInOneWay) {
  // The bytes of SparseLoco.OneSmallUpdateIsTheseBytes; then not all tiles are said to be whole,
  // and the one is; then it is said to be partial, of the two values that are all it keeps.
  const Layout layout = layout_of({{1, 8}}, 64, 16);
  const Emulated machine(layout, Order::kMixed);
  const auto verdict_of = [&](const std::string& heads, const std::string& size) {
    const std::string body = "0100000003" + heads + "55" + size;
    return testing::judges_as_the_cpu(machine.codec(), layout, *common::from_hex(body));
  };
  EXPECT_EQ(verdict_of("01003008", "0a000000"), Verdict::kAccepted);
  EXPECT_EQ(verdict_of("00016010", "0a000000"), Verdict::kMalformed);
  EXPECT_EQ(verdict_of("000a00000c02", "0c000000"), Verdict::kMalformed);
}

TEST(CudaEmulated, SumsAreTheCpusBitForBit) {
  const std::vector<Layout> layouts = {
      layout_of({{40, 50}, {16, 8 * 1300}, {1, 100}, {9, 3}, {70, 70}}, 64, 7),
      layout_of({{130, 256}, {1, 9000}}, 4096, 64), layout_of({{70, 330}}, 4096, 200)};
  for (const Layout& layout : layouts) {
    const Emulated machine(layout, Order::kMixed);
    for (const size_t miners : {0, 1, 9, 20}) {
      for (const char* divide : {"contributors", "senders"}) {
        for (const char* rule : {"average", "sign"}) {
          EXPECT_TRUE(testing::sums_are_the_cpus(machine.codec(), layout, miners, divide, rule))
              << miners << " " << divide << " " << rule;
        }
      }
    }
  }
}

TEST(CudaEmulated, ATrialIsTheCpusAndLeavesNoTrace) {
  for (const uint32_t keep : {64u, 130u}) {
    const Layout layout = layout_of({{130, 200}, {1, 5000}, {3, 9}}, 4096, keep);
    for (const Order order : kOrders) {
      const Emulated machine(layout, order);
      EXPECT_TRUE(testing::trial_is_the_cpus(machine.codec(), layout, 11));
    }
  }
}

TEST(CudaPlan, PiecesTooLargeForACardAreRefused) {
  // A band of 67 million columns in dense tiles.
  const Layout layout = layout_of({{64, 67'000'000}}, 4096, 4096);
  const auto made = cuda::make_plan(layout, {0, 1});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, common::Code::kUnavailable);
}

TEST(CudaPlan, PlacesEveryTileWhereTheLayoutHasIt) {
  const Layout layout = layout_of({{130, 200}, {1, 5000}, {64, 64}, {3, 9}, {200, 1}}, 64, 5);
  auto made = cuda::make_plan(layout, all_pieces(*SparseLoco().format(layout))).value();
  made.plan.tensors = made.tensors.data();
  made.plan.tensor_at = made.tensor_at.data();
  ASSERT_EQ(made.plan.tile_count, layout.tile_count());
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    const Tensor& tensor = layout.tensors()[t];
    for (uint64_t number = layout.first_tile(t); number < layout.first_tile(t + 1); ++number) {
      const Tile tile = layout.tile(t, number - layout.first_tile(t));
      const cuda::PlacedTile placed = made.plan.place(static_cast<uint32_t>(number));
      ASSERT_EQ(placed.tensor, t);
      ASSERT_EQ(placed.first, tensor.offset + uint64_t{tile.row} * tensor.cols + tile.col);
      ASSERT_EQ(placed.shape->rows, tile.rows);
      ASSERT_EQ(placed.shape->cols, tile.cols);
      ASSERT_EQ(placed.shape->keep, tile.keep);
      ASSERT_TRUE(tile.rows == 1 || placed.stride == tensor.cols);
      for (uint32_t i = 0; i < tile.size(); ++i) ASSERT_EQ(placed.shape->row(i), i / tile.cols);
    }
  }
}

TEST(CudaEmulatedDeathTest, ATrialThatStaysOnIsABug) {
  const Layout layout = layout_of({{20, 20}}, 64, 5);
  const Emulated machine(layout, Order::kAscending);
  EXPECT_DEATH(testing::forget_a_trial(machine.codec(), layout), "a trial was not taken off");
}

}  // namespace
}  // namespace compress
