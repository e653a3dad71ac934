// Goal: several ranks train the model that one machine would, the same bits at every rank and in
//   every run, each in the memory that was planned; what goes wrong at one ends all.
// Method: 2 and 4 ranks as threads against Model and Optimiser on one machine, every stage, tied
//   and untied, in fp32; memory counted by a backend that counts; then failures one by one.
#include "train/sharding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <mutex>

#include "tests/train/counting_backend.h"
#include "tests/train/learn.h"
#include "tests/train/oracle.h"
#include "tests/train/small_model.h"
#include "train/cpu/backend.h"

namespace train {
namespace {

using common::Code;
using common::milliseconds;
using common::Result;

constexpr milliseconds kPatience{60'000};
// AdamW divides by the root of squares: where a gradient is near zero its rounding, too, becomes a
// step of full length. What comes of it is the rate times as much.
constexpr double kRate = 1e-3;
constexpr int kSteps = 5;
constexpr Sharding kStages[] = {Sharding::kOptimiser, Sharding::kGradients, Sharding::kParameters};

// Widths that ranks cannot share evenly, and enough layers for the places to take turns.
common::ModelParams params_of(bool tied) {
  common::ModelParams params = small_model(tied);
  params.dim = 24;
  params.hidden = 40;
  params.layers = 5;
  params.init_std = 0.1;
  return params;
}

std::vector<float> initial(const common::ModelParams& params) {
  return initial_parameters(params, parameter_layout(params, kCodec));
}

// 10 sequences: 4 ranks cannot share them evenly.
Batch batch_of(const common::ModelParams& params, int step) {
  Batch batch = make_batch(random_runs(static_cast<uint64_t>(step) + 1, 10, 7, params.vocabulary),
                           kEnd, true);
  batch.target[5] = kNoTarget;
  return batch;
}

struct Trained {
  std::vector<double> losses;
  std::vector<double> norms;
  std::vector<float> theta;
  bool operator==(const Trained&) const = default;
};

Trained train_alone(const common::ModelParams& params, const common::InnerParams& inner) {
  const auto backend = make_cpu_backend(1);
  Model model(params, *backend);
  const auto optimiser = make_optimiser(parameter_layout(params, kCodec), inner, *backend);
  Trained trained{{}, {}, initial(params)};
  for (int step = 0; step < kSteps; ++step) {
    const Learned learned = learn(model, *backend, trained.theta, batch_of(params, step));
    trained.losses.push_back(learned.loss);
    trained.norms.push_back(
        gradient_norm(*backend, learned.gradient.data(), learned.gradient.size()));
    optimiser->step(trained.theta.data(), learned.gradient.data(), kRate, trained.norms.back());
  }
  return trained;
}

struct Setting {
  common::ModelParams params;
  common::InnerParams inner = small_inner();
  Sharding sharding;
  int ranks;
  ModelOptions options;
  Precision precision = Precision::kFp32;
  MomentHome moments = MomentHome::kMachine;
};

Result<Trained> train_rank(const Setting& setting, Communicator& communicator) {
  const auto backend = make_cpu_backend(1, setting.precision);
  ShardedTraining training(setting.params, setting.inner, setting.sharding, *backend, communicator,
                           setting.options, setting.moments);
  Trained trained;
  TRY_VOID(training.begin(initial(setting.params)));
  for (int step = 0; step < kSteps; ++step) {
    TRY(const auto taken, training.step(batch_of(setting.params, step), kRate));
    trained.losses.push_back(taken.loss);
    trained.norms.push_back(taken.gradient_norm);
  }
  trained.theta.resize(initial(setting.params).size());
  TRY_VOID(training.download(trained.theta));
  return trained;
}

// By rank.
std::vector<Trained> train_together(const Setting& setting) {
  ThreadRanks ranks(setting.ranks, kPatience);
  std::vector<Trained> all(static_cast<size_t>(setting.ranks));
  const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
    TRY(all[static_cast<size_t>(communicator.rank())], train_rank(setting, communicator));
    return {};
  });
  EXPECT_TRUE(result) << result.error().message;
  return all;
}

void expect_close(const Trained& got, const Trained& expected) {
  for (size_t step = 0; step < expected.losses.size(); ++step) {
    EXPECT_NEAR(got.losses[step], expected.losses[step], 1e-6 * expected.losses[step]) << step;
    EXPECT_NEAR(got.norms[step], expected.norms[step], 1e-5 * expected.norms[step]) << step;
  }
  EXPECT_LT(oracle::distance(got.theta, {expected.theta.begin(), expected.theta.end()}), 1e-6);
}

TEST(ShardedTraining, IsTheTrainingOfOneMachineWithTheSameBitsAtEveryRank) {
  for (const bool tied : {true, false}) {
    const auto params = params_of(tied);
    const Trained alone = train_alone(params, small_inner());
    const auto before = initial(params);
    ASSERT_GT(oracle::distance(alone.theta, {before.begin(), before.end()}), 1e-3);
    for (const int ranks : {2, 4}) {
      for (const Sharding sharding : kStages) {
        SCOPED_TRACE(testing::Message() << "tied " << tied << " ranks " << ranks << " stage "
                                        << static_cast<int>(sharding));
        const auto all = train_together({.params = params, .sharding = sharding, .ranks = ranks});
        expect_close(all.front(), alone);
        for (const Trained& other : all) EXPECT_EQ(other, all.front());
      }
    }
  }
}

// In bf16 too, where pieces that take turns in a place are packed again and again.
TEST(ShardedTraining, EveryRunAndEveryStageHasTheSameBits) {
  for (const bool tied : {true, false}) {
    for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
      const Setting setting{.params = params_of(tied),
                            .sharding = kStages[0],
                            .ranks = 3,
                            .options = {},
                            .precision = precision};
      const auto first = train_together(setting).front();
      EXPECT_EQ(train_together(setting).front(), first);
      for (const Sharding sharding : kStages) {
        Setting other = setting;
        other.sharding = sharding;
        EXPECT_EQ(train_together(other).front(), first);
        other.options.recompute = true;
        EXPECT_EQ(train_together(other).front(), first);
      }
    }
  }
}

