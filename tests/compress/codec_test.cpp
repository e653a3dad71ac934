// Goal: what every codec promises (compress/codec.h), whatever its format.
// Method: one suite over all that make_codec knows: properties over shapes and kinds of numbers,
// every truncation, every flipped bit, foreign and oversized bodies.
#include "compress/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "common/philox.h"
#include "compress/demo.h"
#include "tests/compress/support.h"

namespace compress {
namespace {

using testing::dense;
using testing::gaussian;
using testing::layout_of;
using testing::small_layout;

std::vector<float> of_kind(uint32_t kind, uint64_t count, uint64_t seed) {
  std::vector<float> values = gaussian(count, seed);
  common::Philox random(seed + 1);
  for (float& value : values) {
    if (kind == 1 && random.below(40) != 0) value = 0;
    if (kind == 2) value = static_cast<float>(random.below(5)) - 2.0f;
    if (kind == 3) value = std::ldexp(value, static_cast<int>(random.below(250)) - 126);
    if (kind == 4) value = random.below(2) == 0 ? 1.0f : -0.25f;
  }
  return values;
}
constexpr uint32_t kKinds = 5;

class EveryCodec : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Codec> codec_ =
      make_codec({.name = GetParam(), .tile = 64, .keep = 5, .feedback_decay = 0.95}).value();

  Verdict verdict_of(ByteView body, const Layout& layout) const {
    const auto update = codec_->decode(body, layout);
    return update ? Verdict::kAccepted : update.error();
  }
  static void expect_sound(const Update& update, const Layout& layout) {
    ASSERT_EQ(update.tensors.size(), layout.tensors().size());
    for (size_t t = 0; t < update.tensors.size(); ++t) {
      const SparseTensor& tensor = update.tensors[t];
      ASSERT_EQ(tensor.index.size(), tensor.value.size());
      ASSERT_TRUE(std::is_sorted(tensor.index.begin(), tensor.index.end(), std::less_equal<>()));
      if (!tensor.index.empty()) {
        ASSERT_LT(tensor.index.back(), layout.tensors()[t].size());
      }
      long double squares = 0;
      for (const float value : tensor.value) {
        ASSERT_TRUE(std::isfinite(value));
        squares += static_cast<long double>(value) * static_cast<long double>(value);
      }
      const auto norm = static_cast<double>(std::sqrt(squares));
      ASSERT_LE(std::fabs(tensor.norm - norm), 1e-12 * norm);
    }
    ASSERT_FALSE(update.is_zero());
  }
};

TEST_P(EveryCodec, CallsItselfByItsName) { EXPECT_EQ(codec_->name(), GetParam()); }

TEST_P(EveryCodec, DecodesWhatItEncodedForAnyShapeAndNumbers) {
  const std::vector<Layout> layouts = {
      small_layout(),
      layout_of({{130, 200}, {1, 5000}, {64, 64}, {5, 3}}, 4096, 7),
      layout_of({{65, 65}, {1, 4097}, {1, 1}}, 4096, 1),
      layout_of({{9, 9}, {1, 100}}, 64, 64),
      layout_of({{1, 64 * 1500}}, 64, 2),
  };
  for (const Layout& layout : layouts) {
    for (uint32_t kind = 0; kind < kKinds; ++kind) {
      const Bytes body = codec_->encode(of_kind(kind, layout.parameter_count(), 7), layout);
      ASSERT_LE(body.size(), codec_->body_size_max(layout));
      const auto update = codec_->decode(body, layout);
      ASSERT_TRUE(update) << name(update.error()) << " kind " << kind;
      expect_sound(*update, layout);
    }
  }
}

TEST_P(EveryCodec, IsCloserToTheValuesThanNothingIs) {
  if (GetParam() == "distro") GTEST_SKIP() << "signs have no size";
  const Layout layout = layout_of({{128, 64}, {1, 4096}}, 4096, 64);
  const std::vector<float> values = gaussian(layout.parameter_count(), 3);
  const std::vector<float> sent =
      dense(*codec_->decode(codec_->encode(values, layout), layout), layout);
  double error = 0, energy = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{values[i]} - double{sent[i]}, 2);
    energy += std::pow(double{values[i]}, 2);
  }
  EXPECT_LT(error, 0.95 * energy);  // 64 of 4,096 Gaussians hold 10 % of the energy.
}

TEST_P(EveryCodec, EveryTruncationAndEveryExtensionIsRefused) {
  const Layout layout = small_layout();
  Bytes body = codec_->encode(gaussian(layout.parameter_count(), 1), layout);
  ASSERT_EQ(verdict_of(body, layout), Verdict::kAccepted);
  for (size_t size = 0; size < body.size(); ++size) {
    ASSERT_NE(verdict_of(ByteView(body).first(size), layout), Verdict::kAccepted) << size;
  }
  body.push_back(0);
  EXPECT_NE(verdict_of(body, layout), Verdict::kAccepted);
  body.pop_back();
  body.insert(body.begin(), 0);
  const Verdict longer = verdict_of(body, layout);
  EXPECT_TRUE(longer == Verdict::kMalformed || longer == Verdict::kOversized);
}

