// Goal: what is planned of the host's memory is what a miner's process asks for.
// Method: a model large enough that arrays of its size stand out; everything that comes from
//   `operator new` counted while its parts are made, trained, sent, applied and saved.
#include <gtest/gtest.h>

#include "common/object_store.h"
#include "compress/error_feedback.h"
#include "tests/allocation_meter.h"
#include "tests/train/judged_body.h"
#include "tests/train/small_model.h"
#include "tests/train/small_subnet.h"
#include "train/checkpoint.h"
#include "train/cpu/backend.h"
#include "train/learner.h"
#include "train/memory_plan.h"

namespace train {
namespace {

using tests::AllocationMeter;

// Of names, headers, buffers of files: what does not grow with the model.
constexpr uint64_t kSmallBytes = 2 << 20;

class HostPlanTest : public testing::Test {
 protected:
  static common::Hparams make_hparams() {
    common::Hparams hparams = small_hparams();
    hparams.model.vocabulary = 2048;
    hparams.model.dim = 384;
    hparams.model.layers = 2;
    hparams.model.hidden = 1024;
    hparams.codec.tile = 4096;
    hparams.codec.keep = 64;
    return hparams;
  }
  static void expect_near(uint64_t bytes, uint64_t planned) {
    EXPECT_GE(bytes, planned);
    EXPECT_LE(bytes, planned + kSmallBytes);
  }
  HostPlan plan(int ranks) const {
    PlanOptions options;
    if (ranks > 1) options.sharding = Sharding::kOptimiser;
    return plan_memory(hparams_, cpu_kind(Precision::kFp32), ranks, options).host;
  }

  const common::Hparams hparams_ = make_hparams();
};

TEST_F(HostPlanTest, ReplicaAndFeedback) {
  ASSERT_GT(plan(1).theta, 6 * kSmallBytes);
  const AllocationMeter replica_meter;
  const Replica replica = Replica::genesis(hparams_, {0});
  expect_near(replica_meter.peak(), plan(1).theta);
  const AllocationMeter feedback_meter;
  const compress::ErrorFeedback feedback(replica.theta().size(), 0.95);
  expect_near(feedback_meter.peak(), plan(1).feedback);
}

TEST_F(HostPlanTest, ACheckpointIsOneMoreWhileItIsWrittenOrRead) {
  const tests::TempFolder folder;
  const auto store = common::open_store("file://" + folder.path().string(), true);
  ASSERT_TRUE(store);
  const Replica replica = Replica::genesis(hparams_, {0});
  const AllocationMeter written;
  ASSERT_TRUE(save_checkpoint(**store, replica, hparams_, key_of(0)));
  expect_near(written.peak(), plan(1).checkpoint);
  const AllocationMeter read;
  const auto loaded = load_checkpoint(**store, hparams_, {0}, key_of(0).account());
  ASSERT_TRUE(loaded);
  expect_near(read.peak(), plan(1).theta + plan(1).checkpoint);
}

// The machines' own memory is not the meter's.
TEST_F(HostPlanTest, OfSeveralMachinesTheDifferenceIsOneMore) {
  const Replica replica = Replica::genesis(hparams_, {0});
  std::vector<std::unique_ptr<Backend>> machines;
  for (int rank = 0; rank < 2; ++rank) machines.push_back(make_cpu_backend(1));
  const auto learner = make_learner(hparams_, machines,
                                    std::make_unique<ThreadRanks>(2, common::milliseconds(60'000)),
                                    Sharding::kOptimiser, {});
  const AllocationMeter begun;
  ASSERT_TRUE(learner->begin(replica.theta()));
  EXPECT_LE(begun.peak(), kSmallBytes);
  ASSERT_TRUE(learner->step(
      make_batch(random_runs(1, 2, hparams_.model.sequence_length, 16), kEnd, true), 1e-3));
  const AllocationMeter finished;
  ASSERT_TRUE(learner->finish());
  expect_near(finished.peak(), plan(2).delta);
}

// On one CPU the copy that is trained becomes the difference: it is planned as that machine's.
TEST_F(HostPlanTest, OfOneCpuItIsNone) {
  const Replica replica = Replica::genesis(hparams_, {0});
  const auto cpu = make_cpu_backend(1);
  const auto learner = make_learner(hparams_, *cpu, {});
  EXPECT_EQ(plan(1).delta, 0U);
  const AllocationMeter begun;
  ASSERT_TRUE(learner->begin(replica.theta()));
  expect_near(begun.peak(), plan(1).theta);
  const AllocationMeter finished;
  ASSERT_TRUE(learner->finish());
  EXPECT_LE(finished.peak(), kSmallBytes);
}

TEST_F(HostPlanTest, ApplyingTakesNoMoreThanIsPlanned) {
  Replica replica = Replica::genesis(hparams_, {0});
  const compress::SparseLoco codec;
  const auto format = codec.format(replica.layout());
  std::vector<float> delta(replica.theta().begin(), replica.theta().end());
  const AllocationMeter meter;
  std::vector<std::unique_ptr<JudgedBody>> bodies;
  std::vector<compress::StoredContributor> contributors;
  for (uint16_t uid = 0; uid < 20; ++uid) {
    bodies.push_back(std::make_unique<JudgedBody>(*format, codec.encode(delta, replica.layout())));
    contributors.push_back(bodies.back()->by({uid}));
  }
  ASSERT_TRUE(
      replica.apply({0}, digest(1), {.contributors = contributors, .format = format.get()}));
  EXPECT_GT(meter.peak(),
            plan(1).theta / 4);  // It is counted at all: bodies, and a piece's values.
  EXPECT_LE(meter.peak(), plan(1).applying);
}

TEST_F(HostPlanTest, LookingAheadIsOneMoreWhileItTrains) {
  common::Hparams ahead = hparams_;
  ahead.codec.look_ahead = true;
  const HostPlan host =
      plan_memory(ahead, card_kind(uint64_t{80} << 30, Precision::kBf16), 1, {}).host;
  EXPECT_EQ(host.ahead, host.theta);
  EXPECT_EQ(host.total(),
            host.theta + host.feedback + std::max(host.delta + host.ahead, host.applying));
}

}  // namespace
}  // namespace train