TEST(ShardedTraining, MicroBatchesOfARankAreAddedUp) {
  const auto params = params_of(false);
  const Trained alone = train_alone(params, small_inner());
  for (const Sharding sharding : kStages) {
    Setting setting{.params = params, .sharding = sharding, .ranks = 2};
    setting.options.positions_at_once = 14;
    const auto all = train_together(setting);
    expect_close(all.front(), alone);
    EXPECT_EQ(all[0], all[1]);
  }
}

TEST(ShardedTraining, OneRankIsTheMachineItself) {
  const auto params = params_of(false);
  const Trained alone = train_alone(params, small_inner());
  for (const Sharding sharding : kStages) {
    const auto communicator = make_alone_communicator();
    const auto got =
        train_rank({.params = params, .sharding = sharding, .ranks = 1}, *communicator);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->theta, alone.theta);
    EXPECT_EQ(got->losses, alone.losses);
  }
}

TEST(ShardedTraining, MuonsMatricesStayWhole) {
  const auto params = params_of(true);
  common::InnerParams inner = small_inner();
  inner.optimiser = "muon";
  const Trained alone = train_alone(params, inner);
  for (const Sharding sharding : kStages) {
    const auto all =
        train_together({.params = params, .inner = inner, .sharding = sharding, .ranks = 2});
    EXPECT_EQ(all[0], all[1]);
    EXPECT_LT(oracle::distance(all[0].theta, {alone.theta.begin(), alone.theta.end()}), 1e-4);
  }
}

TEST(ShardedTraining, MomentsThatComeFromTheHostsMemoryAreTheSameBits) {
  for (const char* kind : {"adamw", "muon"}) {
    common::InnerParams inner = small_inner();
    inner.optimiser = kind;
    for (const Sharding sharding : kStages) {
      for (const int ranks : {1, 3}) {
        Setting setting{
            .params = params_of(true), .inner = inner, .sharding = sharding, .ranks = ranks};
        const auto at_home = train_together(setting);
        setting.moments = MomentHome::kHost;
        EXPECT_EQ(train_together(setting), at_home) << kind << ranks;
      }
    }
  }
}

