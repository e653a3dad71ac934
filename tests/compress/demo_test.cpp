// Goal: demo and distro are DeMo's algorithm: what is sent, what stays in the momentum, which way
// the model steps; and their bytes are canonical.
// Method: whole runs that a script made with PyTorch in fp64 (golden/make_demo.py); a body by hand;
// re-encoding of every accepted flip; hostile bodies.
#include "compress/demo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "common/hash.h"
#include "compress/aggregate.h"
#include "compress/bit_stream.h"
#include "tests/compress/golden.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::dense;
using testing::gaussian;
using testing::golden;
using testing::Golden;
using testing::layout_of;
using testing::small_layout;

const Demo kDemo(Demo::Values::kBf16);
const Demo kDistro(Demo::Values::kSign);

std::string at(const char* what, uint32_t window, uint32_t miner) {
  return std::string(what) + "_" + std::to_string(window) + "_" + std::to_string(miner);
}

// What the codec does to two miners' momenta and to the step, held against the script's lines.
void follow(const Demo& codec, uint32_t keep, float decay, const std::string& name) {
  const Golden numbers = golden("demo.txt");
  const Layout layout = layout_of({{128, 64}, {1, 64}}, 4096, keep);
  std::vector<std::vector<float>> momenta(2, std::vector<float>(layout.parameter_count()));
  for (uint32_t window = 0; window < 3; ++window) {
    std::vector<Update> updates;
    for (uint32_t miner = 0; miner < 2; ++miner) {
      const auto delta =
          testing::heavy_tailed(layout.parameter_count(), 1 + 10 * window + miner, 64, 45);
      const Bytes body = codec.encode_feedback(momenta[miner], decay, delta, layout);
      const auto coefficients = codec.decode_coefficients(body, layout);
      ASSERT_TRUE(coefficients);
      std::vector<std::string> sent;
      for (size_t t = 0; t < 2; ++t) {
        for (const uint32_t index : coefficients->tensors[t].index) {
          sent.push_back(std::to_string(index + layout.tensors()[t].offset));
        }
      }
      EXPECT_EQ(sent, numbers.at(at((name + "_sent").c_str(), window, miner)));
      const auto& expected = numbers.at(at((name + "_momentum").c_str(), window, miner));
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(momenta[miner][97 * i], std::stod(expected[i]), 1e-4) << window << miner << i;
      }
      updates.push_back(*codec.decode(body, layout));
    }
    // The transform is linear: the mean of what was decoded is what the mean decodes to.
    std::vector<float> step = dense(updates[0], layout);
    add_to(step, updates[1], layout, std::vector<float>(2, 1.0f));
    take_signs(step);
    const std::string marks = numbers.at(name + "_step_" + std::to_string(window)).at(0);
    for (size_t i = 0; i < marks.size(); ++i) {
      if (marks[i] == '?') continue;
      ASSERT_EQ(step[7 * i], marks[i] == '+' ? 1.0f : -1.0f) << window << " at " << 7 * i;
    }
  }
}

TEST(Demo, FollowsPyTorchForThreeWindows) { follow(kDemo, 32, 0.999f, "demo"); }
TEST(Distro, FollowsPyTorchForThreeWindows) { follow(kDistro, 4, 0.995f, "distro"); }

TEST(Demo, OneSmallUpdateIsTheseBytes) {
  // One run of four, two coefficients kept: of (1, 1, -1, -1) the DCT is (0, a, 0, -b) with
  // a = sqrt(1/2) (cos 22.5 + cos 67.5) 2 = 1.8478 -> bf16 3FEC or 3FED: 1.84375 or 1.8515625;
  //   nearest 3FED; b = 0.7654 -> -0.765625 = BF44.
  //   bits: 1; offsets 1, 3; 3FED, BF44: 57 bits; size 08 00 00 00.
  const Layout layout = layout_of({{1, 4}}, 4, 2);
  const Bytes body = kDemo.encode(std::vector<float>{1, 1, -1, -1}, layout);
  Bytes room(32);
  BitWriter out(room.data());
  out.put(1, 1);
  out.put(1, 12);
  out.put(3, 12);
  out.put(0x3FED, 16);
  out.put(0xBF44, 16);
  out.pad();
  out.put(8, 32);
  EXPECT_EQ(common::to_hex(body), common::to_hex(out.bytes()));
}

TEST(Distro, TakesThirteenBitsAValueAndOneATile) {
  const Layout layout = layout_of({{64, 128}}, 4096, 4);
  EXPECT_EQ(kDistro.encode(gaussian(8192, 1), layout).size(), 4 + (2 * (1 + 4 * 13) + 7) / 8u);
}

TEST(Distro, ATileOfZerosSendsNoSigns) {
  const Layout layout = layout_of({{64, 128}}, 4096, 4);
  std::vector<float> values(8192, 0.0f);
  for (size_t row = 0; row < 64; ++row) values[row * 128] = 1;
  const auto update = kDistro.decode(kDistro.encode(values, layout), layout);
  ASSERT_TRUE(update);
  const std::vector<float> sent = dense(*update, layout);
  for (size_t row = 0; row < 64; ++row) {
    for (size_t col = 64; col < 128; ++col) ASSERT_EQ(sent[row * 128 + col], 0);
  }
}

