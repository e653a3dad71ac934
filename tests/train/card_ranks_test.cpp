// Goal: ranks with a card each add up, scatter, gather and hand round what they should, the same
//   bits at every rank and in every run, end within the deadline when one is missing, and train as
//   the CPU does; a machine where that cannot be says why.
// Method: two cards with sums that fp32 holds exactly, then a missing rank; skipped, with the
//   reason, where there are not two cards (NCCL refuses two ranks on one). The logic itself is
//   nccl_ranks_test.cpp's.
#include "train/card_ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/train/small_model.h"
#include "train/buffer.h"
#include "train/cpu/backend.h"
#include "train/cuda/backend.h"
#include "train/sharding.h"

namespace train {
namespace {

using common::Code;
using common::milliseconds;
using common::Result;
using testing::HasSubstr;

constexpr milliseconds kPatience{30'000};

class CardRanks : public testing::Test {
 protected:
  void SetUp() override {
    for (int rank = 0; rank < 2; ++rank) {
      auto card = make_cuda_backend(rank, Precision::kFp32);
      if (!card) GTEST_SKIP() << "needs two cards: " << card.error().message;
      cards_.push_back(std::move(card).value());
      pointers_.push_back(cards_.back().get());
    }
  }

  std::unique_ptr<Ranks> make(milliseconds deadline) {
    auto ranks = make_card_ranks(pointers_, deadline);
    EXPECT_TRUE(ranks) << ranks.error().message;
    return std::move(ranks).value();
  }
  Backend& card(const Communicator& of) { return *cards_[static_cast<size_t>(of.rank())]; }

  // Small whole numbers: sums of two are exact in any order.
  static std::vector<float> values(int rank, size_t size) {
    std::vector<float> all(size);
    for (size_t i = 0; i < size; ++i) {
      all[i] = static_cast<float>((i * 7 + static_cast<size_t>(rank) * 13) % 1001);
    }
    return all;
  }
  static std::vector<float> sums(size_t size) {
    std::vector<float> all = values(0, size);
    const std::vector<float> other = values(1, size);
    for (size_t i = 0; i < size; ++i) all[i] += other[i];
    return all;
  }
  static std::vector<float> get(const Buffer<float>& buffer) {
    std::vector<float> all(buffer.size());
    buffer.download(all);
    return all;
  }

  std::vector<std::unique_ptr<Backend>> cards_;
  std::vector<Backend*> pointers_;
};

TEST_F(CardRanks, CollectivesAreThePlainLoops) {
  const auto ranks = make(kPatience);
  const auto result = ranks->run([&](Communicator& communicator) -> Result<void> {
    Backend& on = card(communicator);
    const auto rank = static_cast<size_t>(communicator.rank());
    for (const std::vector<size_t>& sizes :
         std::vector<std::vector<size_t>>{{1, 1}, {1000, 1000}, {3, 5000}, {0, 7}, {1 << 22, 9}}) {
      const size_t total = sizes[0] + sizes[1];
      const size_t first = rank == 0 ? 0 : sizes[0];
      const auto expected = sums(total);
      Buffer<float> all(on), mine(on), gathered(on);
      all.upload(values(communicator.rank(), total));
      mine.reserve(sizes[rank]);
      gathered.reserve(total);
      TRY_VOID(communicator.reduce_scatter(mine.data(), all.data(), sizes));
      TRY_VOID(communicator.all_gather(gathered.data(), mine.data(), sizes));
      EXPECT_TRUE(get(gathered) == expected);
      TRY_VOID(communicator.reduce_scatter(all.data() + first, all.data(), sizes));
      TRY_VOID(communicator.all_gather(all.data(), all.data() + first, sizes));
      EXPECT_TRUE(get(all) == expected);
      all.upload(values(communicator.rank(), total));
      TRY_VOID(communicator.all_reduce({all.data(), total}));
      EXPECT_TRUE(get(all) == expected);
      all.upload(values(communicator.rank(), total));
      TRY_VOID(communicator.broadcast(all.data(), total * sizeof(float), 1));
      EXPECT_TRUE(get(all) == values(1, total));
    }
    TRY(const auto numbers, communicator.all_numbers(communicator.rank() + 0.25));
    EXPECT_EQ(numbers, (std::vector<double>{0.25, 1.25}));
    return communicator.barrier();
  });
  EXPECT_TRUE(result) << result.error().message;
}

TEST_F(CardRanks, ARankThatDoesNotComeEndsTheWaitOfTheOther) {
  const auto ranks = make(milliseconds{2000});
  const auto result = ranks->run([&](Communicator& communicator) -> Result<void> {
    TRY_VOID(communicator.barrier());
    if (communicator.rank() == 1) return {};
    Buffer<float> values(card(communicator));
    values.upload(CardRanks::values(0, 1 << 20));
    return communicator.all_reduce({values.data(), values.size()});
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kTimeout);
  EXPECT_THAT(result.error().message, HasSubstr("rank 1 of 2 did not come to collective 1"));
  make(kPatience);  // New ones may be made.
}

TEST_F(CardRanks, TrainAsRanksOfTheCpuTwiceTheSameBits) {
  const common::ModelParams params = small_model(true);
  const auto initial = initial_parameters(params, parameter_layout(params, kCodec));
  const auto train = [&](Ranks& ranks, const auto& machine_of) {
    std::vector<std::vector<float>> theta(2, std::vector<float>(initial.size()));
    const auto result = ranks.run([&](Communicator& communicator) -> Result<void> {
      const auto rank = static_cast<size_t>(communicator.rank());
      ShardedTraining training(params, small_inner(), Sharding::kParameters, machine_of(rank),
                               communicator, {.positions_at_once = 512});
      TRY_VOID(training.begin(initial));
      const auto batch = make_batch(random_runs(1, 4, 7, params.vocabulary), kEnd, true);
      TRY_VOID(training.step(batch, 1e-2));
      return training.download(theta[rank]);
    });
    EXPECT_TRUE(result) << result.error().message;
    EXPECT_EQ(theta[0], theta[1]);
    return theta[0];
  };
  const auto ranks = make(kPatience);
  const auto on_card = [&](size_t rank) -> Backend& { return *cards_[rank]; };
  const auto once = train(*ranks, on_card);
  EXPECT_EQ(train(*ranks, on_card), once);
  ThreadRanks threads(2, kPatience);
  const std::vector<std::unique_ptr<Backend>> cpus = [] {
    std::vector<std::unique_ptr<Backend>> two;
    two.push_back(make_cpu_backend(1));
    two.push_back(make_cpu_backend(1));
    return two;
  }();
  const auto expected = train(threads, [&](size_t rank) -> Backend& { return *cpus[rank]; });
  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(once[i], expected[i], 1e-2) << i;
}

// With one card or more.
TEST(CardRanksDoor, TwoRanksOfOneCardAreRefused) {
  const auto card = make_cuda_backend(0, Precision::kFp32);
  if (!card) GTEST_SKIP() << card.error().message;
  Backend* const twice[] = {card->get(), card->get()};
  const auto ranks = make_card_ranks(twice, kPatience);
  ASSERT_FALSE(ranks);
  EXPECT_EQ(ranks.error().message,
            "rank 1 works on cuda:0, as rank 0 does: ranks that talk by NCCL need a card each");
}

TEST(CardRanksDoor, RanksWithoutACardAreTold) {
  const auto cpu = make_cpu_backend(2);
  Backend* const one[] = {cpu.get()};
  const auto ranks = make_card_ranks(one, kPatience);
  ASSERT_FALSE(ranks);
  if (ranks.error().code == Code::kUnavailable) {
    EXPECT_THAT(ranks.error().message, HasSubstr("which this program was built without"));
  } else {
    EXPECT_EQ(ranks.error().message,
              "rank 0 works on cpu:2: ranks that talk by NCCL need a card each, cuda:0, cuda:1 "
              "and so on");
  }
}

}  // namespace
}  // namespace train
