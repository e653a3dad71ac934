// Goal: the learning rate has the shape that the hparams say, at every boundary; Covenant's
// published run fits into it.
// Method: worked examples by hand, the same rate written down another way, and a table of a run's
// schedule.
#include "train/learning_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/train/small_model.h"

namespace train {
namespace {

// The rate of inner step `now` of the whole run.
double at(const common::InnerParams& inner, uint64_t now) {
  return learning_rate(inner, {now / inner.steps}, static_cast<uint32_t>(now % inner.steps));
}

// 4 steps a window, 2 windows of warm-up: 8 steps, then 32 of cosine down to a tenth.
TEST(LearningRate, WarmsUpLinearlyFallsAsACosineAndStaysFlat) {
  const auto inner = small_inner();
  for (uint64_t step = 0; step < 8; ++step) {
    EXPECT_DOUBLE_EQ(at(inner, step), 0.01 * static_cast<double>(step + 1) / 8);
  }
  EXPECT_DOUBLE_EQ(at(inner, 8), 0.01);
  EXPECT_DOUBLE_EQ(at(inner, 24), 0.0055);  // Half way: (1 + 0.1) / 2.
  EXPECT_NEAR(at(inner, 16), 0.01 * (0.1 + 0.9 * (0.5 + std::numbers::sqrt2 / 4)), 1e-15);
  for (uint64_t step = 9; step < 40; ++step) EXPECT_LT(at(inner, step), at(inner, step - 1));
  EXPECT_DOUBLE_EQ(at(inner, 40), 0.001);
  EXPECT_DOUBLE_EQ(at(inner, 40'000), 0.001);
}

TEST(LearningRate, NeedsNoWarmUpAndNoDecay) {
  auto inner = small_inner();
  inner.warmup_windows = 0;
  EXPECT_DOUBLE_EQ(learning_rate(inner, common::Window{0}, 0), 0.01);
  inner.decay_windows = 0;
  EXPECT_DOUBLE_EQ(learning_rate(inner, common::Window{0}, 0), 0.001);
}

// Time stands still in windows 5 to 7: step 20's rate until step 32, and then everything is 12
// steps later.
TEST(LearningRate, TimeStandsStillInTheFlatPiece) {
  const auto plain = small_inner();
  auto inner = plain;
  inner.flat_window = 5;
  inner.flat_windows = 3;
  for (uint64_t step = 0; step <= 20; ++step) EXPECT_EQ(at(inner, step), at(plain, step));
  for (uint64_t step = 20; step <= 32; ++step) EXPECT_EQ(at(inner, step), at(plain, 20));
  for (uint64_t step = 32; step < 80; ++step) EXPECT_EQ(at(inner, step), at(plain, step - 12));
  EXPECT_LT(at(inner, 33), at(inner, 32));
  // In the warm-up, after the end, and for no time at all.
  inner.flat_window = 1;
  for (uint64_t step = 4; step <= 16; ++step) EXPECT_EQ(at(inner, step), at(plain, 4));
  EXPECT_EQ(at(inner, 19), at(plain, 7));
  inner.flat_window = 100;
  for (uint64_t step = 0; step < 1000; ++step) EXPECT_EQ(at(inner, step), at(plain, step));
  inner.flat_window = 5;
  inner.flat_windows = 0;
  for (uint64_t step = 0; step < 80; ++step) EXPECT_EQ(at(inner, step), at(plain, step));
}

// From window 6 on, 3 windows: 4 steps up to a quarter, 8 down to nothing.
TEST(LearningRate, AnnealsLinearlyToNothing) {
  const auto plain = small_inner();
  auto inner = plain;
  inner.anneal_window = 6;
  inner.anneal_windows = 3;
  inner.anneal_warmup_steps = 4;
  inner.anneal_ratio = 0.25;
  for (uint64_t step = 0; step < 24; ++step) EXPECT_EQ(at(inner, step), at(plain, step));
  const double peak = 0.0025;
  for (uint64_t since = 0; since < 4; ++since) {
    EXPECT_DOUBLE_EQ(at(inner, 24 + since), peak * static_cast<double>(since + 1) / 4);
  }
  EXPECT_DOUBLE_EQ(at(inner, 28), peak);
  EXPECT_DOUBLE_EQ(at(inner, 32), peak / 2);
  EXPECT_DOUBLE_EQ(at(inner, 35), peak / 8);
  EXPECT_EQ(at(inner, 36), 0.0);
  EXPECT_EQ(at(inner, 1'000'000), 0.0);
  inner.anneal_warmup_steps = 0;
  EXPECT_DOUBLE_EQ(at(inner, 24), peak);
  EXPECT_FALSE(anneals(inner, {5}));
  EXPECT_TRUE(anneals(inner, {6}));
  EXPECT_TRUE(anneals(inner, {1'000}));
  EXPECT_FALSE(anneals(plain, {1'000})) << "window 0 means never";
}

// What was published of Covenant-72B, and of its reference implementation: a peak of 1.2e-4, 1,500
// inner steps of warm-up, a cosine to a tenth over 140,000, of 30 steps a window; flat for 450
// windows from window 2,740 on (13,500 inner steps); an anneal with 100 steps of warm-up to a
// quarter of the peak, then down to nothing in 150 windows. 140,000 steps are not whole windows:
// 4,667 are 10 steps more.
class Covenant : public testing::Test {
 protected:
  Covenant() {
    inner_ = small_inner();
    inner_.steps = 30;
    inner_.learning_rate = 1.2e-4;
    inner_.warmup_windows = 50;
    inner_.decay_windows = 50 + 4'667;
    inner_.final_ratio = 0.1;
    inner_.flat_window = 2'740;
    inner_.flat_windows = 450;
    inner_.anneal_window = 6'100;
    inner_.anneal_windows = 150;
    inner_.anneal_warmup_steps = 100;
    inner_.anneal_ratio = 0.25;
  }
  // As the reference has it: a counter of 140,000 steps that is not moved on while it is flat.
  static double published(double counter) {
    if (counter < 1'500) return 1.2e-4 * (counter + 1) / 1'500;
    const double way = std::min(1.0, (counter - 1'500) / 140'000);
    return 1.2e-5 + (1.2e-4 - 1.2e-5) * (1 + std::cos(std::numbers::pi * way)) / 2;
  }
  common::InnerParams inner_;
};

TEST_F(Covenant, ThePublishedScheduleComesOut) {
  struct Row {
    uint64_t now;
    double counter;
  };
  const Row rows[] = {{0, 0},
                      {749, 749},
                      {1'499, 1'499},
                      {1'500, 1'500},
                      {40'000, 40'000},
                      {82'199, 82'199},  // The last step before the flat piece,
                      {82'200, 82'200},  //   its first,
                      {90'000, 82'200},
                      {95'699, 82'200},  //   its last,
                      {95'700, 82'200},  //   and the one after.
                      {95'701, 82'201},
                      {120'000, 106'500},
                      {155'000, 141'500},  // The end of the cosine.
                      {160'000, 146'500}};
  for (const Row& row : rows) {
    EXPECT_NEAR(at(inner_, row.now), published(row.counter), 5e-4 * published(row.counter))
        << "step " << row.now;
  }
  // In numbers, of a calculator: the top, the flat piece, the end.
  EXPECT_NEAR(at(inner_, 1'500), 1.2e-4, 1e-9);
  EXPECT_NEAR(at(inner_, 90'000), 5.31e-5, 1e-7);
  EXPECT_NEAR(at(inner_, 160'000), 1.2e-5, 1e-9);
}

TEST_F(Covenant, TheAnnealComesOut) {
  const uint64_t first = 6'100 * 30;
  EXPECT_NEAR(at(inner_, first - 1), 1.2e-5, 1e-9);
  EXPECT_NEAR(at(inner_, first), 3e-7, 1e-12);
  EXPECT_NEAR(at(inner_, first + 49), 1.5e-5, 1e-12);
  EXPECT_NEAR(at(inner_, first + 99), 3e-5, 1e-12);
  EXPECT_NEAR(at(inner_, first + 100), 3e-5, 1e-12);
  EXPECT_NEAR(at(inner_, first + 2'300), 1.5e-5, 1e-12);  // 4,400 steps down, half of them.
  EXPECT_NEAR(at(inner_, first + 4'499), 3e-5 / 4'400, 1e-12);
  EXPECT_EQ(at(inner_, first + 4'500), 0.0);
}

// No step jumps by more than warm-up's or anneal's slope, but where the anneal begins.
TEST_F(Covenant, TheScheduleHasOneJumpWhereTheAnnealBegins) {
  for (uint64_t now = 1; now < 6'260 * 30; ++now) {
    if (now == 6'100 * 30) continue;
    ASSERT_LE(std::abs(at(inner_, now) - at(inner_, now - 1)), 3.001e-7) << "step " << now;
    ASSERT_GE(at(inner_, now), 0.0);
  }
}

}  // namespace
}  // namespace train