TEST_P(EveryCodec, EveryFlippedBitIsRefusedOrSound) {
  const Layout layout = small_layout();
  size_t accepted = 0, refused = 0;
  for (uint32_t kind = 0; kind < kKinds; ++kind) {
    Bytes body = codec_->encode(of_kind(kind, layout.parameter_count(), 40 + kind), layout);
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      body[bit / 8] = static_cast<uint8_t>(body[bit / 8] ^ 1u << bit % 8);
      const auto update = codec_->decode(body, layout);
      if (update) expect_sound(*update, layout);
      ++(update ? accepted : refused);
      body[bit / 8] = static_cast<uint8_t>(body[bit / 8] ^ 1u << bit % 8);
    }
  }
  EXPECT_GT(accepted, 300u);
  EXPECT_GT(refused, GetParam() == "dense" ? 10u : 300u);  // There every finite number is right.
}

TEST_P(EveryCodec, ZerosAreEmptyAndHaveOneEncoding) {
  const Layout layout = small_layout();
  const std::vector<float> zeros(layout.parameter_count(), 0.0f);
  const std::vector<float> negative_zeros(layout.parameter_count(), -0.0f);
  const Bytes body = codec_->encode(zeros, layout);
  EXPECT_EQ(codec_->encode(negative_zeros, layout), body);
  EXPECT_EQ(verdict_of(body, layout), Verdict::kEmpty);
}

TEST_P(EveryCodec, AnEmptyModelIsAnEmptyBody) {
  const Layout layout = layout_of({});
  EXPECT_EQ(codec_->encode({}, layout), Bytes{});
  EXPECT_EQ(verdict_of({}, layout), Verdict::kEmpty);
}

TEST_P(EveryCodec, HugeAndTinyNumbersStayFinite) {
  const Layout layout = small_layout();
  for (const float size : {3.4e38f, 1e-37f}) {
    std::vector<float> values(layout.parameter_count(), size);
    for (size_t i = 0; i < values.size(); i += 3) values[i] = -size;
    const auto update = codec_->decode(codec_->encode(values, layout), layout);
    if (update) {
      expect_sound(*update, layout);
    } else {
      EXPECT_EQ(update.error(), Verdict::kEmpty);
    }
  }
}

TEST_P(EveryCodec, AnothersBodyAndAnOversizedOneAreNamed) {
  const Layout layout = small_layout();
  const uint64_t size_max = codec_->body_size_max(layout);
  EXPECT_EQ(verdict_of(Bytes(size_max + 1), layout), Verdict::kOversized);
  EXPECT_EQ(verdict_of({}, layout), Verdict::kWrongShape);
  const Bytes body = codec_->encode(gaussian(layout.parameter_count(), 1), layout);
  EXPECT_EQ(verdict_of(body, layout_of({{4, 4}})), Verdict::kOversized);
  EXPECT_EQ(verdict_of(body, layout_of({{4096, 4096}})), Verdict::kWrongShape);
}

TEST_P(EveryCodec, FeedbackLosesNothingButWhatWasSent) {
  if (GetParam() == "distro") GTEST_SKIP() << "what it sends has no size; see demo_test.cpp";
  const Layout layout = small_layout();
  std::vector<float> e = gaussian(layout.parameter_count(), 5);
  const std::vector<float> before = e;
  const std::vector<float> delta = gaussian(layout.parameter_count(), 6);
  const Bytes body = codec_->encode_feedback(e, 0.5f, delta, layout);
  const std::vector<float> sent = dense(*codec_->decode(body, layout), layout);
  for (size_t i = 0; i < e.size(); ++i) {
    // bf16 is within 2^-9, of coefficients of up to 64 values.
    ASSERT_NEAR(e[i] + sent[i], 0.5f * before[i] + delta[i], 0.02) << i;
  }
}

using EveryCodecDeathTest = EveryCodec;

TEST_P(EveryCodecDeathTest, NanInOurOwnUpdateIsABug) {
  const Layout layout = small_layout();
  std::vector<float> values = gaussian(layout.parameter_count(), 1);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    values[200] = bad;
    EXPECT_DEATH(codec_->encode(values, layout), "NaN or infinity");
  }
  values.pop_back();
  EXPECT_DEATH(codec_->encode(values, layout), "CHECK failed");
}

const auto kNames = ::testing::Values("sparseloco", "templar", "demo", "distro", "dense");
const auto kNameOf = [](const auto& of) { return of.param; };
INSTANTIATE_TEST_SUITE_P(All, EveryCodec, kNames, kNameOf);
INSTANTIATE_TEST_SUITE_P(All, EveryCodecDeathTest, kNames, kNameOf);

}  // namespace
}  // namespace compress
