// Goal: what contributors can do to theta together is bounded: zeros zero nobody, one of a huge
// norm counts as much as others, and nothing that counts is changed unseen. Method: bodies of every
// codec judged and stepped as they lie, against worked limits and the formula in fp64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/aggregate.h"
#include "compress/outer_step.h"
#include "tests/compress/doors.h"

namespace compress {
namespace {

using testing::Doors;
using testing::gaussian;
using testing::kCodecNames;
using testing::layout_of;
using testing::outer_params;
using testing::Stored;

const float kLargest = std::numeric_limits<float>::max();

// Contributors by ascending uid; each keeps its bytes.
class Window {
 public:
  explicit Window(const Doors& doors) : doors_(doors) {}

  void add(const std::vector<float>& values) { add_body(doors_.encode(values)); }
  void add_body(Bytes body) {
    bodies_.push_back(std::make_unique<Bytes>(std::move(body)));
    stored_.push_back(std::make_unique<Stored>(*bodies_.back(), doors_.format()));
  }

  std::vector<StoredContributor> contributors() const {
    std::vector<StoredContributor> made;
    for (uint16_t p = 0; p < stored_.size(); ++p) {
      made.push_back({{p}, 1.0, &stored_[p]->body(), &stored_[p]->sums()});
    }
    return made;
  }
  const BodySums& sums(size_t p) const { return stored_[p]->sums(); }
  Bytes& bytes(size_t p) { return *bodies_[p]; }

  // theta after a step of 1 from zero, less its sign: G.
  std::vector<float> direction(const common::OuterParams& params) const {
    std::vector<float> theta(doors_.layout().parameter_count());
    const auto stepped = outer_step(theta, contributors(), doors_.format(), params, -1.0f,
                                    all_pieces(doors_.format()), 2);
    EXPECT_TRUE(stepped) << stepped.error().message;
    return theta;
  }

 private:
  const Doors& doors_;
  std::vector<std::unique_ptr<Bytes>> bodies_;
  std::vector<std::unique_ptr<Stored>> stored_;
};

double norm(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * double{value};
  return std::sqrt(squares);
}

class AdversaryStep : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<float> honest(uint64_t seed) const {
    return gaussian(layout_.parameter_count(), seed);
  }
  std::span<const float> of_tensor(const std::vector<float>& flat, size_t t) const {
    const Tensor& tensor = layout_.tensors()[t];
    return std::span(flat).subspan(tensor.offset, tensor.size());
  }
  // Zero but for the second tensor.
  std::vector<float> without_the_first(uint64_t seed) const {
    std::vector<float> values = honest(seed);
    std::fill_n(values.begin(), layout_.tensors()[0].size(), 0.0f);
    return values;
  }
  bool has_sizes() const { return GetParam() != "distro"; }  // There all are signs.

