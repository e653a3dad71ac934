// Goal: the block clock wakes up soon after a block, asks seldom, and says so when it cannot.
// Method: a ledger whose blocks come by a clock that only sleeping moves.
#include "chain/block_clock.h"

#include <gtest/gtest.h>

#include "tests/chain/fake_node.h"

namespace chain {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;
using substrate::TestClock;

// Makes a block every `block_time` of `clock`.
class Ticking final : public Ledger {
 public:
  Ticking(TestClock& clock, milliseconds block_time)
      : clock_(clock), block_time_(block_time), began_(clock.now()) {}

  Result<Block> head() override {
    ++asked;
    if (silent > 0) {
      --silent;
      return Error{Code::kUnavailable, "nobody answers"};
    }
    return at(static_cast<uint64_t>((clock_.now() - began_) / block_time_));
  }
  Result<Block> block(BlockNumber number) override {
    if (pruned) return Error{Code::kNotFound, "pruned"};
    return at(number.index);
  }
  Instant time_of(uint64_t number) const {
    return began_ + block_time_ * static_cast<int64_t>(number);
  }

  int asked = 0;
  int silent = 0;
  bool pruned = false;

  // Not asked here.
  Result<Metagraph> metagraph(std::optional<BlockNumber>) override { return none(); }
  Result<std::vector<WeightRow>> weights() override { return none(); }
  Result<std::vector<Commitment>> commitments(std::optional<BlockNumber>) override {
    return none();
  }
  Result<Hyperparameters> hyperparameters() override { return none(); }
  Result<uint64_t> balance(const AccountId&) override { return none(); }
  Result<Uid> register_neuron(const Keypair&, const AccountId&) override { return none(); }
  Result<void> add_stake(const Keypair&, const AccountId&, uint64_t) override { return none(); }
  Result<void> transfer(const Keypair&, const AccountId&, uint64_t) override { return none(); }
  Result<void> commit(const Keypair&, std::span<const Bytes>) override { return none(); }
  Result<void> set_weights(const Keypair&, std::span<const Weight>, uint64_t) override {
    return none();
  }
  Result<void> serve_axon(const Keypair&, const Axon&) override { return none(); }

 private:
  static Error none() { return {Code::kRefused, "not here"}; }
  Result<Block> at(uint64_t number) const { return Block{{number}, {}, time_of(number)}; }

  TestClock& clock_;
  milliseconds block_time_;
  Instant began_;
};

TEST(BlockClock, WakesWithinAThirdOfABlockAndAsksSeldom) {
  for (const int ms : {250, 12'000}) {
    TestClock clock;
    Ticking ledger(clock, milliseconds(ms));
    clock.sleep(milliseconds(ms) * 20 + milliseconds(ms) / 3);
    BlockClock blocks(ledger, clock);
    const auto reached = blocks.wait_for({120});
    ASSERT_TRUE(reached);
    EXPECT_EQ(reached->number, BlockNumber{120});
    EXPECT_LT(clock.now() - ledger.time_of(120), milliseconds(ms) / 3) << ms;
    EXPECT_LT(ledger.asked, 25) << ms;
  }
}

TEST(BlockClock, ABlockThatIsThereIsNotWaitedFor) {
  TestClock clock;
  Ticking ledger(clock, milliseconds(1'000));
  clock.sleep(milliseconds(5'500));
  BlockClock blocks(ledger, clock);
  const int before = clock.sleeps;
  EXPECT_EQ(blocks.wait_for({3})->number, BlockNumber{5});
  EXPECT_EQ(clock.sleeps, before);
}

TEST(BlockClock, AYoungChainIsWatchedClosely) {
  TestClock clock;
  Ticking ledger(clock, milliseconds(250));
  ledger.pruned = true;
  BlockClock blocks(ledger, clock);
  ASSERT_TRUE(blocks.wait_for({40}));
  EXPECT_LT(clock.now() - ledger.time_of(40), milliseconds(250));
}

TEST(BlockClock, ExpectsABlockWhenItComes) {
  TestClock clock;
  Ticking ledger(clock, milliseconds(1'000));
  clock.sleep(milliseconds(30'400));
  BlockClock blocks(ledger, clock);
  EXPECT_EQ(blocks.expected({40}).value(), ledger.time_of(40));
  EXPECT_LE(blocks.expected({7}).value(), clock.now());
}

TEST(BlockClock, AskAgainUntilPatienceEnds) {
  TestClock clock;
  Ticking ledger(clock, milliseconds(1'000));
  ledger.silent = 3;
  BlockClock blocks(ledger, clock);
  blocks.set_patience(milliseconds(5'000));
  EXPECT_TRUE(blocks.wait_for({1}));
  ledger.silent = 1'000;
  const auto before = clock.now();
  EXPECT_EQ(blocks.wait_for({100}).error().code, Code::kUnavailable);
  EXPECT_GE(clock.now() - before, milliseconds(5'000));
  EXPECT_LT(clock.now() - before, milliseconds(10'000));
}

TEST(BlockClock, AStopIsReportedAsOne) {
  TestClock clock;
  Ticking ledger(clock, milliseconds(1'000));
  BlockClock blocks(ledger, clock);
  clock.stop = true;
  EXPECT_EQ(blocks.wait_for({100}).error().code, Code::kCancelled);
}

TEST(Metagraph, LeadsAreValidatorsByStakeThenUid) {
  Metagraph graph;
  for (uint16_t i = 0; i < 4; ++i) {
    graph.neurons.push_back(
        {{i}, {{static_cast<uint8_t>(i + 1)}}, {}, 0, true, i != 1, 0, 0, 0, 0, 0, {}, {}});
  }
  graph.neurons[0].stake_rao = 5;
  graph.neurons[1].stake_rao = 100;  // No permit.
  graph.neurons[2].stake_rao = 9;
  graph.neurons[3].stake_rao = 5;
  EXPECT_EQ(graph.leads(), (std::vector<common::Uid>{{2}, {0}, {3}}));
  EXPECT_EQ(graph.find({{3}})->uid, common::Uid{2});
  EXPECT_EQ(graph.find({{9}}), nullptr);
}

}  // namespace
}  // namespace chain
