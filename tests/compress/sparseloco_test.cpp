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
#include <optional>
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
using testing::of_kind;
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
  // One tile, 2 of 8 values kept: -1 at 1 and 0.5 at 4. The modulus of their gaps is 8 * 11 / 32 =
  // 2, so remainders have one bit: gap 1 is remainder 1, gap 2 quotient 1.
  //   levels      01 00 00 00: bytes
  //               03: one of the pair is high; the first; not the second
  //   heads       01: all are whole; no steps, both parameters 0
  //               00 30 08: high 1 = 128 * 2^(96 - 103), 96 over mantissa 0, so 3000 in 14 bits;
  //               ratio 32 in 6
  //   values      55: fields 1 0, signs 1 0, quotients 1 01
  //   its size    0a 00 00 00
  const Layout layout = layout_of({{1, 8}}, 64, 16);
  const Bytes body = kCodec.encode(std::vector<float>{0, -1, 0, 0, 0.5f, 0, 0, 0}, layout);
  EXPECT_EQ(common::to_hex(body),
            "01000000"
            "03"
            "01003008"
            "55"
            "0a000000");
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

TEST(SparseLoco, ZeroTilesBetweenOthersCostTwoBits) {
  const Layout layout = layout_of({{1, 64 * 20}}, 64, 5);
  std::vector<float> values(layout.parameter_count(), 0.0f);
  values[64 * 13 + 7] = 1;
  const Bytes body = kCodec.encode(values, layout);
  // Table 4; size of levels 4; heads: 8 bits, 19 * 2, and one partial tile's 2 + 12 + 20; gap 7 of
  // modulus 8: three bits of remainder and a quotient of one; a sign.
  EXPECT_EQ(body.size(), 4u + 4 + (8 + 19 * 2 + 34) / 8 + 1);
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

// --- tiles written by a stranger: keep 4 of 64, so that a gap's modulus is 11 ---

// What the three streams hold: fields of a value and a width; of width kUnary, so many zeros and a
// one.
constexpr uint32_t kUnary = 100;
using Stream = std::vector<std::pair<uint64_t, uint32_t>>;
enum { kLevels, kHeads, kValues };
// Fields of kHeads.
enum { kAllWhole, kHighRice, kRatioRice, kHigh, kRatio };

struct Streams {
  Stream& operator[](size_t i) { return stream[i]; }

  std::array<Stream, 3> stream;
  std::optional<uint32_t> level_bytes;  // Instead of what they are.
};

class HostileTile : public ::testing::Test {
 protected:
  static constexpr uint32_t kModulus = 11;
  static constexpr uint32_t kPlain = 5;  // Remainders below are 3 bits, the others 4.

  static Bytes bytes_of(const Stream& stream) {
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
    return {out.bytes().begin(), out.bytes().end()};
  }
  static Verdict judge(const Streams& streams, uint32_t tiles = 1) {
    const Layout layout = layout_of({{1, 64 * tiles}}, 64, 4);
    common::ByteWriter group;
    const Bytes levels = bytes_of(streams.stream[kLevels]);
    group.number(streams.level_bytes.value_or(static_cast<uint32_t>(levels.size())));
    group.raw(levels);
    group.raw(bytes_of(streams.stream[kHeads]));
    group.raw(bytes_of(streams.stream[kValues]));
    Bytes body = std::move(group).bytes();
    const auto size = static_cast<uint32_t>(body.size());
    common::ByteWriter table;
    table.number(size);
    body.insert(body.end(), table.bytes().begin(), table.bytes().end());
    return verdict_of(body, layout);
  }
  static void add_values(const std::vector<uint32_t>& gaps, Streams& to) {
    Stream last_bits;
    for (const uint32_t gap : gaps) {
      const uint32_t remainder = gap % kModulus;
      if (remainder < kPlain) {
        to[kValues].emplace_back(remainder, 3);
      } else {
        to[kValues].emplace_back((remainder + kPlain) / 2, 3);
        last_bits.emplace_back((remainder + kPlain) % 2, 1);
      }
    }
    to[kValues].emplace_back(0b0101, gaps.size());
    to[kValues].insert(to[kValues].end(), last_bits.begin(), last_bits.end());
    for (const uint32_t gap : gaps) to[kValues].emplace_back(gap / kModulus, kUnary);
  }
  // One level, so that there are none to read.
  static Streams tile(const std::vector<uint32_t>& gaps) {
    Streams made;
    made[kHeads] = {{1, 1}, {0, 4}, {0, 3}, {0x1000, 14}, {0, 6}};
    add_values(gaps, made);
    return made;
  }
  // The second and the third value are high: both pairs have one, of the first pair not the first,
  // of the second the first and not the second.
  static Streams honest() {
    Streams made = tile({5, 6, 12, 30});
    made[kHeads][kRatio].first = 25;
    made[kLevels] = {{0b11, 2}, {0b10, 2}, {0, 1}};
    return made;
  }
  // So few values that the tile is partial.
  static Streams partial(const std::vector<uint32_t>& gaps, uint32_t count) {
    Streams made = tile(gaps);
    made[kHeads] = {{0, 1}, {0, 4}, {0, 3}, {0b10, 2}, {count, 12}, {0x1000, 14}, {0, 6}};
    return made;
  }
};

TEST_F(HostileTile, TheHonestOnesAreAccepted) {
  EXPECT_EQ(judge(honest()), Verdict::kAccepted);
  EXPECT_EQ(judge(tile({5, 6, 7, 8})), Verdict::kAccepted);
  EXPECT_EQ(judge(partial({5, 6, 7}, 3)), Verdict::kAccepted);
}

TEST_F(HostileTile, AnotherRiceParameterIsMalformed) {
  for (const size_t which : {kHighRice, kRatioRice}) {
    for (uint32_t parameter = 1; parameter < 8; ++parameter) {
      Streams streams = honest();
      streams[kHeads][which].first = parameter;
      EXPECT_EQ(judge(streams), Verdict::kMalformed) << which << " " << parameter;
    }
  }
}

// Of one number: the first under which no more than two are in unary.
uint32_t best_parameter(uint32_t number) {
  uint32_t parameter = 0;
  while (number >> parameter > 2) ++parameter;
  return parameter;
}

TEST_F(HostileTile, AStepOutOfRangeIsMalformed) {
  const auto two_tiles = [](uint32_t high, uint32_t high_step, uint32_t ratio_step) {
    Streams streams = tile({5, 6, 7, 8});
    const uint32_t high_rice = best_parameter(high_step);
    const uint32_t ratio_rice = best_parameter(ratio_step);
    Stream& heads = streams[kHeads];
    heads[kHigh].first = high;
    heads[kHighRice].first = high_rice;
    heads[kRatioRice].first = ratio_rice;
    heads.emplace_back(high_step >> high_rice, kUnary);
    heads.emplace_back(high_step & ((1u << high_rice) - 1), high_rice);
    heads.emplace_back(ratio_step >> ratio_rice, kUnary);
    heads.emplace_back(ratio_step & ((1u << ratio_rice) - 1), ratio_rice);
    add_values({5, 6, 7, 8}, streams);
    return judge(streams, 2);
  };
  EXPECT_EQ(two_tiles(0x3FFE, 2, 0), Verdict::kAccepted);   // One up,
  EXPECT_EQ(two_tiles(0x3FFE, 4, 0), Verdict::kMalformed);  //   two.
  EXPECT_EQ(two_tiles(1, 1, 0), Verdict::kAccepted);        // One down,
  EXPECT_EQ(two_tiles(1, 3, 0), Verdict::kMalformed);       //   two.
  EXPECT_EQ(two_tiles(1, 2 * 0x3FFE, 0), Verdict::kAccepted);
  EXPECT_EQ(two_tiles(1, 2 * 0x3FFF, 0), Verdict::kMalformed);
  EXPECT_NE(two_tiles(1, 1 << 20, 0), Verdict::kAccepted);
  EXPECT_EQ(two_tiles(1, 0, 1), Verdict::kMalformed);  // A ratio below 0.
  EXPECT_EQ(two_tiles(1, 0, 2 * 64), Verdict::kMalformed);
}

TEST_F(HostileTile, AHugeGapIsMalformed) {
  for (const uint32_t gap : {61u, 64u, 1000u, 1u << 20}) {
    const auto verdict = judge(tile({gap, 0, 0, 0}));
    EXPECT_TRUE(verdict == Verdict::kMalformed || verdict == Verdict::kWrongShape ||
                verdict == Verdict::kOversized)
        << gap;
  }
}

TEST_F(HostileTile, AnOffsetJustBeyondTheTileIsMalformed) {
  // Sum of gaps and four: 64 is the last that fits.
  EXPECT_EQ(judge(tile({15, 15, 15, 15})), Verdict::kAccepted);
  EXPECT_EQ(judge(tile({16, 15, 15, 15})), Verdict::kMalformed);
  EXPECT_EQ(judge(tile({15, 15, 15, 16})), Verdict::kMalformed);
}

TEST_F(HostileTile, ARatioWithoutBothLevelsIsMalformed) {
  Streams streams = honest();
  streams[kLevels] = {{0, 2}};
  EXPECT_EQ(judge(streams), Verdict::kMalformed);
  streams[kLevels] = {{0b11, 2}, {0b11, 2}, {0b11, 2}};
  EXPECT_EQ(judge(streams), Verdict::kMalformed);
}

TEST_F(HostileTile, ALevelOfAValueThatIsNotThereIsMalformed) {
  Streams streams = partial({5, 6, 7}, 3);
  streams[kHeads].back().first = 25;
  streams[kLevels] = {{0b11, 2}, {0b01, 2}, {0, 1}};  // The second pair's second.
  EXPECT_EQ(judge(streams), Verdict::kMalformed);
  streams[kLevels] = {{0b11, 2}, {0b10, 2}, {0, 1}};  // Its first.
  EXPECT_EQ(judge(streams), Verdict::kAccepted);
}

TEST_F(HostileTile, AnotherSizeOfTheLevelsIsMalformed) {
  for (const uint32_t size : {0u, 2u, 0xFFFFFFFF}) {
    Streams streams = honest();
    streams.level_bytes = size;
    EXPECT_EQ(judge(streams), Verdict::kMalformed) << size;
  }
}

TEST_F(HostileTile, NonzeroPaddingInAnyStreamIsMalformed) {
  for (const size_t stream : {kLevels, kHeads, kValues}) {
    Streams streams = honest();
    streams[stream].emplace_back(1, 1);  // Each has room for it.
    EXPECT_EQ(judge(streams), Verdict::kMalformed) << stream;
  }
}

TEST_F(HostileTile, ASpareByteInAnyStreamIsMalformed) {
  for (const size_t stream : {kLevels, kHeads, kValues}) {
    Streams streams = honest();
    streams[stream].emplace_back(0, 8);
    EXPECT_NE(judge(streams), Verdict::kAccepted) << stream;
  }
}

TEST_F(HostileTile, AStreamThatEndsEarlyIsMalformed) {
  for (const size_t stream : {kLevels, kHeads, kValues}) {
    Streams streams = honest();
    streams[stream].clear();
    EXPECT_NE(judge(streams), Verdict::kAccepted) << stream;
  }
  Streams one_less = honest();
  one_less[kValues].pop_back();
  EXPECT_EQ(judge(one_less), Verdict::kMalformed);
}

TEST_F(HostileTile, APartialTileThatIsWholeOrEmptyIsMalformed) {
  for (const uint32_t count : {0u, 4u, 5u, 4095u}) {
    EXPECT_EQ(judge(partial({5, 6, 7, 8}, count)), Verdict::kMalformed) << count;
  }
  // All are whole, and yet it is said of each.
  Streams streams = tile({5, 6, 7, 8});
  streams[kHeads] = {{0, 1}, {0, 4}, {0, 3}, {1, 1}, {0x1000, 14}, {0, 6}};
  EXPECT_EQ(judge(streams), Verdict::kMalformed);
}

}  // namespace
}  // namespace compress