  const Layout layout_ = layout_of({{16, 24}, {1, 100}}, 64, 5);
  const Doors doors_{GetParam(), layout_};
};

// W30: norms of the first tensor are 0, 0, 0, n. Without a floor its limit is their median, 0.
TEST_P(AdversaryStep, AMajorityOfZerosZeroesNobodyIfThereIsAFloor) {
  Window window(doors_);
  for (uint64_t p = 0; p < 3; ++p) window.add(without_the_first(p));
  window.add(honest(3));
  const double n = window.sums(3).norms[0];
  ASSERT_GT(n, 0);
  ASSERT_EQ(window.sums(0).norms[0], 0);

  const auto zeroed = window.direction(outer_params("contributors", 0));
  EXPECT_EQ(norm(of_tensor(zeroed, 0)), 0);
  EXPECT_GT(norm(of_tensor(zeroed, 1)), 0);
  for (const double floor : {0.1, 0.5, 1.0}) {
    const auto G = window.direction(outer_params("contributors", floor));
    // Clipped to floor * n / 4, and divided by four.
    EXPECT_NEAR(norm(of_tensor(G, 0)), floor * n / 16, 1e-6 * n) << floor;
    for (const float value : G) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST_P(AdversaryStep, OneOfAHugeNormCountsAsTheMedianDoes) {
  if (!has_sizes()) GTEST_SKIP() << "signs have no size";
  for (const float size : {100.0f, 1e9f, 1e30f, kLargest}) {
    Window window(doors_);
    for (uint64_t p = 0; p < 4; ++p) window.add(honest(p));
    std::vector<float> huge = honest(4);
    for (float& value : huge) value = std::copysign(size, value);
    window.add(huge);
    const auto factors = clip_factors(window.contributors(), outer_params());
    const auto G = window.direction(outer_params());
    for (size_t t = 0; t < 2; ++t) {
      std::vector<double> norms;
      for (size_t p = 0; p < 5; ++p) norms.push_back(window.sums(p).norms[t]);
      const double own = norms[4];
      std::ranges::sort(norms);
      ASSERT_GT(own, 9 * norms[3]);
      EXPECT_EQ(factors[4][t], static_cast<float>(norms[2] / own));
      // The mean of five of at most the median's norm.
      EXPECT_LE(norm(of_tensor(G, t)), norms[2] * (1 + 1e-5));
    }
    for (const float value : G) ASSERT_TRUE(std::isfinite(value));
  }
}

// With a floor, nobody's clipped norm is above the median, or the floor's share of the mean.
TEST_P(AdversaryStep, AFloorRaisesTheLimitToItsShareOfTheMean) {
  if (!has_sizes()) GTEST_SKIP() << "signs have no size";
  Window window(doors_);
  for (uint64_t p = 0; p < 4; ++p) window.add(honest(p));
  std::vector<float> huge = honest(4);
  for (float& value : huge) value *= 1e6f;
  window.add(huge);
  const double floor = 0.1;
  const auto factors = clip_factors(window.contributors(), outer_params("contributors", floor));
  for (size_t t = 0; t < 2; ++t) {
    std::vector<double> norms;
    double mean = 0;
    for (size_t p = 0; p < 5; ++p) norms.push_back(window.sums(p).norms[t]);
    for (const double one : norms) mean += one / 5;
    std::vector<double> sorted = norms;
    std::ranges::sort(sorted);
    const double limit = std::max(sorted[2], floor * mean);
    for (size_t p = 0; p < 5; ++p) {
      EXPECT_NEAR(factors[p][t], std::min(1.0, limit / norms[p]), 1e-6);
      EXPECT_LE(factors[p][t] * norms[p], limit * (1 + 1e-6));
    }
  }
}

TEST_P(AdversaryStep, HugeAndTinyAndOrdinaryTogetherStayFinite) {
  Window window(doors_);
  for (const float size : {1.0f, 1e-20f, 1e20f, 1.0f, 3e38f, 1.0f, 1.0f}) {
    std::vector<float> values = honest(window.contributors().size());
    for (float& value : values) value = std::clamp(size * value, -kLargest, kLargest);
    window.add(values);
  }
  for (const char* const divide : {"contributors", "senders"}) {
    for (const double floor : {0.0, 0.1}) {
      for (const float value : window.direction(outer_params(divide, floor))) {
        ASSERT_TRUE(std::isfinite(value)) << divide << " " << floor;
      }
    }
  }
  auto signs = outer_params();
  signs.rule = "sign";
  for (const float value : window.direction(signs)) {
    ASSERT_TRUE(value == -1 || value == 0 || value == 1);
  }
}

// Every byte of one of them, changed after it was judged: an error that names it, or a step from
// values that are others; never one from neither.
TEST_P(AdversaryStep, WhatIsChangedSinceItWasJudgedIsNamedOrStillAnUpdate) {
  Window window(doors_);
  for (uint64_t p = 0; p < 3; ++p) window.add(honest(p));
  const auto contributors = window.contributors();
  const Bytes good = window.bytes(1);
  const size_t pieces_end = good.size() - doors_.format().table_size();
  // Of a bf16 near 1 the one makes infinity or NaN.
  const uint8_t change = GetParam() == "dense" ? 0x40 : 0xFF;
  size_t refused = 0;
  for (size_t at = 0; at < pieces_end; at += GetParam() == "dense" ? 7 : 1) {
    window.bytes(1)[at] ^= change;
    std::vector<float> theta(layout_.parameter_count());
    const auto stepped = outer_step(theta, contributors, doors_.format(), outer_params(), 1,
                                    all_pieces(doors_.format()), 1);
    const Verdict verdict = doors_.streamed(window.bytes(1));
    ASSERT_EQ(stepped.has_value(), verdict == Verdict::kAccepted) << at;
    if (!stepped) {
      ++refused;
      ASSERT_EQ(stepped.error().code, common::Code::kCorrupt);
      ASSERT_NE(stepped.error().message.find("uid 1's"), std::string::npos);
    } else {
      for (const float value : theta) ASSERT_TRUE(std::isfinite(value));
    }
    window.bytes(1)[at] ^= change;
  }
  EXPECT_GT(refused, 10u);
}

// The codecs of a real run send nothing so large that its sum leaves fp32. Those for comparison do:
// dense and templar can say 3.4e38, and of several such the sum is infinite.
TEST_P(AdversaryStep, EvenIfAllAreHugeTheSumOfARealCodecIsFinite) {
  const bool bounded = GetParam() != "dense" && GetParam() != "templar";
  Window window(doors_);
  for (int p = 0; p < 20; ++p) {
    window.add(std::vector<float>(layout_.parameter_count(), kLargest));
  }
  bool finite = true;
  for (const float value : window.direction(outer_params())) finite &= std::isfinite(value);
  EXPECT_EQ(finite, bounded);
}

INSTANTIATE_TEST_SUITE_P(All, AdversaryStep, ::testing::ValuesIn(kCodecNames),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace compress
