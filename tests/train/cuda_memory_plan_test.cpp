// Goal: what is planned of a card is what its backend then takes of the card, to the byte: arrays,
//   logits, and the rooms that kernels work in.
// Method: the card's backend on an emulated card that counts, one by itself and 2 and 3 of them,
//   every stage, each optimiser. Not counted, since only a card has it: cuBLASLt's workspace, which
//   is a constant, and what the driver keeps.
#include <gtest/gtest.h>

#include "tests/train/cuda_emulation.h"
#include "tests/train/planned_training.h"
#include "train/cuda/backend_on.h"

namespace train::cuda {
namespace {

constexpr common::milliseconds kPatience{60'000};

// Held at this moment, by array; and how often memory was asked for.
struct Held {
  std::map<void*, size_t> arrays = {};
  int allocations = 0;

  size_t size_bytes() const {
    size_t sum = 0;
    for (const auto& [memory, size] : arrays) sum += size;
    return sum;
  }
};

class CountingMachine : public EmulatedMachine {
 public:
  // `held` outlives it.
  explicit CountingMachine(Held& held) : EmulatedMachine(Turns::kForwards), held_(&held) {}

  void* allocate(size_t size_bytes) {
    void* const memory = EmulatedMachine::allocate(size_bytes);
    held_->arrays[memory] = size_bytes;
    ++held_->allocations;
    return memory;
  }
  void release(void* memory) {
    held_->arrays.erase(memory);
    EmulatedMachine::release(memory);
  }

 private:
  Held* held_;
};

template <typename Value>
void expect_planned(const PlannedTraining& training) {
  using Card = BackendOn<CountingMachine, Value>;
  Held none;
  const CountingMachine machine(none);
  const MachineKind kind{
      .is_card = true,
      .precision = std::is_same_v<Value, Bf16> ? Precision::kBf16 : Precision::kFp32,
      .positions_at_once = machine.positions_at_once(),
      .logits_at_once = machine.logits_at_once()};
  const MemoryPlan plan = plan_memory(training.hparams, kind, training.ranks, training.options);
  const auto look = [&](Held& held, int rank) {
    return [&, rank, allocations = -1]() mutable {
      EXPECT_EQ(held.size_bytes(), plan.machines[static_cast<size_t>(rank)].total());
      if (allocations < 0) allocations = held.allocations;
      EXPECT_EQ(held.allocations, allocations);  // Nothing after step one.
    };
  };
  if (!training.options.sharding) {
    Held held;
    Card card{CountingMachine(held)};
    train_alone(training, card, look(held, 0));
    return;
  }
  ThreadRanks ranks(training.ranks, kPatience);
  const auto result = ranks.run([&](Communicator& communicator) {
    Held held;
    Card card{CountingMachine(held)};
    return train_rank(training, card, communicator, look(held, communicator.rank()));
  });
  EXPECT_TRUE(result) << result.error().message;
}

TEST(CudaMemoryPlan, IsWhatACardTakes) {
  for (const int ranks : {1, 3}) each_planned_training(ranks, expect_planned<Bf16>);
}

TEST(CudaMemoryPlan, IsWhatACardTakesInFp32) { each_planned_training(2, expect_planned<float>); }

// The emulated card has room for 16,384 logits: of 600 tokens for 27 positions of 70.
TEST(CudaMemoryPlan, OfLogitsThatAreMadeInParts) {
  for (const bool tied : {true, false}) {
    PlannedTraining training = planned_training(tied, "adamw");
    training.hparams.model.vocabulary = 600;
    expect_planned<Bf16>(training);
    expect_planned<float>(training);
  }
}

TEST(CudaMemoryPlan, OfWidthsThatProductsRoundUp) {
  PlannedTraining training = planned_training(false, "muon");
  training.hparams.model.dim = 40;
  training.hparams.model.hidden = 56;
  training.hparams.model.vocabulary = 1001;
  training.hparams.model.sequence_length = 33;
  expect_planned<Bf16>(training);
}

}  // namespace
}  // namespace train::cuda
