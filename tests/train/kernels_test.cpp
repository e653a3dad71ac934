// Goal: the kernels on rows give the right numbers on every processor, in both storage types: for
//   each instruction set that was compiled and runs here, down to plain scalars.
// Method: Highway is told to offer one set at a time; plain loops in fp64 are the oracle. Rows are
//   of every length up to 70, and of one that fills the unrolled loops; rounding to bf16 is tried
//   on every upper half with lower halves that round down, tie and round up.
#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/train/oracle.h"
#include "train/cpu/parameter_kernels.h"
#include "train/cpu/row_kernels.h"

namespace train::cpu {
namespace {

using oracle::distance;
using oracle::Values;

std::vector<int> lengths() {
  std::vector<int> all;
  for (int size = 1; size <= 70; ++size) all.push_back(size);
  all.push_back(1003);
  return all;
}

// Runs the test's body once for each instruction set.
template <typename Body>
void on_every_target(const Body& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
}

template <typename Value>
Value value_of(double x) {
  if constexpr (std::is_same_v<Value, Bf16>) {
    return to_bf16(static_cast<float>(x));
  } else {
    return static_cast<Value>(x);
  }
}
double wide(float x) { return x; }
double wide(Bf16 x) { return to_float(x); }

// The same numbers as stored, and as fp64.
template <typename Value>
struct Row {
  std::vector<Value> stored;
  Values exact;

  Row(common::Philox& random, int size, double scale = 1.0) {
    for (int i = 0; i < size; ++i) {
      stored.push_back(value_of<Value>(scale * random.normal()));
      exact.push_back(wide(stored.back()));
    }
  }
  Value* data() { return stored.data(); }
  Values now() const {
    Values out;
    for (const Value value : stored) out.push_back(wide(value));
    return out;
  }
};

template <typename Value>
class RowKernelsTest : public testing::Test {
 protected:
  // Of fp32 sums; or of one rounding to bf16, 2^-8 at the most.
  static constexpr double kTolerance = std::is_same_v<Value, Bf16> ? 0x1p-8 : 2e-6;
  common::Philox random_{3};
};

class TypeNames {
 public:
  template <typename Value>
  static std::string GetName(int) {
    return std::is_same_v<Value, Bf16> ? "bf16" : "fp32";
  }
};
using Stored = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(RowKernelsTest, Stored, TypeNames);

TYPED_TEST(RowKernelsTest, RmsnormIsThatOfPlainLoops) {
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const int C : lengths()) {
      Row<TypeParam> x(this->random_, C), out(this->random_, C), d_out(this->random_, C);
      Row<float> weight(this->random_, C), d_weight(this->random_, C);
      const float rstd = kernels.rmsnorm(out.data(), x.data(), weight.data(), C, 1e-3F);
      const Values expected = oracle::rmsnorm(x.exact, weight.exact, 1e-3);
      EXPECT_LT(distance(out.now(), expected), this->kTolerance) << C;

      double dot = 0;
      for (size_t i = 0; i < x.exact.size(); ++i) {
        dot += d_out.exact[i] * weight.exact[i] * x.exact[i];
      }
      Row<TypeParam> d_x(this->random_, C);
      Values by_x = d_x.exact;
      Values by_weight = d_weight.exact;
      for (size_t i = 0; i < x.exact.size(); ++i) {
        by_x[i] += rstd * (d_out.exact[i] * weight.exact[i] -
                           x.exact[i] * dot * rstd * rstd / static_cast<double>(C));
        by_weight[i] += d_out.exact[i] * x.exact[i] * rstd;
      }
      kernels.rmsnorm_backward(d_x.data(), d_weight.data(), d_out.data(), x.data(), weight.data(),
                               rstd, C);
      // What cancels in d_x was not rounded less.
      EXPECT_LT(distance(d_x.now(), by_x), C == 1 ? 1e-3 + this->kTolerance : 2 * this->kTolerance)
          << C;
      EXPECT_LT(distance(d_weight.now(), by_weight), 2e-6) << C;
    }
  });
}

