// Goal: what is encoded is decoded, canonically: one update, one byte string; all other bytes are
// refused. Method: a slow decoder as oracle; properties over shapes and seeds; every flip and every
// truncation of small bodies; hostile bodies one by one.
#include "compress/sparseloco.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/philox.h"
#include "compress/tile_code.h"
#include "tests/compress/slow_decoder.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::dense;
using testing::gaussian;
using testing::layout_of;
using testing::small_layout;

const SparseLoco kCodec;

Verdict verdict_of(ByteView body, const Layout& layout) {
  const auto update = kCodec.decode(body, layout);
  return update ? Verdict::kAccepted : update.error();
}

Update decoded(ByteView body, const Layout& layout) {
  auto update = kCodec.decode(body, layout);
  EXPECT_TRUE(update) << name(update.error());
  return update ? *std::move(update) : Update{};
}

// Values of a kind that has few zeros, many, equal magnitudes, a wide range of scales, or two
// levels.
std::vector<float> of_kind(uint32_t kind, uint64_t count, uint64_t seed) {
  std::vector<float> values = gaussian(count, seed);
  common::Philox random(seed + 1);
  for (float& value : values) {
    if (kind == 1 && random.below(40) != 0) value = 0;
    if (kind == 2) value = static_cast<float>(random.below(5)) - 2.0f;
    if (kind == 3) value = std::ldexp(value, static_cast<int>(random.below(200)) - 120);
    if (kind == 4) value = random.below(2) == 0 ? 1.0f : -0.25f;
  }
  return values;
}

// A bit of the bodies below, by number.
void flip(Bytes& body, size_t bit) {
  body[bit / 8] = static_cast<uint8_t>(body[bit / 8] ^ 1u << bit % 8);
}

TEST(SparseLoco, DecodesAsTheSlowDecoderDoes) {
  const Layout layout = layout_of({{130, 200}, {1, 5000}, {64, 64}, {5, 3}}, 64, 5);
  for (uint32_t kind = 0; kind < 5; ++kind) {
    const Bytes body = kCodec.encode(of_kind(kind, layout.parameter_count(), kind), layout);
    const std::vector<float> fast = dense(decoded(body, layout), layout);
    const std::vector<double> slow = testing::SlowDecoder(body).decode(layout);
    EXPECT_EQ(std::vector<double>(fast.begin(), fast.end()), slow) << "kind " << kind;
  }
}

TEST(SparseLoco, KeepsTheLargestOfEachTileAtTheirPlacesAndSigns) {
  const Layout layout = layout_of({{8, 16}}, 64, 2);  // Two tiles side by side.
  std::vector<float> values(128, 0.125f);
  values[0] = 4;            // Row 0: left tile,
  values[9] = -2;           //   right tile;
  values[7 * 16 + 7] = -1;  // row 7: left tile,
  values[7 * 16 + 8] = 2;   //   right tile.
  const Update update = decoded(kCodec.encode(values, layout), layout);
  ASSERT_EQ(update.tensors.size(), 1u);
  EXPECT_EQ(update.tensors[0].index, (std::vector<uint32_t>{0, 9, 119, 120}));
  EXPECT_EQ(update.tensors[0].value, (std::vector<float>{4, -2, -1, 2}));
  EXPECT_EQ(update.tensors[0].norm, 5.0);  // sqrt(16 + 4 + 1 + 4)
}

TEST(SparseLoco, TheNormOfATileIsExact) {
  const Layout layout = layout_of({{64, 64}}, 4096, 4096);
  for (uint32_t kind = 0; kind < 5; ++kind) {
    const std::vector<float> values = of_kind(kind, 4096, 70 + kind);
    const Update update = decoded(kCodec.encode(values, layout), layout);
    long double squares = 0;  // 64 bits: exact for sums of 49.
    for (const float value : update.tensors[0].value) {
      squares += static_cast<long double>(value) * static_cast<long double>(value);
    }
    EXPECT_EQ(static_cast<long double>(static_cast<double>(squares)), squares);
    EXPECT_EQ(update.tensors[0].norm, std::sqrt(static_cast<double>(squares)));
  }
}

TEST(SparseLoco, OneSmallUpdateIsTheseBytes) {
  // One tile, 2 of 8 values kept: -1 at 1 and 0.5 at 4. Gaps 1 and 2 cost (1 + 1) + (1 + 2) = 5
  // bits under parameter 0 and 2 + (1 + 0) + (1 + 1) = 5 under 1: the lower, 0.
  //   head        parameter 0                   4 bits
  //               high 1 = 512 * 2^(96 - 105)  16 bits: exponent 96 over mantissa 0: C000
  //               ratio 128 = 80                8 bits; then padding: nibbles 0, 0 0 0 C, 0 8, 0
  //   levels      1 0, first bit first: 01
  //   signs       1 0: 01
  //   remainders  of no bits
  //   quotients   01 001: 12
  //   its size    07 00 00 00
  const Layout layout = layout_of({{1, 8}}, 64, 16);
  const Bytes body = kCodec.encode(std::vector<float>{0, -1, 0, 0, 0.5f, 0, 0, 0}, layout);
  EXPECT_EQ(common::to_hex(body), "00000c0801011207000000");
}

