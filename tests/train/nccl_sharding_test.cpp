// Goal: ranks that talk by NCCL train what ranks that share memory train.
// Method: ShardedTraining, every stage, on both kinds of ranks with machines of one kind, bit for
//   bit, since the emulated NCCL adds up in the order of ranks. With the CPU's backends, or, in the
//   program of the emulated card, with those, which are told of memory that is not theirs.
#include <gtest/gtest.h>

#include "tests/train/nccl_emulation.h"
#include "tests/train/small_model.h"
#include "train/cpu/backend.h"
#include "train/optimiser.h"
#include "train/sharding.h"
#ifdef MUSTER_EMULATED_CARD
#include "tests/train/cuda_emulated.h"
#endif

namespace train {
namespace {

using common::milliseconds;
using common::Result;

constexpr milliseconds kPatience{60'000};
constexpr int kRanks = 3;
constexpr int kSteps = 3;

std::unique_ptr<Backend> make_machine() {
#ifdef MUSTER_EMULATED_CARD
  return cuda::make_emulated_backend(Precision::kBf16);
#else
  return make_cpu_backend(1);
#endif
}

struct Trained {
  std::vector<double> losses;
  std::vector<float> theta;
  bool operator==(const Trained&) const = default;
};

// The first rank's; all must have the same.
Trained train(Ranks& ranks, const std::vector<std::unique_ptr<Backend>>& machines,
              Sharding sharding) {
  common::ModelParams params = small_model(true);
  params.layers = 4;  // So that the places of pieces take turns.
  const auto initial = initial_parameters(params, parameter_layout(params, kCodec));
  std::vector<Trained> all(kRanks);
  const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
    const auto rank = static_cast<size_t>(communicator.rank());
    ShardedTraining training(params, small_inner(), sharding, *machines[rank], communicator);
    TRY_VOID(training.begin(initial));
    for (int step = 0; step < kSteps; ++step) {
      const auto runs = random_runs(static_cast<uint64_t>(step) + 1, 4, 7, params.vocabulary);
      TRY(const auto taken, training.step(make_batch(runs, kEnd, true), 1e-2));
      all[rank].losses.push_back(taken.loss);
    }
    all[rank].theta.resize(initial.size());
    return training.download(all[rank].theta);
  });
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_NE(all[0].theta, initial);
  for (const Trained& other : all) EXPECT_EQ(other, all[0]);
  return all[0];
}

TEST(NcclSharding, TrainsWhatRanksThatShareMemoryTrain) {
  std::vector<std::unique_ptr<Backend>> machines;
  std::vector<Backend*> pointers;
  for (int rank = 0; rank < kRanks; ++rank) {
    machines.push_back(make_machine());
    pointers.push_back(machines.back().get());
  }
  cuda::EmulatedWire wire(kRanks);
  const auto cards = cuda::make_emulated_ranks(wire, pointers, kPatience);
  ASSERT_TRUE(cards) << cards.error().message;
  for (const Sharding sharding :
       {Sharding::kOptimiser, Sharding::kGradients, Sharding::kParameters}) {
    ThreadRanks threads(kRanks, kPatience);
    EXPECT_EQ(train(**cards, machines, sharding), train(threads, machines, sharding))
        << "stage " << static_cast<int>(sharding);
  }
}

// It leaves with pieces on their way; the others release theirs as soon as they are told.
TEST(NcclSharding, ARankThatLeavesIsNamedToTheOthers) {
  std::vector<std::unique_ptr<Backend>> machines;
  std::vector<Backend*> pointers;
  for (int rank = 0; rank < kRanks; ++rank) {
    machines.push_back(make_machine());
    pointers.push_back(machines.back().get());
  }
  for (const Sharding sharding :
       {Sharding::kOptimiser, Sharding::kGradients, Sharding::kParameters}) {
    cuda::EmulatedWire wire(kRanks);
    const auto cards = cuda::make_emulated_ranks(wire, pointers, kPatience);
    ASSERT_TRUE(cards) << cards.error().message;
    const common::ModelParams params = small_model(false);
    const auto result = (*cards)->run([&](Communicator& communicator) -> Result<void> {
      Backend& backend = *machines[static_cast<size_t>(communicator.rank())];
      ShardedTraining training(params, small_inner(), sharding, backend, communicator);
      TRY_VOID(training.begin(initial_parameters(params, parameter_layout(params, kCodec))));
      const auto batch = make_batch(random_runs(1, 4, 7, params.vocabulary), kEnd, true);
      for (int step = 0;; ++step) {
        if (communicator.rank() == 1 && step == 2) {
          return common::Error{common::Code::kUnavailable, "its data cannot be read"};
        }
        const auto taken = training.step(batch, 1e-2);
        if (taken) continue;
        EXPECT_EQ(taken.error().message, "rank 1 gave up: its data cannot be read");
        return taken.error();
      }
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, common::Code::kUnavailable);
    EXPECT_EQ(wire.aborted_count(), kRanks);
  }
}

}  // namespace
}  // namespace train
