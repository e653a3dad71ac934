// Goal: dense sends every value as the nearest bf16, in one encoding, and refuses all others.
// Method: the nearest of all 65,536 numbers as oracle; bodies by hand.
#include "compress/dense.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/bf16.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::dense;
using testing::gaussian;
using testing::layout_of;
using testing::small_layout;

const Dense kCodec;

Verdict verdict_of(ByteView body, const Layout& layout) {
  const auto update = kCodec.decode(body, layout);
  return update ? Verdict::kAccepted : update.error();
}

// The finite bf16 nearest to `value`; of two the one with an even last bit.
float nearest(float value) {
  float best = 0;
  double best_distance = INFINITY;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float candidate = from_bf16(static_cast<uint16_t>(bits));
    if (!std::isfinite(candidate)) continue;
    const double distance = std::fabs(double{candidate} - double{value});
    if (distance < best_distance || (distance == best_distance && bits % 2 == 0)) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

TEST(Dense, SendsTheNearestNumber) {
  const Layout layout = layout_of({{5, 7}, {1, 5}});
  std::vector<float> values = gaussian(40, 1);
  values[0] = 1.00390625f;  // Half way.
  values[1] = -1.01171875f;
  values[2] = 3.4028235e38f;  // Beyond the largest bf16.
  values[3] = 1e-40f;         // Denormal,
  values[4] = 1e-45f;         //   and less than half of the least.
  values[5] = -0.0f;
  const std::vector<float> sent =
      dense(*kCodec.decode(kCodec.encode(values, layout), layout), layout);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(sent[i], nearest(values[i])) << values[i];
}

TEST(Dense, IsTwoBytesAValueInOrder) {
  const Layout layout = layout_of({{1, 3}});
  EXPECT_EQ(common::to_hex(kCodec.encode(std::vector<float>{1, -2, 0}, layout)), "803f00c00000");
  EXPECT_EQ(kCodec.body_size_max(layout), 6u);
}

TEST(Dense, ReencodingADecodedUpdateGivesTheSameBytes) {
  const Layout layout = small_layout();
  const Bytes body = kCodec.encode(gaussian(layout.parameter_count(), 2), layout);
  EXPECT_EQ(kCodec.encode(dense(*kCodec.decode(body, layout), layout), layout), body);
}

TEST(Dense, NamesWhatIsWrong) {
  const Layout layout = layout_of({{1, 2}});
  EXPECT_EQ(verdict_of(Bytes{0x80, 0x3F, 0, 0}, layout), Verdict::kAccepted);
  EXPECT_EQ(verdict_of(Bytes{0x80, 0x3F, 0}, layout), Verdict::kWrongShape);
  EXPECT_EQ(verdict_of(Bytes{0x80, 0x3F, 0, 0, 0}, layout), Verdict::kOversized);
  EXPECT_EQ(verdict_of(Bytes{0x80, 0x3F, 0, 0x80}, layout), Verdict::kMalformed);  // -0
  EXPECT_EQ(verdict_of(Bytes{0x80, 0x3F, 0x80, 0x7F}, layout), Verdict::kNonFinite);
  EXPECT_EQ(verdict_of(Bytes{0x80, 0x3F, 0xC0, 0xFF}, layout), Verdict::kNonFinite);  // NaN
  EXPECT_EQ(verdict_of(Bytes(4), layout), Verdict::kEmpty);
}

}  // namespace
}  // namespace compress