TEST(SparseLoco, ReencodingADecodedUpdateGivesTheSameBytes) {
  EXPECT_TRUE(rc::check("encode(decode(x)) == x", [] {
    const auto side = *rc::gen::inRange<uint32_t>(1, 17);
    const uint32_t tile = side * side;
    const auto keep = *rc::gen::inRange<uint32_t>(1, tile + 1);
    const auto rows = *rc::gen::inRange<uint32_t>(1, 70);
    const auto cols = *rc::gen::inRange<uint32_t>(1, 70);
    const Layout layout = layout_of({{rows, cols}, {1, cols * rows}, {cols, 1}}, tile, keep);
    const auto kind = *rc::gen::inRange<uint32_t>(0, 5);
    const auto seed = *rc::gen::inRange<uint64_t>(0, 1u << 30);
    const std::vector<float> values = of_kind(kind, layout.parameter_count(), seed);
    const Bytes body = kCodec.encode(values, layout);
    RC_ASSERT(body.size() <= kCodec.body_size_max(layout));

    const auto update = kCodec.decode(body, layout);
    if (!update) {  // Nothing but zeros, or numbers below 2^-96.
      RC_ASSERT(update.error() == Verdict::kEmpty);
      return;
    }
    RC_ASSERT(kCodec.encode(dense(*update, layout), layout) == body);
    RC_ASSERT(update->value_count() <= layout.kept_count());
    for (const SparseTensor& tensor : update->tensors) {
      RC_ASSERT(std::is_sorted(tensor.index.begin(), tensor.index.end(), std::less_equal<>()));
      double squares = 0;
      for (const float value : tensor.value) {
        RC_ASSERT(value != 0 && std::isfinite(value));
        squares += double{value} * double{value};
      }
      RC_ASSERT(std::fabs(tensor.norm - std::sqrt(squares)) <= 1e-13 * tensor.norm);
    }
  }));
}

TEST(SparseLoco, EveryFlippedBitIsRefusedOrAnotherCanonicalUpdate) {
  const Layout layout = small_layout();
  size_t accepted = 0;
  for (uint32_t kind = 0; kind < 5; ++kind) {
    const Bytes body = kCodec.encode(of_kind(kind, layout.parameter_count(), 40 + kind), layout);
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      Bytes flipped = body;
      flip(flipped, bit);
      const auto update = kCodec.decode(flipped, layout);
      if (!update) continue;
      ++accepted;
      ASSERT_EQ(kCodec.encode(dense(*update, layout), layout), flipped) << kind << " bit " << bit;
    }
  }
  EXPECT_GT(accepted, 1000u);  // Signs and magnitudes: the loop did test something.
}

TEST(SparseLoco, EveryTruncationAndEveryExtensionIsRefused) {
  const Layout layout = small_layout();
  Bytes body = kCodec.encode(gaussian(layout.parameter_count(), 1), layout);
  ASSERT_EQ(verdict_of(body, layout), Verdict::kAccepted);
  for (size_t size = 0; size < body.size(); ++size) {
    ASSERT_NE(verdict_of(ByteView(body).first(size), layout), Verdict::kAccepted) << size;
  }
  body.push_back(0);  // It moves the table, which then says another size.
  EXPECT_EQ(verdict_of(body, layout), Verdict::kWrongShape);
  body.pop_back();
  body.insert(body.begin(), 0);
  EXPECT_EQ(verdict_of(body, layout), Verdict::kMalformed);
}

TEST(SparseLoco, AllZerosHaveOneEncodingAndItIsEmpty) {
  const Layout layout = small_layout();
  const std::vector<float> zeros(layout.parameter_count(), 0.0f);
  std::vector<float> nearly = zeros;
  nearly[3] = -0.0f;
  nearly[5] = 1e-40f;
  EXPECT_EQ(kCodec.encode(nearly, layout), kCodec.encode(zeros, layout));
  EXPECT_EQ(verdict_of(kCodec.encode(zeros, layout), layout), Verdict::kEmpty);
}