TEST(Demo, EveryFlippedBitIsRefusedOrAnotherCanonicalUpdate) {
  const Layout layout = small_layout();
  for (const Demo* codec : {&kDemo, &kDistro}) {
    std::vector<float> values = gaussian(layout.parameter_count(), 9);
    for (size_t i = 0; i < 200; ++i) values[i] = 0;  // Tiles that send fewer, or none.
    const Bytes body = codec->encode(values, layout);
    size_t accepted = 0;
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      Bytes flipped = body;
      flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
      const auto update = codec->decode_coefficients(flipped, layout);
      if (!update) continue;
      ++accepted;
      ASSERT_EQ(codec->encode_coefficients(dense(*update, layout), layout), flipped) << bit;
    }
    EXPECT_GT(accepted, 50u);
  }
}

TEST(Demo, AggregatedByCoefficientOrByParameterIsTheSameOverContributors) {
  const Layout layout = small_layout();
  Update coefficients[2], parameters[2];
  for (size_t i = 0; i < 2; ++i) {
    const Bytes body = kDemo.encode(gaussian(layout.parameter_count(), 20 + i), layout);
    coefficients[i] = *kDemo.decode_coefficients(body, layout);
    parameters[i] = *kDemo.decode(body, layout);
  }
  const auto mean = [&](const Update(&of)[2]) {
    const std::vector<Contributor> both = {{{1}, 1.0, &of[0]}, {{2}, 1.0, &of[1]}};
    return aggregate(both, layout, testing::outer_params());
  };
  std::vector<float> by_coefficient = mean(coefficients);
  to_parameters(by_coefficient, layout);
  const std::vector<float> by_parameter = mean(parameters);
  for (size_t i = 0; i < by_parameter.size(); ++i) {
    ASSERT_NEAR(by_coefficient[i], by_parameter[i], 1e-5);
  }
}

TEST(Demo, TheDecodedBitsAreTheCommittedOnes) {
  const Layout layout = layout_of({{130, 200}, {1, 5000}, {5, 3}}, 4096, 16);
  common::Hasher hasher;
  for (const Demo* codec : {&kDemo, &kDistro}) {
    const Bytes body = codec->encode(gaussian(layout.parameter_count(), 4), layout);
    hasher.update(body);
    const std::vector<float> values = dense(*codec->decode(body, layout), layout);
    hasher.update({reinterpret_cast<const uint8_t*>(values.data()), 4 * values.size()});
  }
  EXPECT_EQ(common::to_hex(hasher.finish().bytes),
            "e8c183bff3876cf4138997db63c6c8954d40ba03372450ebb1033e5f91316751");
}

// --- one tile by a stranger: two of 64 kept ---

class HostileDemo : public ::testing::Test {
 protected:
  static Verdict judge(const Demo& codec, const std::function<void(BitWriter&)>& write) {
    Bytes room(64);
    BitWriter out(room.data());
    write(out);
    out.pad();
    common::ByteWriter body;
    body.raw(out.bytes()).number(static_cast<uint32_t>(out.bytes().size()));
    const auto update = codec.decode(body.bytes(), layout_of({{1, 64}}, 64, 2));
    return update ? Verdict::kAccepted : update.error();
  }
  static Verdict whole(uint32_t a, uint32_t b, uint32_t x, uint32_t y) {
    return judge(kDemo, [&](BitWriter& out) {
      out.put(1, 1);
      out.put(a, 12);
      out.put(b, 12);
      out.put(x, 16);
      out.put(y, 16);
    });
  }
  // Says `count`, then brings one.
  static Verdict partial(uint32_t count) {
    return judge(kDistro, [&](BitWriter& out) {
      out.put(count << 1, 13);
      if (count > 0) out.put(7, 12);
      if (count > 0) out.put(1, 1);
    });
  }
};

TEST_F(HostileDemo, NamesWhatIsWrong) {
  EXPECT_EQ(whole(3, 5, 0x3F80, 0xBF80), Verdict::kAccepted);
  EXPECT_EQ(whole(5, 5, 0x3F80, 0xBF80), Verdict::kMalformed);   // Twice,
  EXPECT_EQ(whole(5, 3, 0x3F80, 0xBF80), Verdict::kMalformed);   //   unsorted,
  EXPECT_EQ(whole(3, 64, 0x3F80, 0xBF80), Verdict::kMalformed);  //   out of the tile;
  EXPECT_EQ(whole(3, 5, 0x3F80, 0), Verdict::kMalformed);        //   zero, and its negative;
  EXPECT_EQ(whole(3, 5, 0x3F80, 0x8000), Verdict::kMalformed);
  EXPECT_EQ(whole(3, 5, 0x3F80, 0x7F7F), Verdict::kMalformed);  // More than 2^107.
  EXPECT_EQ(whole(3, 5, 0x3F80, 0x7F80), Verdict::kNonFinite);
  EXPECT_EQ(whole(3, 5, 0xFFC0, 0x3F80), Verdict::kNonFinite);
}

TEST_F(HostileDemo, APartialTileHasFewerThanItCould) {
  EXPECT_EQ(partial(0), Verdict::kEmpty);
  EXPECT_EQ(partial(1), Verdict::kAccepted);
  EXPECT_EQ(partial(2), Verdict::kMalformed);
  EXPECT_EQ(partial(4095), Verdict::kMalformed);
}

TEST_F(HostileDemo, PaddingThatIsNotZeroIsMalformed) {
  EXPECT_EQ(judge(kDistro,
                  [](BitWriter& out) {
                    out.put(1 << 1, 13);
                    out.put(7, 12);
                    out.put(0b10, 2);
                  }),
            Verdict::kMalformed);
}

TEST(TakeSigns, IsMinusOneZeroOrOne) {
  std::vector<float> values = {3, -0.5f, 0, -0.0f, 1e-45f};
  take_signs(values);
  EXPECT_EQ(values, (std::vector<float>{1, -1, 0, 0, 1}));
}

}  // namespace
}  // namespace compress
