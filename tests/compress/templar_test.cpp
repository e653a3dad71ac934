// Goal: templar is Templar's quantiser and packing, bit for bit, and refuses what `encode` cannot
// have written.
// Method: what a script made with PyTorch (golden/make_templar.py); worked examples of the
// published formulas; hostile bodies one by one.
#include "compress/templar.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>

#include "compress/pack12.h"
#include "tests/compress/golden.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::dense;
using testing::gaussian;
using testing::golden;
using testing::Golden;
using testing::layout_of;

const Templar kCodec;

std::vector<float> floats(const std::vector<std::string>& words) {
  std::vector<float> values;
  for (const std::string& word : words) {
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(std::stoul(word, nullptr, 16))));
  }
  return values;
}

TEST(Templar, QuantisesAsPyTorchDoes) {
  const Golden numbers = golden("templar.txt");
  for (const char* name : {"wrong_sign", "equal", "one", "heavy", "light"}) {
    const auto of = [&](const char* what) { return numbers.at(std::string(what) + "_" + name); };
    const std::vector<float> values = floats(of("values"));
    std::vector<uint8_t> codes(values.size());
    const TemplarLevels levels = templar_quantise(values, codes);
    const std::vector<float> parameters = floats(of("levels"));
    EXPECT_EQ(levels.mean, parameters[0]) << name;
    EXPECT_EQ(levels.scale, parameters[1]) << name;
    for (size_t j = 0; j < kTemplarLevels; ++j) EXPECT_EQ(levels.level[j], parameters[2 + j]);
    EXPECT_EQ(common::to_hex(codes), of("codes").at(0)) << name;
    const std::vector<float> sent = floats(of("sent"));
    for (size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(levels.value(codes[i]), sent[i]) << name;
  }
}

TEST(Templar, WholeBodiesAreTheBytesOfPyTorch) {
  const Golden numbers = golden("templar.txt");
  const auto body_of = [](uint32_t rows, uint32_t cols, uint32_t keep, uint64_t seed) {
    const auto values = testing::heavy_tailed(uint64_t{rows} * cols, seed, cols, 30);
    return common::to_hex(kCodec.encode(values, layout_of({{rows, cols}}, 4096, keep)));
  };
  EXPECT_EQ(body_of(128, 64, 64, 3), numbers.at("body_128_64_64_3").at(0));
  EXPECT_EQ(body_of(64, 192, 16, 4), numbers.at("body_64_192_16_4").at(0));
}

TEST(Templar, OfTiesTheLowerOffsetIsSent) {
  const Layout layout = layout_of({{8, 8}}, 64, 3);
  const auto update = kCodec.decode(kCodec.encode(std::vector<float>(64, -2.0f), layout), layout);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->tensors[0].index, (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ(update->tensors[0].value, (std::vector<float>(3, -2.0f)));
}

TEST(Templar, PlacesValuesOfTilesSideBySide) {
  const Layout layout = layout_of({{8, 16}}, 64, 2);
  std::vector<float> values(128, 0.0f);
  values[0] = values[9] = values[119] = values[120] = 4;
  const auto update = kCodec.decode(kCodec.encode(values, layout), layout);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->tensors[0].index, (std::vector<uint32_t>{0, 9, 119, 120}));
  EXPECT_EQ(update->tensors[0].norm, 8.0);
}

TEST(Templar, CostsTwentyBitsAValueAndSixNumbersATensor) {
  const Layout layout = layout_of({{64, 128}, {1, 4096}}, 4096, 64);
  EXPECT_EQ(kCodec.body_size_max(layout), 3 * 64 * 20 / 8 + 2 * 24u);
  EXPECT_EQ(kCodec.encode(gaussian(layout.parameter_count(), 1), layout).size(),
            kCodec.body_size_max(layout));
}

// --- a body by a stranger: two tiles of one vector, three of 64 kept of each ---

class HostileTemplar : public ::testing::Test {
 protected:
  struct Parts {
    std::vector<uint16_t> offsets = {1, 2, 63, 0, 5, 6};
    Bytes codes = {1, 3, 3, 1, 1, 3};
    float mean = 0.5f;
    float scale = 2;
    std::vector<float> levels = {0, -2, 0, 3};
  };
  static Verdict judge(const std::function<void(Parts&)>& change) {
    Parts parts;
    change(parts);
    Bytes body;
    pack12(parts.offsets, body);
    body.insert(body.end(), parts.codes.begin(), parts.codes.end());
    common::ByteWriter numbers;
    numbers.number(parts.mean).number(parts.scale);
    for (const float level : parts.levels) numbers.number(level);
    body.insert(body.end(), numbers.bytes().begin(), numbers.bytes().end());
    const auto update = kCodec.decode(body, layout_of({{1, 128}}, 64, 3));
    return update ? Verdict::kAccepted : update.error();
  }
};

TEST_F(HostileTemplar, TheHonestOneIsAccepted) {
  EXPECT_EQ(judge([](Parts&) {}), Verdict::kAccepted);
}
TEST_F(HostileTemplar, OffsetsThatDoNotAscendOrLeaveTheTileAreMalformed) {
  EXPECT_EQ(judge([](Parts& p) { p.offsets[1] = 1; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Parts& p) { p.offsets[1] = 0; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Parts& p) { p.offsets[2] = 64; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Parts& p) { p.offsets[5] = 4095; }), Verdict::kMalformed);
}
TEST_F(HostileTemplar, ACodeThatIsNoneIsMalformed) {
  EXPECT_EQ(judge([](Parts& p) { p.codes[0] = 4; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Parts& p) { p.codes[5] = 255; }), Verdict::kMalformed);
}
TEST_F(HostileTemplar, ALevelThatNoMeanCanBeIsMalformed) {
  EXPECT_EQ(judge([](Parts& p) { p.levels[1] = -4; }), Verdict::kMalformed);    // Bin 0's.
  EXPECT_EQ(judge([](Parts& p) { p.levels[2] = 0.1f; }), Verdict::kMalformed);  // Of no value.
  EXPECT_EQ(judge([](Parts& p) { p.levels[0] = -0.0f; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Parts& p) { p.scale = 0; }), Verdict::kMalformed);
  EXPECT_EQ(judge([](Parts& p) { p.scale = -2; }), Verdict::kMalformed);
}
TEST_F(HostileTemplar, NumbersThatAreNoneAreNonFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    EXPECT_EQ(judge([&](Parts& p) { p.mean = bad; }), Verdict::kNonFinite);
    EXPECT_EQ(judge([&](Parts& p) { p.scale = bad; }), Verdict::kNonFinite);
    for (size_t j = 0; j < 4; ++j) {
      EXPECT_EQ(judge([&](Parts& p) { p.levels[j] = bad; }), Verdict::kNonFinite);
    }
  }
  EXPECT_EQ(judge([](Parts& p) {
              p.mean = 3e38f;
              p.levels[3] = 3e38f;
            }),
            Verdict::kNonFinite);  // Only their sum is not finite.
}

TEST(Pack12, IsThePublishedExampleAndItsInverse) {
  const std::vector<uint16_t> numbers = {1, 4095, 2748, 291};
  Bytes packed;
  pack12(numbers, packed);
  EXPECT_EQ(common::to_hex(packed), golden("templar.txt").at("pack").at(0));
  EXPECT_EQ(common::to_hex(packed), "01f0ffbc3a12");
  for (size_t count = 0; count <= numbers.size(); ++count) {
    Bytes some;
    pack12(std::span(numbers).first(count), some);
    ASSERT_EQ(some.size(), packed12_size(count));
    std::vector<uint16_t> back(count);
    EXPECT_TRUE(unpack12(some, back));
    EXPECT_TRUE(std::equal(back.begin(), back.end(), numbers.begin()));
  }
}

TEST(Pack12, PaddingThatIsNotZeroIsRefused) {
  std::vector<uint16_t> one(1);
  EXPECT_TRUE(unpack12(Bytes{0xFF, 0x0F}, one));
  EXPECT_FALSE(unpack12(Bytes{0xFF, 0x1F}, one));
}

}  // namespace
}  // namespace compress