TYPED_TEST(RowKernelsTest, SwigluIsThatOfPlainLoops) {
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const int F : lengths()) {
      Row<TypeParam> gate(this->random_, F, 3), up(this->random_, F), d_out(this->random_, F);
      Row<TypeParam> out(this->random_, F), d_gate(this->random_, F), d_up(this->random_, F);
      kernels.swiglu(out.data(), gate.data(), up.data(), F);
      kernels.swiglu_backward(d_gate.data(), d_up.data(), d_out.data(), gate.data(), up.data(), F);
      Values expected, by_gate, by_up;
      for (size_t i = 0; i < gate.exact.size(); ++i) {
        const double g = gate.exact[i];
        const double s = 1 / (1 + std::exp(-g));
        expected.push_back(g * s * up.exact[i]);
        by_gate.push_back(d_out.exact[i] * up.exact[i] * (s + g * s * (1 - s)));
        by_up.push_back(d_out.exact[i] * g * s);
      }
      EXPECT_LT(distance(out.now(), expected), this->kTolerance) << F;
      EXPECT_LT(distance(d_gate.now(), by_gate), this->kTolerance) << F;
      EXPECT_LT(distance(d_up.now(), by_up), this->kTolerance) << F;
    }
  });
}

TYPED_TEST(RowKernelsTest, RopeTurnsEveryHeadAndBack) {
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const int half : lengths()) {
      Row<TypeParam> row(this->random_, 3 * 2 * half);
      Row<float> angle(this->random_, half);
      std::vector<float> cosine, sine;
      for (const double at : angle.exact) {
        cosine.push_back(static_cast<float>(std::cos(at)));
        sine.push_back(static_cast<float>(std::sin(at)));
      }
      Values expected = row.exact;
      for (size_t head = 0; head < 2; ++head) {  // The third is not turned.
        for (size_t i = 0; i < angle.exact.size(); ++i) {
          const size_t a = head * 2 * angle.exact.size() + i;
          const size_t b = a + angle.exact.size();
          expected[a] = row.exact[a] * cosine[i] - row.exact[b] * sine[i];
          expected[b] = row.exact[b] * cosine[i] + row.exact[a] * sine[i];
        }
      }
      kernels.rope(row.data(), cosine.data(), sine.data(), 2, 2 * half, 1.0F);
      EXPECT_LT(distance(row.now(), expected), this->kTolerance) << half;
      kernels.rope(row.data(), cosine.data(), sine.data(), 2, 2 * half, -1.0F);
      EXPECT_LT(distance(row.now(), row.exact), 2 * this->kTolerance) << half;
    }
  });
}

TYPED_TEST(RowKernelsTest, SoftmaxComesFromItsLogSum) {
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const int V : lengths()) {
      Row<float> logits(this->random_, V, 4);
      const LogSum got = kernels.log_sum(logits.data(), V);
      double sum = 0;
      for (const double logit : logits.exact) sum += std::exp(logit);
      EXPECT_NEAR(got.top + std::log(got.sum), std::log(sum),
                  1e-6 * std::abs(std::log(sum)) + 1e-6);
      Row<TypeParam> row(this->random_, V);
      kernels.below_top(row.data(), logits.data(), got.top, V);
      Values expected;
      for (const TypeParam below : row.stored) expected.push_back(0.5 * std::exp(wide(below) - 1));
      kernels.softmax(row.data(), 1.0F, 0.5F, V);
      EXPECT_LT(distance(row.now(), expected), this->kTolerance) << V;
    }
  });
}

// Through softmax, which is an exponential with a factor.
TEST(Exponential, IsThatOfTheLibraryWithinTwoUnitsOfTheLastPlace) {
  on_every_target([] {
    std::vector<float> x;
    for (int i = -86'990; i <= 88'000; i += 7) x.push_back(static_cast<float>(i) * 1e-3F);
    std::vector<float> got = x;
    row_kernels<float>().softmax(got.data(), 0.0F, 1.0F, static_cast<int>(got.size()));
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      worst = std::max(worst, std::abs(got[i] / std::exp(double{x[i]}) - 1));
    }
    EXPECT_LT(worst, 0x1p-22);
    std::vector<float> far = {-87.1F, -1000.0F, -3e38F};
    row_kernels<float>().softmax(far.data(), 0.0F, 1.0F, 3);
    EXPECT_EQ(far, (std::vector<float>{0, 0, 0}));
  });
}

TYPED_TEST(RowKernelsTest, AddAndConversionsRoundOnce) {
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const int size : lengths()) {
      Row<float> x(this->random_, size);
      Row<TypeParam> row(this->random_, size);
      kernels.narrow(row.data(), x.data(), size);
      for (size_t i = 0; i < row.stored.size(); ++i) {
        EXPECT_EQ(row.stored[i], value_of<TypeParam>(x.exact[i]));
      }
      Row<float> sum(this->random_, size), back(this->random_, size);
      kernels.widen(back.data(), row.data(), size);
      EXPECT_EQ(back.now(), row.now());
      kernels.add(sum.data(), row.data(), size);
      for (size_t i = 0; i < row.stored.size(); ++i) {
        EXPECT_EQ(sum.stored[i], static_cast<float>(sum.exact[i] + wide(row.stored[i])));
      }
    }
  });
}