TEST(SparseLoco, ZeroTilesBetweenOthersCostHalfAByte) {
  const Layout layout = layout_of({{1, 64 * 20}}, 64, 5);
  std::vector<float> values(layout.parameter_count(), 0.0f);
  values[64 * 13 + 7] = 1;
  const Bytes body = kCodec.encode(values, layout);
  // Heads: 19 * 4 bits, and one partial tile's 4 + 12 + 4 + 24; sign; gap 7 under
  // parameter 2: a remainder of 2 bits and a quotient of 1 + 1; table 4.
  EXPECT_EQ(body.size(), (19 * 4 + 44 + 7) / 8 + 1 + 1 + 1 + 4u);
  const Update update = decoded(body, layout);
  EXPECT_EQ(update.tensors[0].index, (std::vector<uint32_t>{64 * 13 + 7}));
  EXPECT_EQ(update.tensors[0].norm, 1.0);
}

TEST(SparseLoco, SendsFewerRatherThanZeros) {
  const Layout layout = layout_of({{1, 64}}, 64, 5);
  std::vector<float> values(64, 0.0f);
  values[10] = 1000;
  values[20] = 1;  // Would be rounded to zero beside 1,000.
  EXPECT_EQ(decoded(kCodec.encode(values, layout), layout).tensors[0].index,
            (std::vector<uint32_t>{10}));
}

TEST(SparseLoco, AnEmptyModelIsAnEmptyBody) {
  const Layout layout = layout_of({});
  EXPECT_EQ(kCodec.encode({}, layout), Bytes{});
  EXPECT_EQ(verdict_of({}, layout), Verdict::kEmpty);
}

TEST(SparseLoco, NamesWhatIsWrongWithTheSizes) {
  const Layout layout = small_layout();
  const Bytes body = kCodec.encode(gaussian(layout.parameter_count(), 1), layout);
  const uint64_t size_max = kCodec.body_size_max(layout);
  EXPECT_EQ(verdict_of(Bytes(size_max + 1), layout), Verdict::kOversized);
  EXPECT_EQ(verdict_of(Bytes(size_max), layout), Verdict::kWrongShape);
  EXPECT_EQ(verdict_of({}, layout), Verdict::kWrongShape);

  Bytes oversized_group = body;
  oversized_group.back() = 0xFF;  // 4 GB
  EXPECT_EQ(verdict_of(oversized_group, layout), Verdict::kWrongShape);
  Bytes empty_group = body;
  std::memset(empty_group.data() + empty_group.size() - 4, 0, 4);
  EXPECT_EQ(verdict_of(empty_group, layout), Verdict::kWrongShape);

  const Layout two_groups = layout_of({{1, 64 * 1500}}, 64, 5);
  Bytes moved_border = kCodec.encode(gaussian(two_groups.parameter_count(), 1), two_groups);
  ++moved_border[moved_border.size() - 8];
  EXPECT_EQ(verdict_of(moved_border, two_groups), Verdict::kMalformed);

  const std::vector<std::pair<uint32_t, uint32_t>> many(1000, {1, 1});
  // Another model's: longer than its longest body, or too short for its table.
  EXPECT_EQ(verdict_of(body, layout_of({{8, 8}})), Verdict::kOversized);
  EXPECT_EQ(verdict_of(body, layout_of(many)), Verdict::kWrongShape);
}

TEST(SparseLocoDeathTest, NanInOurOwnUpdateIsABug) {
  const Layout layout = small_layout();
  std::vector<float> values = gaussian(layout.parameter_count(), 1);
  values[200] = NAN;
  EXPECT_DEATH(kCodec.encode(values, layout), "NaN or infinity");
  values[200] = INFINITY;
  EXPECT_DEATH(kCodec.encode(values, layout), "NaN or infinity");
  values.pop_back();
  EXPECT_DEATH(kCodec.encode(values, layout), "CHECK failed");
}

// --- one tile, written by a stranger: keep 5 of 64 ---

// What its five streams hold: fields of a value and a width; of width kUnary, so many zeros and a
// one.
constexpr uint32_t kUnary = 100;
using Stream = std::vector<std::pair<uint64_t, uint32_t>>;
using Streams = std::array<Stream, 5>;
enum { kHeads, kLevels, kSigns, kRemainders, kQuotients };

class HostileTile : public ::testing::Test {
 protected:
  static Verdict judge(const Streams& streams) {
    const Layout layout = layout_of({{1, 64}}, 64, 5);
    common::Bytes group;
    for (const Stream& stream : streams) {
      Bytes room(1 << 18);
      BitWriter out(room.data());
      for (const auto& [bits, width] : stream) {
        if (width == kUnary) {
          out.put_unary(static_cast<uint32_t>(bits));
        } else {
          out.put(bits, width);
        }
      }
      out.pad();
      group.insert(group.end(), out.bytes().begin(), out.bytes().end());
    }
    common::ByteWriter body;
    body.raw(group).number(static_cast<uint32_t>(group.size()));
    return verdict_of(body.bytes(), layout);
  }
  static Streams tile(uint32_t parameter, uint8_t ratio, const std::vector<uint32_t>& gaps,
                      uint32_t levels, uint32_t signs) {
    Streams made;
    made[kHeads] = {{parameter, 4}, {0x4000, 16}, {ratio, 8}};
    if (ratio != 0) made[kLevels] = {{levels, gaps.size()}};
    made[kSigns] = {{signs, gaps.size()}};
    for (const uint32_t gap : gaps) {
      made[kRemainders].emplace_back(gap & ((1u << parameter) - 1), parameter);
      made[kQuotients].emplace_back(gap >> parameter, kUnary);
    }
    return made;
  }
  static Streams honest() { return tile(2, 100, {5, 6, 7, 8, 9}, 0b10110, 0b01010); }
};