// What a rank holds besides what sharded_memory says: activations, packed weights (of the layers
// that are there together, each matrix to the next 64 bytes), angles.
size_t others_bytes(const Setting& setting, const Backend& backend, int positions) {
  const common::ModelParams& params = setting.params;
  const auto packed = [&](uint32_t O, uint32_t C) {
    const size_t size = backend.packed_size(static_cast<int>(O), static_cast<int>(C));
    return (size + 63) / 64 * 64;
  };
  const uint32_t width = params.dim / params.heads;
  const size_t layer = packed(params.dim + 2 * params.kv_heads * width, params.dim) +
                       packed(params.dim, params.dim) + packed(2 * params.hidden, params.dim) +
                       packed(params.dim, params.hidden);
  const size_t layers = setting.sharding == Sharding::kParameters ? 2 : params.layers;
  return activation_bytes(params, positions, backend.precision(), setting.options) +
         layers * layer + packed(params.vocabulary, params.dim) +
         2 * 7 * (width / 2) * sizeof(float);
}

void expect_planned_memory(const Setting& setting) {
  const Shares shares(setting.params, "adamw", setting.ranks);
  ThreadRanks ranks(setting.ranks, kPatience);
  const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
    const auto machine = make_cpu_backend(1, setting.precision);
    CountingBackend backend(*machine);
    ShardedTraining training(setting.params, setting.inner, setting.sharding, backend,
                             communicator);
    TRY_VOID(training.begin(initial(setting.params)));
    TRY_VOID(training.step(batch_of(setting.params, 0), kRate));
    const int allocations = backend.allocations();
    // 10 sequences are 3 for each rank, of 7 positions.
    EXPECT_EQ(backend.size_bytes() - others_bytes(setting, backend, 21),
              sharded_memory(shares, setting.sharding, communicator.rank()).total());
    TRY_VOID(training.step(batch_of(setting.params, 1), kRate));
    EXPECT_EQ(backend.allocations(), allocations);
    return {};
  });
  EXPECT_TRUE(result) << result.error().message;
}

TEST(ShardedTraining, TakesTheMemoryThatWasPlanned) {
  for (const bool tied : {true, false}) {
    for (const Sharding sharding : kStages) {
      for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
        expect_planned_memory({.params = params_of(tied),
                               .sharding = sharding,
                               .ranks = 4,
                               .options = {},
                               .precision = precision});
      }
    }
  }
}

TEST(ShardedMemory, Of72BillionParametersOnEightCards) {
  const Shares shares(large_model(false), "adamw", 8);
  const auto count = static_cast<double>(shares.pieces().parameter_count());
  EXPECT_NEAR(count, 72.7e9, 0.1e9);
  const auto bytes = [&](Sharding sharding) {
    ShardedMemory memory = sharded_memory(shares, sharding, 7);
    memory.scratch = 0;
    return static_cast<double>(memory.total()) / count;
  };
  EXPECT_NEAR(bytes(Sharding::kOptimiser), 9, 1e-3);
  EXPECT_NEAR(bytes(Sharding::kGradients), 5.5, 1e-3);
  EXPECT_NEAR(bytes(Sharding::kParameters), 2, 1e-3);
  const double scratch =
      static_cast<double>(sharded_memory(shares, Sharding::kParameters, 0).scratch);
  EXPECT_NEAR(scratch, 30.9e9, 0.1e9);
}

TEST(Shares, MakeUpEveryPieceWithoutGaps) {
  for (const std::string kind : {"adamw", "muon"}) {
    for (const int ranks : {1, 2, 3, 7}) {
      const Shares shares(params_of(true), kind, ranks);
      std::vector<uint64_t> ends(static_cast<size_t>(ranks));
      uint64_t end = 0;
      for (size_t piece = 0; piece < shares.pieces().count(); ++piece) {
        EXPECT_EQ(shares.pieces()[piece].first, end);
        for (int rank = 0; rank < ranks; ++rank) {
          const Range share = shares.of(piece, rank);
          EXPECT_EQ(share.first, end);
          end = share.end();
          EXPECT_EQ(shares.offset(piece, rank), ends[static_cast<size_t>(rank)]);
          ends[static_cast<size_t>(rank)] += share.size;
          EXPECT_EQ(shares.sizes(piece)[static_cast<size_t>(rank)], share.size);
        }
        EXPECT_EQ(shares.pieces()[piece].end(), end);
      }
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(shares.size(rank), ends[static_cast<size_t>(rank)]);
      }
    }
  }
}

