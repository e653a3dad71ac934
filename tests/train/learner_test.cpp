// Goal: a window is trained the same on one machine and on several, and what the optimiser
//   remembers goes from the ones to the others through a file.
// Method: small models in fp32, one machine against two and three in every stage; files written by
//   each and read by each other, compared byte for byte.
#include "train/learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "tests/train/counting_backend.h"
#include "tests/train/learn.h"
#include "tests/train/oracle.h"
#include "tests/train/small_model.h"
#include "train/cpu/backend.h"
#include "train/optimiser_state.h"

namespace train {
namespace {

using common::Code;

constexpr common::milliseconds kPatience{60'000};
constexpr double kRate = 1e-3;
constexpr Sharding kStages[] = {Sharding::kOptimiser, Sharding::kGradients, Sharding::kParameters};

class LearnerTest : public testing::Test {
 protected:
  LearnerTest() {
    hparams_.model = small_model(true);
    hparams_.codec = kCodec;
    hparams_.inner = small_inner();
    theta_ = initial_parameters(hparams_.model, parameter_layout(hparams_.model, hparams_.codec));
    while (machines_.size() < 3) machines_.push_back(make_cpu_backend(1));
  }
  std::unique_ptr<Learner> learner(size_t machines, Sharding sharding = Sharding::kOptimiser,
                                   MomentHome moments = MomentHome::kMachine) {
    if (machines == 1) return make_learner(hparams_, *machines_.front(), {});
    auto ranks = std::make_unique<ThreadRanks>(static_cast<int>(machines), kPatience);
    return make_learner(hparams_, std::span(machines_).first(machines), std::move(ranks), sharding,
                        {}, moments);
  }
  Batch batch(uint64_t step) const {
    return make_batch(random_runs(step + 1, 7, 6, hparams_.model.vocabulary), kEnd, true);
  }
  // Three steps from theta_, a window's.
  std::vector<float> window(Learner& learner, uint64_t index) {
    EXPECT_TRUE(learner.begin(theta_));
    for (uint64_t step = 0; step < 3; ++step) {
      const auto loss = learner.step(batch(3 * index + step), kRate);
      EXPECT_TRUE(loss) << loss.error().message;
      if (loss) losses_.push_back(*loss);
    }
    return learner.finish().value();
  }
  common::Bytes state_of(Learner& learner) {
    EXPECT_TRUE(save_optimiser(learner.optimiser(), folder_ / "state", {1}));
    return common::read_file(folder_ / "state", 1 << 24).value();
  }

  tests::TempFolder folder_;
  common::Hparams hparams_{};
  std::vector<float> theta_;
  std::vector<std::unique_ptr<Backend>> machines_;
  std::vector<double> losses_;
};

TEST_F(LearnerTest, SeveralMachinesTrainAsOneDoes) {
  const auto alone = learner(1);
  const auto expected = window(*alone, 0);
  const auto expected_losses = std::exchange(losses_, {});
  ASSERT_GT(oracle::distance(expected, std::vector<double>(expected.size())), 0.5);
  for (const size_t machines : {2, 3}) {
    for (const Sharding sharding : kStages) {
      const auto several = learner(machines, sharding);
      const auto got = window(*several, 0);
      const auto losses = std::exchange(losses_, {});
      EXPECT_LT(oracle::distance(got, {expected.begin(), expected.end()}), 1e-3);
      for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(losses[i], expected_losses[i], 1e-6);
    }
  }
}

TEST_F(LearnerTest, ThetaIsNotTouchedAndTheOptimiserGoesOn) {
  const std::vector<float> before = theta_;
  for (const size_t machines : {1, 2}) {
    const auto going_on = learner(machines);
    const auto first = window(*going_on, 0);
    const auto second = window(*going_on, 0);
    EXPECT_EQ(theta_, before);
    EXPECT_EQ(going_on->optimiser().steps(), 6U);
    EXPECT_NE(first, second) << "moments were forgotten";
    going_on->optimiser().reset();
    EXPECT_EQ(window(*going_on, 0), first);
  }
}

// Whoever wrote it and whoever reads it: one machine, or several in any stage, wherever their
// moments live.
TEST_F(LearnerTest, TheOptimisersFileFitsAnyNumberOfMachines) {
  for (const char* kind : {"adamw", "muon"}) {
    hparams_.inner.optimiser = kind;
    for (const size_t writers : {1, 2, 3}) {
      const auto writer = learner(writers, Sharding::kParameters);
      window(*writer, 0);
      const common::Bytes written = state_of(*writer);
      for (const size_t readers : {1, 2, 3}) {
        const auto reader = learner(readers, Sharding::kGradients, MomentHome::kHost);
        const auto loaded = load_optimiser(reader->optimiser(), folder_ / "state");
        ASSERT_TRUE(loaded) << loaded.error().message;
        EXPECT_EQ(reader->optimiser().steps(), 3U);
        EXPECT_EQ(state_of(*reader), written) << kind << writers << readers;
      }
    }
  }
}

TEST_F(LearnerTest, WhatIsNotFiniteIsRefusedAndTheNextWindowIsTrained) {
  for (const size_t machines : {1, 2}) {
    const auto broken = learner(machines);
    const std::vector<float> good = theta_;
    theta_[theta_.size() / 2] = std::numeric_limits<float>::infinity();
    ASSERT_TRUE(broken->begin(theta_));
    const auto loss = broken->step(batch(0), kRate);
    ASSERT_FALSE(loss);
    EXPECT_EQ(loss.error().code, Code::kRefused);
    EXPECT_THAT(loss.error().message, testing::HasSubstr("the loss is"));
    EXPECT_EQ(broken->optimiser().steps(), 0U);
    theta_ = good;
    EXPECT_EQ(window(*broken, 0), window(*learner(machines), 0));
  }
}

// A card to whoever asks for its memory.
class SmallCard final : public CountingBackend {
 public:
  SmallCard(Backend& inner, uint64_t memory_bytes)
      : CountingBackend(inner), memory_bytes_(memory_bytes) {}
  bool unified_memory() const override { return false; }
  uint64_t memory_bytes() const override { return memory_bytes_; }

 private:
  uint64_t memory_bytes_;
};

TEST_F(LearnerTest, ACardTrainsWhatItCanHold) {
  std::vector<std::unique_ptr<Backend>> cards;
  cards.push_back(std::make_unique<SmallCard>(*machines_.front(), uint64_t{4} << 30));
  {
    const auto opened = open_learner(hparams_, cards, {});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(window(**opened, 0), window(*learner(1), 0));
  }
  cards.front() = std::make_unique<SmallCard>(*machines_.front(), uint64_t{1} << 20);
  const auto opened = open_learner(hparams_, cards, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kExhausted);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("1.0 MiB"));
}

TEST_F(LearnerTest, CardsThatAreNoneAreRefused) {
  std::vector<std::unique_ptr<Backend>> cards;
  for (int i = 0; i < 2; ++i) {
    cards.push_back(std::make_unique<SmallCard>(*machines_.front(), uint64_t{4} << 30));
  }
  const auto opened = open_learner(hparams_, cards, {});
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().code == Code::kInvalidArgument ||
              opened.error().code == Code::kUnavailable)
      << opened.error().message;
}

TEST_F(LearnerTest, CpusShareTheOptimiser) {
  const auto opened = open_learner(hparams_, machines_, {});
  ASSERT_TRUE(opened);
  EXPECT_EQ(window(**opened, 0), window(*learner(3), 0));
}

using LearnerDeathTest = LearnerTest;

TEST_F(LearnerDeathTest, AStepComesAfterBegin) {
  for (const size_t machines : {1, 2}) {
    EXPECT_DEATH(static_cast<void>(learner(machines)->step(batch(0), kRate)), "CHECK failed");
  }
}

}  // namespace
}  // namespace train
