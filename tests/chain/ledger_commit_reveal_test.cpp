// Goal: weights that are committed count when they are revealed, in their epoch and no other, by
// their hash and under a time lock; nobody can copy them or reveal what was not committed; the
// beacon's pulses vouch for themselves. Method: calls into blocks of a small chain, by its own
// rules of time; a beacon whose secret the test has.
#include <gtest/gtest.h>

#include "chain/embedded/commit_reveal.h"
#include "chain/embedded/drand.h"
#include "chain/embedded/epoch.h"
#include "chain/embedded/weights.h"
#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

using calls::CommitTimelocked;
using calls::CommitWeights;
using calls::RevealWeights;

const timelock::BeaconSecret& secret() {
  static const auto one = timelock::BeaconSecret::from_seed(Bytes(32, 7));
  return one;
}

Genesis hidden_genesis() {
  Genesis genesis = small_genesis();
  genesis.rules.commit_reveal_enabled = true;
  genesis.rules.weights_rate_limit = 2;
  return with_beacon(genesis, secret().key());
}

// alice/hot (uid 1) is a validator, bob/hot (uid 2) and carol/hot (uid 3) are miners.
class CommitReveal : public testing::Test {
 protected:
  CommitReveal() : world_(hidden_genesis()) {}
  void SetUp() override {
    for (const char* name : {"alice", "bob", "carol"}) {
      ASSERT_EQ(world_.register_hotkey(name, std::string(name) + "/hot"), "");
    }
    ASSERT_EQ(world_.run("alice",
                         calls::AddStake{World::account("alice/hot"), kNetuid, 1000 * kRaoPerTao}),
              "");
    next_epoch();
  }

  uint64_t epoch() const { return world_.number(items::kSubnetEpochIndex); }
  void next_epoch() {
    for (const uint64_t before = epoch(); epoch() == before;) world_.block();
  }
  std::vector<Weight> row() const {
    return get_row(world_.state.storage(), items::kWeights.key(kNetuid, 1));
  }
  Hash hash_of(const RevealWeights& call, const std::string& who = "alice/hot") const {
    return weights_hash(World::account(who), call);
  }
  std::string commit(const RevealWeights& call) {
    return world_.run("alice/hot", CommitWeights{kNetuid, hash_of(call)});
  }
  // Round 1 is that of genesis; one a second.
  uint64_t round_now() const {
    return static_cast<uint64_t>((world_.state.head().time - small_genesis().time).count() / 1000 +
                                 1);
  }
  Bytes lock(uint64_t round, const std::string& owner, std::vector<uint16_t> values) const {
    const timelock::WeightsPayload payload{World::account(owner), {2, 3}, std::move(values), 0};
    return timelock::encrypt(payload.encode(), round, secret().key()).value();
  }
  std::string commit_locked(const Bytes& bytes, uint64_t round, uint16_t version = 4) {
    return world_.run("alice/hot", CommitTimelocked{kNetuid, {bytes}, round, version});
  }
  Bytes pulse(uint64_t round, const timelock::BeaconSecret& by = secret()) const {
    const auto signature = by.sign(round);
    calls::WritePulse call;
    call.pulses_payload.pulses = {{round, {Bytes(32)}, {{signature.begin(), signature.end()}}}};
    return substrate::encode_extrinsic({std::nullopt, encode_named("Drand", "write_pulse", call)});
  }

  World world_;
};

const RevealWeights kShown{kNetuid, {2, 3}, {10, 40}, {1, 2, 3}, 0};

TEST_F(CommitReveal, WhatIsCommittedByHashIsRevealedAnEpochLater) {
  EXPECT_EQ(world_.run("alice/hot", calls::SetWeights{kNetuid, {2}, {1}, 0}),
            "CommitRevealEnabled");
  ASSERT_EQ(commit(kShown), "");
  EXPECT_EQ(world_.run("alice/hot", kShown), "pool: Custom error: 17");  // RevealTooEarly
  next_epoch();
  EXPECT_TRUE(row().empty());
  ASSERT_EQ(world_.run("alice/hot", kShown), "");
  EXPECT_EQ(row(), (std::vector<Weight>{{{2}, 16384}, {{3}, 65535}}));
  EXPECT_EQ(world_.run("alice/hot", kShown), "pool: Custom error: 16");  // NoWeightsCommitFound
}

TEST_F(CommitReveal, AnotherHotkeyOrOtherWeightsAreNotWhatWasCommitted) {
  ASSERT_EQ(commit(kShown), "");
  next_epoch();
  RevealWeights other = kShown;
  other.values = {40, 10};
  EXPECT_EQ(world_.run("alice/hot", other), "InvalidRevealCommitHashNotMatch");
  EXPECT_EQ(world_.run("bob/hot", kShown), "pool: Custom error: 16");
  EXPECT_TRUE(row().empty());
}

TEST_F(CommitReveal, TooLateIsNever) {
  ASSERT_EQ(commit(kShown), "");
  next_epoch();
  next_epoch();
  EXPECT_EQ(world_.run("alice/hot", kShown), "pool: Custom error: 17");  // ExpiredWeightCommit
  EXPECT_TRUE(row().empty());
}