TEST_F(HostileTile, TheHonestOneIsAccepted) { EXPECT_EQ(judge(honest()), Verdict::kAccepted); }

TEST_F(HostileTile, AnotherRiceParameterIsMalformed) {
  for (const uint32_t parameter : {0, 1, 3, 4}) {
    EXPECT_EQ(judge(tile(parameter, 100, {5, 6, 7, 8, 9}, 0b10110, 0b01010)), Verdict::kMalformed)
        << parameter;
  }
  for (const uint32_t beyond_all : {12, 13}) {
    Streams streams = honest();
    streams[kHeads][0].first = beyond_all;
    EXPECT_EQ(judge(streams), Verdict::kMalformed);
  }
}

TEST_F(HostileTile, AHugeGapIsMalformed) {
  for (const uint32_t gap : {60u, 64u, 1000u, 1u << 20}) {
    const auto verdict = judge(tile(2, 0, {gap, 0, 0, 0, 0}, 0, 0));
    EXPECT_TRUE(verdict == Verdict::kMalformed || verdict == Verdict::kWrongShape ||
                verdict == Verdict::kOversized)
        << gap;
  }
}

TEST_F(HostileTile, AnOffsetJustBeyondTheTileIsMalformed) {
  // Sum of gaps and five: 64 is the last that fits.
  EXPECT_EQ(judge(tile(3, 0, {11, 12, 12, 12, 12}, 0, 0)), Verdict::kAccepted);
  EXPECT_EQ(judge(tile(3, 0, {12, 12, 12, 12, 12}, 0, 0)), Verdict::kMalformed);
  EXPECT_EQ(judge(tile(3, 0, {11, 12, 12, 12, 13}, 0, 0)), Verdict::kMalformed);
}

TEST_F(HostileTile, ARatioWithoutBothLevelsIsMalformed) {
  for (const uint32_t levels : {0b00000u, 0b11111u}) {
    EXPECT_EQ(judge(tile(2, 100, {5, 6, 7, 8, 9}, levels, 0)), Verdict::kMalformed);
  }
}

TEST_F(HostileTile, NonzeroPaddingInAnyStreamIsMalformed) {
  for (const size_t stream : {kHeads, kLevels, kSigns, kRemainders, kQuotients}) {
    Streams streams = honest();
    streams[stream].emplace_back(1, 1);  // Each has room for it.
    EXPECT_EQ(judge(streams), Verdict::kMalformed) << stream;
  }
}

TEST_F(HostileTile, ASpareByteInAnyStreamIsMalformed) {
  for (const size_t stream : {kHeads, kLevels, kSigns, kRemainders, kQuotients}) {
    Streams streams = honest();
    streams[stream].emplace_back(0, 8);
    EXPECT_NE(judge(streams), Verdict::kAccepted) << stream;
  }
}

TEST_F(HostileTile, AStreamThatEndsEarlyIsMalformed) {
  for (const size_t stream : {kLevels, kSigns, kRemainders, kQuotients}) {
    Streams streams = honest();
    streams[stream].clear();
    EXPECT_EQ(judge(streams), Verdict::kMalformed) << stream;
  }
  Streams one_less = honest();
  one_less[kQuotients].pop_back();
  EXPECT_EQ(judge(one_less), Verdict::kMalformed);
}

TEST_F(HostileTile, APartialTileThatIsWholeOrEmptyIsMalformed) {
  const auto partial = [](uint32_t count, uint32_t parameter) {
    Streams streams = tile(2, 0, {5, 6, 7, 8, 9}, 0, 0);
    streams[kHeads] = {{kPartialTile, 4}, {count, 12}, {parameter, 4}, {0x4000, 16}, {0, 8}};
    return streams;
  };
  for (const uint32_t count : {0u, 5u, 6u, 4095u}) {
    EXPECT_EQ(judge(partial(count, 2)), Verdict::kMalformed) << count;
  }
  for (const uint32_t parameter : {kPartialTile, kZeroTile}) {
    EXPECT_EQ(judge(partial(1, parameter)), Verdict::kMalformed);
  }
}

}  // namespace
}  // namespace compress