TYPED_TEST(RowKernelsTest, WhatIsNotFiniteIsFoundWhereverItStands) {
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const int size : lengths()) {
      Row<TypeParam> row(this->random_, size, 1e30);
      EXPECT_TRUE(kernels.finite(row.data(), size));
      for (const size_t at : {size_t{0}, row.stored.size() / 2, row.stored.size() - 1}) {
        for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
          Row<TypeParam> spoilt = row;
          spoilt.stored[at] = value_of<TypeParam>(bad);
          EXPECT_FALSE(kernels.finite(spoilt.data(), size)) << size << " " << at << " " << bad;
        }
      }
    }
  });
}

TYPED_TEST(RowKernelsTest, NotANumberAndInfinityComeThrough) {
  const int size = 37;
  on_every_target([&] {
    const auto kernels = row_kernels<TypeParam>();
    for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
      for (const size_t at : {size_t{3}, size_t{36}}) {
        SCOPED_TRACE(testing::Message() << bad << " at " << at);
        Row<TypeParam> x(this->random_, size), out(this->random_, size), up(this->random_, size);
        Row<float> weight(this->random_, size), logits(this->random_, size);
        x.stored[at] = value_of<TypeParam>(bad);
        logits.stored[at] = static_cast<float>(bad);
        kernels.rmsnorm(out.data(), x.data(), weight.data(), size, 1e-5F);
        EXPECT_FALSE(kernels.finite(out.data(), size));
        kernels.swiglu(out.data(), x.data(), up.data(), size);
        EXPECT_FALSE(kernels.finite(out.data(), size));
        EXPECT_TRUE(std::isnan(kernels.log_sum(logits.data(), size).sum));
        kernels.softmax(x.data(), 0.0F, 1.0F, size);
        EXPECT_TRUE(std::isnan(wide(x.stored[at])));
      }
    }
  });
}

TEST(Rounding, ToBf16IsToTheNearestAndTiesToEvenForEveryUpperHalf) {
  on_every_target([] {
    const auto kernels = row_kernels<Bf16>();
    for (const uint32_t low : {0x0000U, 0x0001U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      std::vector<float> all;
      for (uint32_t high = 0; high <= 0xFFFF; ++high) {
        all.push_back(std::bit_cast<float>(high << 16 | low));
      }
      std::vector<Bf16> got(all.size());
      kernels.narrow(got.data(), all.data(), static_cast<int>(all.size()));
      size_t wrong = 0;
      for (size_t i = 0; i < all.size(); ++i) wrong += got[i] == to_bf16(all[i]) ? 0 : 1;
      EXPECT_EQ(wrong, 0u) << low;
    }
  });
}

// What adamw_run and combine_run promise: each operation rounded on its own, so the same bits.
TEST(ParameterKernels, HaveTheSameBitsOnEveryTarget) {
  common::Philox random(5);
  const int size = 1003;
  const Row<float> theta(random, size), m(random, size), gradient(random, size);
  Row<float> v(random, size);
  for (float& value : v.stored) value = std::abs(value);
  const AdamwStep step{0.5F, 0.9F, 0.95F, 0.1F, 0.05F, 1e-8F, 1e-3F, 1.1F, 0.999F};
  std::vector<std::vector<float>> first;
  on_every_target([&] {
    Row<float> t = theta, a = m, b = v, sum = m;
    adamw_run(t.data(), a.data(), b.data(), gradient.stored.data(), size, step);
    combine_run(sum.data(), 0.3F, theta.stored.data(), -1.7F, gradient.stored.data(), size);
    const std::vector<std::vector<float>> now = {t.stored, a.stored, b.stored, sum.stored};
    if (first.empty()) first = now;
    EXPECT_EQ(now, first);
  });
}

TEST(ParameterKernels, ScaleIntoOverwritesEvenNotANumber) {
  on_every_target([] {
    const std::vector<float> x(19, 3.0F);
    std::vector<float> out(19, std::numeric_limits<float>::quiet_NaN());
    scale_into_run(out.data(), 2.0F, x.data(), 0.0F, 19);
    EXPECT_EQ(out, std::vector<float>(19, 6.0F));
    scale_into_run(out.data(), 2.0F, x.data(), -1.0F, 19);
    EXPECT_EQ(out, std::vector<float>(19, 0.0F));
  });
}

}  // namespace
}  // namespace train::cpu