TEST(PartOf, RanksHaveTheSameNumberOfSequencesAndEveryTargetOnce) {
  const auto params = params_of(true);
  const Batch batch = batch_of(params, 0);
  for (const int ranks : {1, 2, 3, 4, 12}) {
    std::vector<uint32_t> input;
    std::vector<uint32_t> target;
    for (int rank = 0; rank < ranks; ++rank) {
      const Batch part = part_of(batch, rank, ranks);
      EXPECT_EQ(part.B, (10U + static_cast<uint32_t>(ranks) - 1) / static_cast<uint32_t>(ranks));
      EXPECT_EQ(part.T, 7U);
      input.insert(input.end(), part.input.begin(), part.input.end());
      target.insert(target.end(), part.target.begin(), part.target.end());
    }
    for (size_t i = 0; i < input.size(); ++i) {
      if (i < batch.input.size()) {
        EXPECT_EQ(input[i], batch.input[i]);
      }
      EXPECT_EQ(target[i], i < batch.target.size() ? batch.target[i] : kNoTarget);
    }
  }
}

TEST(ShardedTraining, ARankThatLeavesIsNamedToTheOthers) {
  for (const Sharding sharding : kStages) {
    const Setting setting{.params = params_of(false), .sharding = sharding, .ranks = 3};
    ThreadRanks ranks(3, kPatience);
    const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
      const auto backend = make_cpu_backend(1);
      ShardedTraining training(setting.params, setting.inner, sharding, *backend, communicator);
      TRY_VOID(training.begin(initial(setting.params)));
      for (int step = 0; step < kSteps; ++step) {
        if (communicator.rank() == 1 && step == 2) {
          return common::Error{Code::kUnavailable, "its data cannot be read"};
        }
        const auto taken = training.step(batch_of(setting.params, step), kRate);
        if (!taken) {
          EXPECT_EQ(taken.error().message, "rank 1 gave up: its data cannot be read");
          EXPECT_EQ(step, 2);
          return taken.error();
        }
      }
      return {};
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kUnavailable);
  }
}

TEST(ShardedTraining, WhatIsNotFiniteMovesNobody) {
  for (const Sharding sharding : kStages) {
    const Setting setting{.params = params_of(false), .sharding = sharding, .ranks = 2};
    auto theta = initial(setting.params);
    theta[PieceLayout(setting.params)[3].first] = std::numeric_limits<float>::infinity();
    ThreadRanks ranks(2, kPatience);
    const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
      const auto backend = make_cpu_backend(1);
      ShardedTraining training(setting.params, setting.inner, sharding, *backend, communicator);
      TRY_VOID(training.begin(theta));
      const auto taken = training.step(batch_of(setting.params, 0), kRate);
      EXPECT_FALSE(taken);
      EXPECT_EQ(taken.error().code, Code::kRefused);
      std::vector<float> after(theta.size());
      TRY_VOID(training.download(after));
      EXPECT_EQ(after, theta);
      return {};
    });
    EXPECT_TRUE(result) << result.error().message;
  }
}

TEST(ShardedTraining, MachinesOfDifferentKindsAreRefused) {
  const auto params = params_of(true);
  ThreadRanks ranks(3, kPatience);
  const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
    const auto backend = make_cpu_backend(1);
    ShardedTraining training(params, small_inner(), Sharding::kParameters, *backend, communicator,
                             {.positions_at_once = communicator.rank() == 2 ? 512 : 1024});
    return training.begin(initial(params));
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kConflict);
  EXPECT_EQ(result.error().message,
            "rank 2 works on 512 positions at once, rank 0 on 1024: ranks must be machines of one "
            "kind");
}

}  // namespace
}  // namespace train
