// Goal: a plan is what training then takes, to the byte; the choice is the least sharding that
//   fits; what does not fit is said with what would help, and 72.7 G parameters on 8 cards is said
//   truly.
// Method: a CPU that counts what is asked of it, for 1, 2 and 3 ranks and every stage (a card's own
//   rooms are counted by cuda_memory_plan_test.cpp); then choices around the edges of what fits;
//   then the large model, whose numbers are worked out by hand.
#include "train/memory_plan.h"

#include <gmock/gmock.h>

#include "tests/train/counting_backend.h"
#include "tests/train/planned_training.h"
#include "train/cpu/backend.h"

namespace train {
namespace {

using common::Code;
using testing::HasSubstr;

constexpr common::milliseconds kPatience{60'000};
constexpr uint64_t kGiB = uint64_t{1} << 30;

MemoryPlan plan_on_cpus(const PlannedTraining& training, Precision precision) {
  return plan_memory(training.hparams, cpu_kind(precision), training.ranks, training.options);
}

// Of what is planned the backend is not asked for the logits, which are its own affair, nor, on one
// machine, for theta, which is the vector that becomes the contribution.
uint64_t asked_for(const MachinePlan& plan, bool is_alone) {
  return plan.total() - plan.logits - (is_alone ? plan.theta : 0);
}

void expect_planned(const PlannedTraining& training, Precision precision) {
  const MemoryPlan plan = plan_on_cpus(training, precision);
  ASSERT_EQ(plan.machines.size(), static_cast<size_t>(training.ranks));
  const auto work = [&](CountingBackend& backend, int rank) {
    return [&, rank, allocations = -1]() mutable {
      EXPECT_EQ(backend.size_bytes(),
                asked_for(plan.machines[static_cast<size_t>(rank)], !training.options.sharding));
      if (allocations < 0) allocations = backend.allocations();
      EXPECT_EQ(backend.allocations(), allocations);  // Nothing after step one.
    };
  };
  if (!training.options.sharding) {
    const auto cpu = make_cpu_backend(1, precision);
    CountingBackend backend(*cpu);
    train_alone(training, backend, work(backend, 0));
    return;
  }
  ThreadRanks ranks(training.ranks, kPatience);
  const auto result = ranks.run([&](Communicator& communicator) {
    const auto cpu = make_cpu_backend(1, precision);
    CountingBackend backend(*cpu);
    return train_rank(training, backend, communicator, work(backend, communicator.rank()));
  });
  EXPECT_TRUE(result) << result.error().message;
}

TEST(MemoryPlan, IsWhatTrainingTakes) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    for (const int ranks : {1, 2, 3}) {
      each_planned_training(
          ranks, [&](const PlannedTraining& training) { expect_planned(training, precision); });
    }
  }
}

// 10 sequences of 7: 4 for each of 3 ranks; of at most 21 positions two times 2, of at most 6 one.
TEST(MemoryPlan, MicroBatchesAreEvenAndASequenceAtLeast) {
  PlannedTraining training = planned_training(true, "adamw");
  training.ranks = 3;
  const auto positions = [&](int at_once) {
    training.options = {.sharding = Sharding::kOptimiser, .positions_at_once = at_once};
    return plan_on_cpus(training, Precision::kFp32).positions;
  };
  EXPECT_EQ(positions(0), 28);
  EXPECT_EQ(positions(21), 14);
  EXPECT_EQ(positions(6), 7);
}

TEST(MemoryPlan, OfTheHostIsTheReplicaTheFeedbackAndTheLargestOfWhatComesInTurn) {
  const PlannedTraining training = planned_training(false, "adamw");
  const uint64_t theta = 4 * planned_theta(training).size();
  const HostPlan cpu = plan_on_cpus(training, Precision::kFp32).host;
  EXPECT_EQ(cpu.theta, theta);
  EXPECT_EQ(cpu.feedback, theta);
  EXPECT_EQ(cpu.checkpoint, theta);
  EXPECT_EQ(cpu.delta, 0U);  // It is the machine's theta.
  EXPECT_EQ(cpu.total(), 2 * theta + std::max(cpu.applying, theta));
  const HostPlan card =
      plan_memory(training.hparams, card_kind(80 * kGiB, Precision::kBf16), 1, {}).host;
  EXPECT_EQ(card.delta, theta);
}

// --- The choice. ---

Machines machines_with(uint64_t memory_bytes, int count) {
  return {.kind = card_kind(80 * kGiB, Precision::kBf16),
          .count = count,
          .memory_bytes = memory_bytes,
          .reserve_bytes = 1000};
}

PlannedTraining long_training() {
  PlannedTraining training = planned_training(false, "adamw");
  training.hparams.model.vocabulary = 2000;
  training.hparams.model.layers = 20;
  training.hparams.inner.sequences_per_step = 64;
  return training;
}

TEST(ChoosePlan, TakesTheFirstInOrderThatFits) {
  const common::Hparams hparams = long_training().hparams;
  for (const int count : {1, 2, 8}) {
    // Ever less memory: what is chosen only ever goes on in the order, and fits.
    std::vector<std::tuple<MomentHome, int, bool, int>> order;
    uint64_t memory = uint64_t{1} << 32;
    std::optional<MemoryPlan> last;
    while (true) {
      const auto plan = choose_plan(hparams, machines_with(memory, count));
      if (!plan) break;
      EXPECT_LE(plan->largest() + 1000, memory);
      EXPECT_EQ(plan->sharding.has_value(), count > 1 || plan->moments == MomentHome::kHost);
      order.emplace_back(plan->moments, plan->sharding ? static_cast<int>(*plan->sharding) : 0,
                         plan->recompute, -plan->positions);
      memory = plan->largest() + 1000 - 1;  // One byte less than it takes.
      last = *plan;
    }
    ASSERT_GT(order.size(), 2U) << count;
    EXPECT_TRUE(std::ranges::is_sorted(order)) << count;
    EXPECT_EQ(std::ranges::adjacent_find(order), order.end()) << count;
    const int part = (64 + count - 1) / count * 7;
    EXPECT_EQ(order.front(), std::tuple(MomentHome::kMachine, count > 1 ? 1 : 0, false, -part))
        << count;
    EXPECT_EQ(last->moments, MomentHome::kHost);
    EXPECT_EQ(last->positions, 7);
    EXPECT_TRUE(last->recompute);
    // It is the smallest, too.
    EXPECT_EQ(best_plan(hparams, machines_with(0, count)).largest(), last->largest());
  }
}

TEST(ChoosePlan, HeedsWishes) {
  const common::Hparams hparams = long_training().hparams;
  const auto plan = choose_plan(hparams, machines_with(uint64_t{1} << 32, 4),
                                {.sharding = Sharding::kGradients, .recompute = true});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->sharding, Sharding::kGradients);
  EXPECT_TRUE(plan->recompute);
  EXPECT_EQ(describe(*plan),
            "optimiser and gradient sharded, layers recomputed, 112 positions at once");
}

