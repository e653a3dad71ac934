// Goal: every rank gets what all ranks have, the same bits everywhere and in every run; a rank that
//   is missing, lost or out of step ends every wait with an Error that names it.
// Method: 1 to 4 ranks as threads, of each kind (cards on an emulated wire), sizes by seed (0 among
//   them) against plain loops; then the failures one by one, with deadlines that would make the
//   test fail if they were waited for.
#include "train/communicator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "common/philox.h"
#include "tests/train/nccl_emulation.h"

namespace train {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;
using common::Result;
using testing::HasSubstr;

constexpr milliseconds kPatience{60'000};

std::vector<float> values_of(uint64_t seed, int rank, size_t size) {
  common::Philox random(seed * 100 + static_cast<uint64_t>(rank));
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal() * 1e3);
  return values;
}

// In the order of ranks.
std::vector<float> sum_of(uint64_t seed, int ranks, size_t size) {
  std::vector<float> sum(size);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto values = values_of(seed, rank, size);
    for (size_t i = 0; i < size; ++i) sum[i] += values[i];
  }
  return sum;
}

// Every fourth time the same for all.
std::vector<size_t> random_sizes(uint64_t seed, int ranks) {
  common::Philox random(seed);
  std::vector<size_t> sizes(static_cast<size_t>(ranks));
  if (seed % 4 == 0) return std::vector(sizes.size(), size_t{random.below(10'000)});
  for (size_t& size : sizes) size = random.below(4) == 0 ? 0 : random.below(10'000);
  return sizes;
}

// Every collective with sizes by `seed`; says what is wrong.
Result<void> check_all(Communicator& communicator, uint64_t seed) {
  const int rank = communicator.rank();
  const int ranks = communicator.ranks();
  const auto sizes = random_sizes(seed, ranks);
  const size_t total = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
  const size_t mine = sizes[static_cast<size_t>(rank)];
  const auto first = std::accumulate(sizes.begin(), sizes.begin() + rank, ptrdiff_t{0});
  const auto expected = sum_of(seed, ranks, total);
  const auto part = [&](const std::vector<float>& all) {
    return std::vector<float>(all.begin() + first, all.begin() + first + static_cast<long>(mine));
  };

  auto reduced = values_of(seed, rank, total);
  TRY_VOID(communicator.all_reduce(reduced));
  EXPECT_EQ(reduced, expected);

  const auto all = values_of(seed, rank, total);
  std::vector<float> scattered(mine);
  TRY_VOID(communicator.reduce_scatter(scattered.data(), all.data(), sizes));
  EXPECT_EQ(scattered, part(expected));
  auto in_place = all;
  TRY_VOID(communicator.reduce_scatter(in_place.data() + first, in_place.data(), sizes));
  EXPECT_EQ(part(in_place), part(expected));

  std::vector<float> gathered(total);
  TRY_VOID(communicator.all_gather(gathered.data(), scattered.data(), sizes));
  EXPECT_EQ(gathered, expected);
  std::vector<float> gathered_in_place(total);
  std::copy(scattered.begin(), scattered.end(), gathered_in_place.begin() + first);
  TRY_VOID(
      communicator.all_gather(gathered_in_place.data(), gathered_in_place.data() + first, sizes));
  EXPECT_EQ(gathered_in_place, expected);

  const int root = static_cast<int>(seed % static_cast<uint64_t>(ranks));
  auto sent = values_of(seed, rank, total);
  TRY_VOID(communicator.broadcast(sent.data(), sent.size() * sizeof(float), root));
  EXPECT_EQ(sent, values_of(seed, root, total));

  TRY(const auto numbers, communicator.all_numbers(rank + 0.25));
  EXPECT_EQ(numbers.size(), static_cast<size_t>(ranks));
  for (int other = 0; other < ranks; ++other) {
    EXPECT_EQ(numbers[static_cast<size_t>(other)], other + 0.25);
  }
  return communicator.barrier();
}

class Communicators : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Ranks> make(int ranks, milliseconds deadline = kPatience) {
    if (GetParam() == "threads") return std::make_unique<ThreadRanks>(ranks, deadline);
    return std::make_unique<cuda::EmulatedCards>(ranks, deadline);
  }
};

TEST_P(Communicators, CollectivesOfEverySizeAreThePlainLoops) {
  for (const int count : {1, 2, 3, 4}) {
    const auto ranks = make(count);
    const auto result = ranks->run([](Communicator& communicator) -> Result<void> {
      for (uint64_t seed = 1; seed <= 12; ++seed) TRY_VOID(check_all(communicator, seed));
      return {};
    });
    EXPECT_TRUE(result) << result.error().message;
  }
}

TEST(Communicator, AloneDoesTheSame) {
  const auto alone = make_alone_communicator();
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    EXPECT_TRUE(check_all(*alone, seed));
  }
  alone->abort({Code::kCancelled, "told to stop"});
  const auto after = alone->barrier();
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Code::kCancelled);
}

TEST_P(Communicators, SeveralCollectivesAreUnderWayAndWaitedForInAnyOrder) {
  const auto ranks = make(3);
  const auto result = ranks->run([](Communicator& communicator) -> Result<void> {
    constexpr size_t kCount = 20;
    std::vector<std::vector<float>> values;
    for (size_t i = 0; i < kCount; ++i) values.push_back(values_of(i, communicator.rank(), 100));
    std::vector<Communicator::Pending> pending;
    for (auto& each : values) pending.push_back(communicator.begin_all_reduce(each));
    // Each rank in an order of its own.
    const auto way = static_cast<ptrdiff_t>(communicator.rank() * 7);
    std::rotate(pending.begin(), pending.begin() + way, pending.end());
    for (const auto each : pending) TRY_VOID(communicator.wait(each));
    for (size_t i = 0; i < kCount; ++i) EXPECT_EQ(values[i], sum_of(i, 3, 100));
    return {};
  });
  EXPECT_TRUE(result);
}

TEST_P(Communicators, ARankThatDoesNotComeIsNamedWithinTheDeadline) {
  const auto ranks = make(3, milliseconds{1000});
  std::atomic<int> failures = 0;
  const auto result = ranks->run([&](Communicator& communicator) -> Result<void> {
    std::vector<float> values(8);
    TRY_VOID(communicator.all_reduce(values));
    if (communicator.rank() == 1) return {};  // Left without a word.
    const auto missed = communicator.all_reduce(values);
    if (!missed) ++failures;
    return missed;
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(failures, 2);
  EXPECT_EQ(result.error().code, Code::kTimeout);
  EXPECT_EQ(result.error().message,
            "rank 1 of 3 did not come to collective 1, all_reduce of 32 bytes, within 1000 ms");
}

TEST_P(Communicators, ARankThatGivesUpEndsTheOthersWaitsAtOnce) {
  const auto ranks = make(4);
  std::vector<std::string> heard(4);
  const auto result = ranks->run([&](Communicator& communicator) -> Result<void> {
    if (communicator.rank() == 2) return Error{Code::kIo, "its disk is full"};
    const auto waited = communicator.barrier();
    EXPECT_FALSE(waited);
    heard[static_cast<size_t>(communicator.rank())] = waited.error().message;
    // There is no way back.
    EXPECT_FALSE(communicator.barrier());
    return waited;
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kIo);
  for (const size_t rank : {0U, 1U, 3U}) {
    EXPECT_EQ(heard[rank], "rank 2 gave up: its disk is full");
  }
}

TEST_P(Communicators, RanksOutOfStepAreNamedWithWhatTheyCameTo) {
  const auto ranks = make(2);
  const auto result = ranks->run([](Communicator& communicator) -> Result<void> {
    std::vector<float> values(communicator.rank() == 0 ? 4 : 5);
    return communicator.all_reduce(values);
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kConflict);
  EXPECT_THAT(result.error().message, HasSubstr("rank 0"));
  EXPECT_THAT(result.error().message, HasSubstr("all_reduce of 16 bytes"));
  EXPECT_THAT(result.error().message, HasSubstr("rank 1"));
  EXPECT_THAT(result.error().message, HasSubstr("all_reduce of 20 bytes"));
}

// One rank fails somewhere, with a collective under way; all release what they had handed over as
// soon as they are told that they may. Nobody may touch it then: this is for the address and thread
// sanitizers.
TEST_P(Communicators, AfterAnErrorTheMemoryMayBeReleased) {
  for (int round = 0; round < 30; ++round) {
    const auto ranks = make(4);
    const auto result = ranks->run([&](Communicator& communicator) -> Result<void> {
      for (int step = 0;; ++step) {
        std::vector<float> first(2000, 1.0F);
        std::vector<float> second(20'000, 2.0F);
        const auto one = communicator.begin_all_reduce(first);
        const auto two = communicator.begin_all_reduce(second);
        if (communicator.rank() == round % 4 && step == round % 7) {
          const Error why{Code::kCancelled, "told to stop"};
          communicator.abort(why);
          return why;
        }
        auto waited = communicator.wait(two);
        if (waited) waited = communicator.wait(one);
        if (!waited) return waited;
        EXPECT_EQ(first[1999], 4.0F);
        EXPECT_EQ(second[0], 8.0F);
      }
    });
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, testing::EndsWith("told to stop"));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Communicators, testing::Values("threads", "emulated_cards"),
                         [](const auto& row) { return row.param; });

TEST(CommunicatorDeathTest, WaitingTwiceIsABug) {
  EXPECT_DEATH(
      {
        ThreadRanks ranks(1, kPatience);
        const auto pending = ranks[0].begin({});
        CHECK(ranks[0].wait(pending));
        CHECK(ranks[0].wait(pending));
      },
      "waited for twice");
}

}  // namespace
}  // namespace train
