// Goal: AdamW moves as its paper says, decays matrices only, clips by the global norm, and goes on
// after a
//   restart with the same bits; the learning rate has its shape.
// Method: against the formula in fp64, by hand where one step is short, and by damaging the file.
#include "train/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "tests/train/small_model.h"

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

TEST(AdamW, TwentyStepsFollowTheFormula) {
  common::InnerParams inner = small_inner();
  inner.gradient_clip = 0;
  AdamW optimiser(two_tensors(), inner);
  common::Philox random(1);
  std::vector<float> theta = random_floats(random, 11);
  std::vector<double> expected(theta.begin(), theta.end());
  std::vector<double> m(11), v(11);
  for (int t = 1; t <= 20; ++t) {
    const auto gradient = random_floats(random, 11);
    const double rate = 0.01 * t;
    optimiser.step(theta, gradient, rate);
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

TEST(AdamW, AGradientOfZeroOnlyDecaysMatrices) {
  AdamW optimiser(two_tensors(), small_inner());
  std::vector<float> theta(11, 2.0F);
  EXPECT_EQ(optimiser.step(theta, std::vector<float>(11), 0.5), 0.0);
  EXPECT_FLOAT_EQ(theta[5], 2.0F * 0.95F);  // 1 - 0.5 * 0.1
  EXPECT_EQ(theta[6], 2.0F);
}

TEST(AdamW, ClipsToTheGlobalNormAndReturnsTheOneBefore) {
  const auto moments_of = [](const std::vector<float>& gradient, double clip) {
    common::InnerParams inner = small_inner();
    inner.gradient_clip = clip;
    AdamW optimiser(two_tensors(), inner);
    std::vector<float> theta(11, 1.0F);
    const double norm = optimiser.step(theta, gradient, 0.1);
    // A second step tells how large the first gradient was taken to be.
    std::vector<float> small(11, 0.01F);
    optimiser.step(theta, small, 0.1);
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

TEST(AdamWDeathTest, AGradientThatIsNotFiniteIsABug) {
  AdamW optimiser(two_tensors(), small_inner());
  std::vector<float> theta(11), gradient(11);
  gradient[3] = NAN;
  EXPECT_DEATH(optimiser.step(theta, gradient, 0.1), "not finite");
}

TEST(AdamW, GoesOnAfterARestartWithTheSameBits) {
  const tests::TempFolder folder;
  common::Philox random(2);
  AdamW first(two_tensors(), small_inner());
  std::vector<float> theta = random_floats(random, 11);
  for (int i = 0; i < 3; ++i) first.step(theta, random_floats(random, 11), 0.1);
  ASSERT_TRUE(first.save(folder / "state", common::Window{9}));
  AdamW second(two_tensors(), small_inner());
  const auto window = second.load(folder / "state");
  ASSERT_TRUE(window) << window.error().message;
  EXPECT_EQ(window->index, 9u);
  std::vector<float> copy = theta;
  const auto gradient = random_floats(random, 11);
  first.step(theta, gradient, 0.1);
  second.step(copy, gradient, 0.1);
  EXPECT_EQ(theta, copy);
}

TEST(AdamW, RefusesAFileThatIsMissingDamagedOrOfAnotherModel) {
  const tests::TempFolder folder;
  AdamW optimiser(two_tensors(), small_inner());
  EXPECT_EQ(optimiser.load(folder / "none").error().code, common::Code::kNotFound);
  ASSERT_TRUE(optimiser.save(folder / "good", common::Window{1}));
  const auto good = common::read_file(folder / "good", 1 << 20).value();
  const auto refuses = [&](const common::Bytes& bytes) {
    EXPECT_TRUE(common::write_file(folder / "bad", bytes));
    const auto loaded = optimiser.load(folder / "bad");
    return !loaded && loaded.error().code == common::Code::kCorrupt;
  };
  for (size_t i = 0; i < good.size(); ++i) {
    common::Bytes bad = good;
    bad[i] = static_cast<uint8_t>(bad[i] ^ 0x10);
    EXPECT_TRUE(refuses(bad)) << "byte " << i;
  }
  EXPECT_TRUE(refuses({}));
  EXPECT_TRUE(refuses({good.begin(), good.end() - 1}));
  common::Bytes longer = good;
  longer.push_back(0);
  EXPECT_TRUE(refuses(longer));
  AdamW other({{{.name = "matrix", .rows = 2, .cols = 4}}, 4096, 64}, small_inner());
  EXPECT_EQ(other.load(folder / "good").error().code, common::Code::kCorrupt);
  EXPECT_TRUE(optimiser.load(folder / "good"));
}

// 4 steps a window, 2 windows of warm-up: 8 steps, then 32 of cosine down to a tenth.
TEST(LearningRate, WarmsUpLinearlyFallsAsACosineAndStaysFlat) {
  const auto inner = small_inner();
  const auto at = [&](uint64_t step) {
    return learning_rate(inner, common::Window{step / 4}, static_cast<uint32_t>(step % 4));
  };
  for (uint64_t step = 0; step < 8; ++step) {
    EXPECT_DOUBLE_EQ(at(step), 0.01 * static_cast<double>(step + 1) / 8);
  }
  EXPECT_DOUBLE_EQ(at(8), 0.01);
  EXPECT_DOUBLE_EQ(at(24), 0.0055);  // Half way: (1 + 0.1) / 2.
  EXPECT_NEAR(at(16), 0.01 * (0.1 + 0.9 * (0.5 + std::numbers::sqrt2 / 4)), 1e-15);
  for (uint64_t step = 9; step < 40; ++step) EXPECT_LT(at(step), at(step - 1));
  EXPECT_DOUBLE_EQ(at(40), 0.001);
  EXPECT_DOUBLE_EQ(at(40'000), 0.001);
}

TEST(LearningRate, NeedsNoWarmUpAndNoDecay) {
  auto inner = small_inner();
  inner.warmup_windows = 0;
  EXPECT_DOUBLE_EQ(learning_rate(inner, common::Window{0}, 0), 0.01);
  inner.decay_windows = 0;
  EXPECT_DOUBLE_EQ(learning_rate(inner, common::Window{0}, 0), 0.001);
}

}  // namespace
}  // namespace train