// --- 72.7 G parameters. ---

common::Hparams large(bool tied) {
  common::Hparams hparams = planned_training(tied, "adamw").hparams;
  hparams.model = large_model(tied);
  hparams.inner.sequences_per_step = 192;
  return hparams;
}

TEST(MemoryPlan, Of72BillionParametersOnEightCards) {
  MemoryPlan plan = plan_memory(
      large(false), card_kind(140 * kGiB, Precision::kBf16), 8,
      {.sharding = Sharding::kParameters, .recompute = true, .positions_at_once = 2048});
  EXPECT_EQ(plan.positions, 2048);
  const uint64_t N = 72'747'327'488;
  const uint64_t layer = 855'654'400;
  const uint64_t table = 262'144 * uint64_t{8192};
  for (const MachinePlan& card : plan.machines) {
    // An eighth, cut at multiples of 16 in each of 82 pieces.
    EXPECT_NEAR(static_cast<double>(card.theta), static_cast<double>(N / 2), 82 * 64);
    EXPECT_EQ(card.gradient, card.theta);
    EXPECT_EQ(card.moments, 2 * card.theta);
    // Of theta and of the gradient: two layers, and the table with the norm that stands before it.
    EXPECT_EQ(card.scratch, 2 * 4 * (2 * layer + table + 8192));
    // bf16 of the same but for the norms.
    EXPECT_EQ(card.packed, 2 * (2 * (layer - 2 * 8192) + table));
    // bf16, 2048 positions: 80 inputs of layers of 8192; one layer's norms, heads and stream 4 *
    // 8192, queries, keys and values 10,240, SwiGLU 3 * 28,672; stream and its norm 2 * 8192;
    // gradients 2 * 8192 + 28,672 + 57,344. In fp32: 64 heads and five numbers, and three tokens.
    EXPECT_EQ(card.activations, uint64_t{2048} * (2 * (80 * 8192 + 4 * 8192 + 10'240 + 3 * 28'672 +
                                                       2 * 8192 + 2 * 8192 + 28'672 + 57'344) +
                                                  4 * (64 + 2 + 2) + 4 * 3));
    // 2^27 logits of fp32 are 512 positions, and the same again in bf16.
    EXPECT_EQ(card.logits, 512 * uint64_t{262'144} * (4 + 2));
  }
  // 33.88 + 33.88 + 67.75 + 28.75 + 7.19 + 3.45 + 0.75 + 0.07 (a workspace of 64 MiB, sums, angles)
  EXPECT_NEAR(static_cast<double>(plan.largest()) / 0x1p30, 175.70, 0.02);
  // Replica and feedback, and the copy that becomes the contribution, or a checkpoint: 271.0 each.
  EXPECT_EQ(plan.host.total(), 3 * 4 * N);

  // With moments at home on the host: 8 N bytes there, and on a card room for those of the largest
  // piece's eighth, the table with the norm before it.
  const uint64_t on_the_card = plan.machines.front().total() - plan.machines.front().moments;
  plan = plan_memory(large(false), card_kind(140 * kGiB, Precision::kBf16), 8,
                     {.sharding = Sharding::kParameters,
                      .moments = MomentHome::kHost,
                      .recompute = true,
                      .positions_at_once = 2048});
  EXPECT_EQ(plan.machines.front().moments, 2 * 4 * (table + 8192) / 8);
  EXPECT_EQ(plan.machines.front().total() - plan.machines.front().moments, on_the_card);
  EXPECT_EQ(plan.host.moments, 2 * 4 * N);
  EXPECT_EQ(plan.host.total(), 5 * 4 * N);
}

TEST(ChoosePlan, Of72BillionParameters) {
  const auto h200 = choose_plan(large(false), 8, 140 * kGiB, Precision::kBf16);
  ASSERT_TRUE(h200) << h200.error().message;
  EXPECT_EQ(describe(*h200),
            "optimiser, gradient and parameters sharded, moments in host memory, layers "
            "recomputed, 16384 positions at once");
  const auto b200 = choose_plan(large(false), 8, 180'000'000'000, Precision::kBf16);
  ASSERT_TRUE(b200) << b200.error().message;
  EXPECT_EQ(b200->moments, MomentHome::kHost);
  for (const bool tied : {true, false}) {
    const auto sixteen = choose_plan(large(tied), 16, 140 * kGiB, Precision::kBf16);
    ASSERT_TRUE(sixteen) << sixteen.error().message;
    EXPECT_EQ(sixteen->moments, MomentHome::kMachine);
  }
  const auto small = choose_plan(large(false), 8, 80 * kGiB, Precision::kBf16);
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, Code::kExhausted);
  EXPECT_THAT(small.error().message,
              HasSubstr("the model needs 112.0 GiB of a card's 80.0 GiB (2.0 GiB of it for the "
                        "driver), 32.0 GiB too much"));
  EXPECT_THAT(small.error().message, HasSubstr("; 16 such cards hold it"));
}

// What one card holds with its moments on the host: parameters, gradient and the rest.
TEST(ChoosePlan, OfOneCardWhoseMomentsLiveOnTheHost) {
  const common::Hparams hparams = planned_training(true, "adamw").hparams;
  const MachineKind kind = card_kind(8 * kGiB, Precision::kBf16);
  const MemoryPlan whole = best_plan(hparams, {.kind = kind, .memory_bytes = 8 * kGiB});
  ASSERT_FALSE(whole.sharding);
  const MemoryPlan least = plan_memory(hparams, kind, 1,
                                       {.sharding = Sharding::kOptimiser,
                                        .moments = MomentHome::kHost,
                                        .recompute = true,
                                        .positions_at_once = 1});
  const auto plan =
      choose_plan(hparams, {.kind = kind, .memory_bytes = least.largest() + kCardReserveBytes});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->sharding, Sharding::kOptimiser);
  EXPECT_EQ(plan->moments, MomentHome::kHost);
  EXPECT_THAT(describe(*plan), HasSubstr("nothing sharded, moments in host memory"));
  EXPECT_FALSE(choose_plan(
      hparams, {.kind = kind, .memory_bytes = least.largest() + kCardReserveBytes - 1}));
}

}  // namespace
}  // namespace train
