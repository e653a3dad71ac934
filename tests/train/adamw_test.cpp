// Goal: AdamW moves as its paper says, decays matrices only, clips by the global norm, and its
// parts move as the whole. Method: against the formula in fp64, by hand where one step is short, in
// ranges against all at once.
#include "train/adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/backends.h"
#include "tests/train/small_model.h"
#include "tests/train/step.h"

namespace train {
namespace {

// A matrix of 2 x 3 and a vector of 5.
compress::Layout two_tensors() {
  return {{{.name = "matrix", .rows = 2, .cols = 3}, {.name = "vector", .rows = 1, .cols = 5}},
          4096,
          64};
}

std::vector<float> random_floats(common::Philox& random, size_t size) {
  std::vector<float> values;
  for (size_t i = 0; i < size; ++i) values.push_back(static_cast<float>(random.normal()));
  return values;
}

class AdamWTest : public BackendTest {};

TEST_P(AdamWTest, TwentyStepsFollowTheFormula) {
  common::InnerParams inner = small_inner();
  inner.gradient_clip = 0;
  AdamW optimiser(two_tensors(), inner, *backend_);
  common::Philox random(1);
  std::vector<float> theta = random_floats(random, 11);
  std::vector<double> expected(theta.begin(), theta.end());
  std::vector<double> m(11), v(11);
  for (int t = 1; t <= 20; ++t) {
    const auto gradient = random_floats(random, 11);
    const double rate = 0.01 * t;
    take_step(optimiser, theta, gradient, rate);
    for (size_t i = 0; i < 11; ++i) {
      if (i < 6) expected[i] *= 1 - rate * 0.1;  // The matrix.
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.95 * v[i] + 0.05 * gradient[i] * gradient[i];
      const double root = std::sqrt(v[i] / (1 - std::pow(0.95, t)));
      expected[i] -= rate * m[i] / (1 - std::pow(0.9, t)) / (root + 1e-8);
      EXPECT_NEAR(theta[i], expected[i], 2e-5) << "step " << t << " value " << i;
    }
  }
}

TEST_P(AdamWTest, AGradientOfZeroOnlyDecaysMatrices) {
  AdamW optimiser(two_tensors(), small_inner(), *backend_);
  std::vector<float> theta(11, 2.0F);
  EXPECT_EQ(take_step(optimiser, theta, std::vector<float>(11), 0.5), 0.0);
  EXPECT_FLOAT_EQ(theta[5], 2.0F * 0.95F);  // 1 - 0.5 * 0.1
  EXPECT_EQ(theta[6], 2.0F);
}

TEST_P(AdamWTest, ClipsToTheGlobalNorm) {
  const auto moments_of = [&](const std::vector<float>& gradient, double clip) {
    common::InnerParams inner = small_inner();
    inner.gradient_clip = clip;
    AdamW optimiser(two_tensors(), inner, *backend_);
    std::vector<float> theta(11, 1.0F);
    const double norm = take_step(optimiser, theta, gradient, 0.1);
    // A second step tells how large the first gradient was taken to be.
    std::vector<float> small(11, 0.01F);
    take_step(optimiser, theta, small, 0.1);
    return std::pair(norm, theta);
  };
  std::vector<float> gradient(11);
  gradient[0] = 3;
  gradient[9] = -4;  // The norm is 5.
  std::vector<float> fifth(11);
  fifth[0] = 0.6F;
  fifth[9] = -0.8F;
  const auto clipped = moments_of(gradient, 1.0);
  EXPECT_DOUBLE_EQ(clipped.first, 5.0);
  const auto scaled = moments_of(fifth, 0);
  for (size_t i = 0; i < 11; ++i) EXPECT_NEAR(clipped.second[i], scaled.second[i], 1e-6);
  EXPECT_EQ(moments_of(gradient, 5.0).second, moments_of(gradient, 0).second);
  EXPECT_NE(moments_of(gradient, 1.0).second, moments_of(gradient, 0).second);
}

TEST_P(AdamWTest, AfterAResetItIsAsNew) {
  common::Philox random(3);
  AdamW used(two_tensors(), small_inner(), *backend_);
  AdamW fresh(two_tensors(), small_inner(), *backend_);
  std::vector<float> theta = random_floats(random, 11);
  for (int i = 0; i < 3; ++i) take_step(used, theta, random_floats(random, 11), 0.1);
  used.reset();
  std::vector<float> copy = theta;
  const auto gradient = random_floats(random, 11);
  take_step(used, theta, gradient, 0.1);
  take_step(fresh, copy, gradient, 0.1);
  EXPECT_EQ(theta, copy);
}

// Two machines that keep a part each, the norm summed over both, are one machine: the same bits.
TEST_P(AdamWTest, PartsMoveAsTheWhole) {
  const compress::Layout layout = parameter_layout(small_model(false), kCodec);
  const uint64_t size = layout.parameter_count();
  common::Philox random(4);
  AdamW all(layout, small_inner(), *backend_);
  std::vector<float> theta = random_floats(random, size);
  std::vector<float> joined = theta;
  const auto ranges = split_parameters(layout, "adamw", 3);
  std::vector<std::unique_ptr<Optimiser>> parts;
  for (const ParameterRange& range : ranges) {
    parts.push_back(make_optimiser(layout, small_inner(), *backend_, range));
  }
  for (int t = 0; t < 3; ++t) {
    const auto gradient = random_floats(random, size);
    const double norm = take_step(all, theta, gradient, 0.01);
    for (size_t i = 0; i < parts.size(); ++i) {
      Buffer<float> values(*backend_);
      Buffer<float> slope(*backend_);
      values.upload(std::span(joined).subspan(ranges[i].first, ranges[i].size));
      slope.upload(std::span(gradient).subspan(ranges[i].first, ranges[i].size));
      parts[i]->step(values.data(), slope.data(), 0.01, norm);
      values.download(std::span(joined).subspan(ranges[i].first, ranges[i].size));
    }
  }
  EXPECT_EQ(theta, joined);
}

MUSTER_EVERY_BACKEND(AdamWTest);

TEST(AdamWDeathTest, AGradientThatIsNotFiniteIsABug) {
  const auto backend = make_cpu_backend(1);
  AdamW optimiser(two_tensors(), small_inner(), *backend);
  std::vector<float> theta(11), gradient(11);
  gradient[3] = NAN;
  EXPECT_DEATH(take_step(optimiser, theta, gradient, 0.1), "not finite");
}

TEST(SplitParameters, RangesFollowEachOtherAndAreAlikeInSize) {
  const compress::Layout layout = parameter_layout(small_model(false), kCodec);
  for (const uint32_t parts : {1U, 2U, 3U, 8U}) {
    const auto ranges = split_parameters(layout, "adamw", parts);
    ASSERT_EQ(ranges.size(), parts);
    uint64_t next = 0;
    for (const ParameterRange& range : ranges) {
      EXPECT_EQ(range.first, next);
      EXPECT_EQ(range.first % 16, 0U);
      EXPECT_NEAR(static_cast<double>(range.size),
                  static_cast<double>(layout.parameter_count()) / parts, 16);
      next = range.end();
    }
    EXPECT_EQ(next, layout.parameter_count());
  }
}

}  // namespace
}  // namespace train