TEST_F(CommitReveal, TenMayWaitAndEachWaitsItsTurn) {
  Genesis genesis = hidden_genesis();
  genesis.rules.weights_rate_limit = 0;
  genesis.rules.tempo = 60;
  world_ = World(genesis);
  for (const char* name : {"alice"}) ASSERT_EQ(world_.register_hotkey(name, "alice/hot"), "");
  RevealWeights call = kShown;
  for (uint16_t i = 0; i < 10; ++i) {
    call.salt = {i};
    ASSERT_EQ(commit(call), "") << i;
  }
  call.salt = {10};
  EXPECT_EQ(commit(call), "TooManyUnrevealedCommits");
}

TEST_F(CommitReveal, CommitsAreRateLimitedAndCountAsUpdates) {
  ASSERT_EQ(commit(kShown), "");
  EXPECT_EQ(get_numbers<uint64_t>(world_.state.storage(), items::kLastUpdate.key(kNetuid))[1],
            world_.state.head().header.number);
  EXPECT_EQ(commit(kShown), "pool: Custom error: 6");
}

TEST_F(CommitReveal, ATimeLockOpensByItselfWhenThePulseIsThere) {
  const uint64_t round = round_now() + 2;
  ASSERT_EQ(commit_locked(lock(round, "alice/hot", {7, 14}), round), "");
  next_epoch();
  world_.block();
  EXPECT_TRUE(row().empty());  // No pulse yet: it waits, within its epoch.
  const auto made = world_.block({pulse(round)});
  ASSERT_FALSE(made.refused[0]);
  world_.block();
  EXPECT_EQ(row(), (std::vector<Weight>{{{2}, 32768}, {{3}, 65535}}));
  EXPECT_EQ(get_number<uint64_t>(world_.state.storage(), kLastStoredRound.key()), round);
}

TEST_F(CommitReveal, ATimeLockThatIsNotOnesOwnOrNoneIsDropped) {
  const uint64_t round = round_now() + 2;
  for (const Bytes& bytes : {lock(round, "bob/hot", {1, 2}), Bytes(300, 0xAB), Bytes{},
                             lock(round + 1, "alice/hot", {1, 2})}) {
    ASSERT_EQ(commit_locked(bytes, round), "");
    world_.blocks(2);
  }
  ASSERT_FALSE(world_.block({pulse(round)}).refused[0]);
  next_epoch();
  world_.blocks(2);
  EXPECT_TRUE(row().empty());
  EXPECT_TRUE(keys_under(world_.state.storage().entries(), kTimelockedCommits.key(kNetuid),
                         std::nullopt, 10)
                  .empty());
}

TEST_F(CommitReveal, ATimeLockWithoutItsPulseIsDroppedWithItsEpoch) {
  const uint64_t round = round_now() + 2;
  ASSERT_EQ(commit_locked(lock(round, "alice/hot", {7, 14}), round), "");
  next_epoch();
  next_epoch();
  world_.block({pulse(round)});
  world_.blocks(3);
  EXPECT_TRUE(row().empty());
}

TEST_F(CommitReveal, ARoundThatIsPastOrAnotherVersionIsRefused) {
  ASSERT_FALSE(world_.block({pulse(9)}).refused[0]);
  EXPECT_EQ(commit_locked(lock(8, "alice/hot", {1, 2}), 8), "pool: Custom error: 15");
  EXPECT_EQ(commit_locked(lock(9, "alice/hot", {1, 2}), 9, 3), "IncorrectCommitRevealVersion");
  EXPECT_EQ(commit_locked(Bytes(5001), 9), "InvalidValue");
}

TEST_F(CommitReveal, PulsesVouchForThemselvesAndNobodyForOthers) {
  const auto liar = timelock::BeaconSecret::from_seed(Bytes(32, 8));
  EXPECT_EQ(world_.state.validate(pulse(5, liar)).error().kind, Invalid::kBadProof);
  ASSERT_FALSE(world_.block({pulse(5)}).refused[0]);
  EXPECT_EQ(world_.state.validate(pulse(5)).error().kind, Invalid::kBadProof);  // Nothing new.
  // The randomness is the signature's, whatever the bringer wrote.
  const auto stored = get<Pulse>(world_.state.storage(), kPulses.key(uint64_t{5}));
  const auto digest = timelock::randomness_of(secret().sign(5));
  EXPECT_TRUE(std::equal(digest.begin(), digest.end(), stored.randomness.items.begin()));
  // Who signs it is an account, and accounts may not.
  calls::WritePulse signed_one;
  EXPECT_EQ(world_.run("alice", encode_named("Drand", "write_pulse", signed_one)), "Error.2");
  const Bytes remark = substrate::encode_extrinsic({std::nullopt, encode_call(calls::Remark{})});
  EXPECT_EQ(world_.state.validate(remark).error().kind, Invalid::kUnknown);
}

TEST_F(CommitReveal, AnUnrevealedCommitHidesItsWeightsFromLaterNeighbours) {
  ASSERT_EQ(commit(kShown), "");
  const uint64_t at = world_.state.head().header.number;
  const auto oldest = oldest_commits(world_.state.storage(), kNetuid);
  ASSERT_EQ(oldest.size(), 1u);
  EXPECT_EQ(oldest.at(World::account("alice/hot")), at);
  const EpochInput input = epoch_input(world_.state.storage(), kNetuid, at + 1, 0);
  EXPECT_EQ(input.neurons[1].oldest_commit->index, at);
  EXPECT_FALSE(input.neurons[2].oldest_commit);
}

}  // namespace
}  // namespace chain::embedded
