// Goal: the subnet's rules are Bittensor's: who gets a slot and at what price, whose weights count,
// what a neuron may say about itself, and who is paid what. Method: each rule and each refusal by
// name on a small chain; prices and splits against sums done by hand; money against the sum over
// all accounts after every epoch.
#include <algorithm>
#include <cmath>

#include "chain/embedded/emission.h"
#include "chain/embedded/epoch.h"
#include "chain/embedded/serving.h"
#include "chain/embedded/weights.h"
#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

using calls::AddStake;
using calls::BurnedRegister;
using calls::ServeAxon;
using calls::SetCommitment;
using calls::SetWeights;

TEST(Registration, TakesTheNextSlotAndBurnsThePrice) {
  World world;
  world.block();
  const uint64_t before = world.free_rao("alice");
  const Bytes sent = world.sign("alice", BurnedRegister{kNetuid, World::account("alice/hot")});
  world.block({sent});
  ASSERT_EQ(world.result_of(1), "");
  EXPECT_EQ(world.uid("alice/hot"), 1);
  // The price fell for two blocks before: 1 TAO * (f / 2^32)^2, rounded down each time.
  const uint64_t f = 4'286'705'684;
  uint64_t price = kRaoPerTao * f >> 32;
  price = static_cast<uint64_t>(static_cast<substrate::Uint128>(price) * f >> 32);
  const uint64_t fee = fee_rao(cost_of(BurnedRegister{}), sent.size());
  EXPECT_EQ(world.free_rao("alice"), before - price - fee);
  // And rises by 1.26 with the registration.
  EXPECT_NEAR(static_cast<double>(world.number(items::kBurn)), 1.26 * static_cast<double>(price),
              1);
  EXPECT_EQ(get_account(world.state.storage(), items::kOwner.key(World::account("alice/hot"))),
            World::account("alice"));
  expect_nothing_is_lost(world.state);
}

TEST(Registration, ThePriceHalvesInAHalfLifeAndStaysWithinItsBounds) {
  EXPECT_EQ(decay_factor(360), 4'286'705'684u);
  World world;
  world.blocks(360);
  EXPECT_NEAR(static_cast<double>(world.number(items::kBurn)), 0.5e9, 400);
  world.blocks(360 * 10);
  EXPECT_EQ(world.number(items::kBurn), 500'000u);
}

TEST(Registration, TheDecayFactorIsTheLargestThatHalves) {
  for (const uint16_t half_life : std::initializer_list<uint16_t>{1, 2, 7, 100, 360, 5000, 65535}) {
    const double f = decay_factor(half_life) / std::pow(2.0, 32);
    EXPECT_NEAR(std::pow(f, half_life), 0.5, 1e-4) << half_life;
  }
  EXPECT_EQ(decay_factor(1), 1u << 31);
}

TEST(Registration, IsRefusedByName) {
  World world;
  ASSERT_EQ(world.register_hotkey("alice", "alice/hot"), "");
  EXPECT_EQ(world.run("alice", BurnedRegister{0, World::account("x")}),
            "RegistrationNotPermittedOnRootSubnet");
  EXPECT_EQ(world.run("alice", BurnedRegister{9, World::account("x")}), "pool: Custom error: 3");
  EXPECT_EQ(world.register_hotkey("alice", "alice/hot"), "HotKeyAlreadyRegisteredInSubNet");
  world.run("alice", TransferKeepAlive{World::account("poor"), kRaoPerTao / 10});
  EXPECT_EQ(world.register_hotkey("poor", "poor/hot"), "pool: Custom error: 2");
  // A hotkey that lost its slot still belongs to its coldkey.
  Genesis closed = small_genesis();
  closed.rules.registration_allowed = false;
  World shut(closed);
  EXPECT_EQ(shut.register_hotkey("alice", "alice/hot"), "SubNetRegistrationDisabled");
}

Genesis tight_genesis() {
  Genesis genesis = small_genesis();
  genesis.rules.max_allowed_uids = 4;
  genesis.rules.min_non_immune_uids = 0;
  genesis.rules.immunity_period = 10;
  genesis.rules.burn_rao = genesis.rules.min_burn_rao = 500'000;
  return genesis;
}

TEST(Registration, AFullSubnetPrunesTheOldestOfThoseWhoEarnedLeast) {
  World world(tight_genesis());
  for (const char* hot : {"a/1", "a/2", "a/3"}) {
    ASSERT_EQ(world.register_hotkey("alice", hot), "");
  }
  world.blocks(10);  // All past immunity; nobody earned anything but the owner, who is immortal.
  ASSERT_EQ(world.register_hotkey("bob", "b/1"), "");
  EXPECT_EQ(world.uid("b/1"), 1);  // In the place of the oldest,
  EXPECT_FALSE(world.uid("a/1"));  //   who is out,
  EXPECT_EQ(world.register_hotkey("bob", "a/1"), "pool: Custom error: 25");  //   and still alice's.
  ASSERT_EQ(world.register_hotkey("bob", "b/2"), "");
  EXPECT_EQ(world.uid("b/2"), 2);
  ASSERT_EQ(world.register_hotkey("bob", "b/3"), "");
  EXPECT_EQ(world.uid("b/3"), 3);
  EXPECT_EQ(world.uid("owner/hot"), 0);
  EXPECT_EQ(world.number<uint16_t>(items::kSubnetworkN), 4);
}

TEST(Registration, PruningLooksAtEmissionFirstThenAgeThenUid) {
  World world(tight_genesis());
  for (const char* hot : {"a/1", "a/2", "a/3"}) {
    ASSERT_EQ(world.register_hotkey("alice", hot), "");
  }
  Storage storage = world.state.storage();
  const auto prune = [&](std::vector<uint64_t> emission, uint64_t block) {
    put_numbers(storage, items::kEmission.key(kNetuid), emission);
    return uid_to_prune(storage, kNetuid, block);
  };
  EXPECT_EQ(prune({0, 5, 4, 4}, 100), 2);  // Least emission; of two the older.
  EXPECT_EQ(prune({0, 4, 4, 3}, 100), 3);
  EXPECT_EQ(prune({0, 0, 0, 0}, 11), 1);  // Only uid 1 (registered in block 1) is past immunity.
  EXPECT_EQ(prune({0, 9, 0, 0}, 11), 1);  // Emission counts among those past it only.
  EXPECT_EQ(prune({0, 9, 8, 7}, 10), 3);  // Nobody is: then among the immune.
  put_number(storage, items::kBlockAtRegistration.key(kNetuid, 2), uint64_t{1});
  EXPECT_EQ(prune({0, 0, 0, 1}, 100), 1);  // Of the same age the lower uid.
  put_number(storage, kMinNonImmuneUids.key(kNetuid), uint16_t{3});
  EXPECT_EQ(prune({0, 0, 0, 0}, 100), std::nullopt);  // So few must stay: nobody can go.
}

TEST(Registration, ANewcomerInheritsNothing) {
  World world(tight_genesis());
  for (const char* hot : {"a/1", "a/2", "a/3"}) {
    ASSERT_EQ(world.register_hotkey("alice", hot), "");
  }
  ASSERT_EQ(world.run("a/1", ServeAxon{kNetuid, 1, 0x01020304, 9000}), "");
  ASSERT_EQ(world.run("a/1", SetCommitment{kNetuid, {{{Data::of(common::view_of("bucket"))}}}}),
            "");
  Storage storage = world.state.storage();
  put_row(storage, items::kWeights.key(kNetuid, 0), {{{1}, 65535}, {{2}, 7}});
  put_row(storage, items::kWeights.key(kNetuid, 1), {{{2}, 65535}});
  put_numbers<uint16_t>(storage, items::kIncentive.key(kNetuid), {0, 9, 9, 9});
  std::vector<EventRecord> events;
  const Context context{storage, 50, events};
  ASSERT_EQ(burned_register(context, World::account("bob"), {kNetuid, World::account("b/1")}),
            Outcome{});
  EXPECT_EQ(uid_of(storage, kNetuid, World::account("b/1")), 1);
  EXPECT_EQ(get_row(storage, items::kWeights.key(kNetuid, 0)),
            (std::vector<Weight>{{{1}, 0}, {{2}, 7}}));
  EXPECT_TRUE(get_row(storage, items::kWeights.key(kNetuid, 1)).empty());
  EXPECT_EQ(get_numbers<uint16_t>(storage, items::kIncentive.key(kNetuid)),
            (std::vector<uint16_t>{0, 0, 9, 9}));
  EXPECT_EQ(storage.find(items::kAxons.key(kNetuid, World::account("a/1"))), nullptr);
  EXPECT_EQ(storage.find(items::kUids.key(kNetuid, World::account("a/1"))), nullptr);
}

// alice/hot validates, bob/hot and carol/hot mine.
void build_subnet(World& world) {
  for (const char* name : {"alice", "bob", "carol"}) {
    ASSERT_EQ(world.register_hotkey(name, std::string(name) + "/hot"), "");
  }
  ASSERT_EQ(world.run("alice", AddStake{World::account("alice/hot"), kNetuid, 1000 * kRaoPerTao}),
            "");
  while (world.state.head().header.number < 10) world.block();  // The first epoch gives permits.
}

TEST(Weights, AreStoredScaledInTheOrderGiven) {
  World world;
  build_subnet(world);
  ASSERT_EQ(world.run("alice/hot", SetWeights{kNetuid, {3, 2}, {10, 40}, 0}), "");
  EXPECT_EQ(get_row(world.state.storage(), items::kWeights.key(kNetuid, 1)),
            (std::vector<Weight>{{{3}, 16384}, {{2}, 65535}}));  // 10/40 * 65535 = 16383.75
  EXPECT_EQ(get_numbers<uint64_t>(world.state.storage(), items::kLastUpdate.key(kNetuid))[1],
            world.state.head().header.number);
}

TEST(Weights, AreRefusedByName) {
  World world;
  build_subnet(world);
  world.blocks(6);
  const auto set = [&](const std::string& who, std::vector<uint16_t> uids,
                       std::vector<uint16_t> values) {
    return world.run(who, SetWeights{kNetuid, std::move(uids), std::move(values), 0});
  };
  EXPECT_EQ(set("alice/hot", {2, 3}, {1}), "pool: Custom error: 18");
  EXPECT_EQ(set("alice/hot", {0, 1, 2, 3, 4}, {1, 1, 1, 1, 1}), "UidsLengthExceedUidsInSubNet");
  EXPECT_EQ(set("eve", {2}, {1}), "pool: Custom error: 10");
  EXPECT_EQ(set("bob/hot", {3}, {1}), "NeuronNoValidatorPermit");
  EXPECT_EQ(set("bob/hot", {2}, {1}), "");  // Oneself only: allowed to all.
  EXPECT_EQ(set("alice/hot", {2, 2}, {1, 1}), "DuplicateUids");
  EXPECT_EQ(set("alice/hot", {2, 4}, {1, 1}), "pool: Custom error: 19");
  EXPECT_EQ(set("alice/hot", {2, 3}, {1, 1}), "");
  EXPECT_EQ(set("alice/hot", {2, 3}, {1, 1}), "pool: Custom error: 6");
  world.blocks(4);
  EXPECT_EQ(set("alice/hot", {2, 3}, {1, 1}), "");
  EXPECT_EQ(world.run("alice/hot", SetWeights{0, {2}, {1}, 0}), "CanNotSetRootNetworkWeights");
}

TEST(Weights, AreHeldToTheRulesOfGenesis) {
  Genesis genesis = small_genesis();
  genesis.rules.weights_version_key = 3;
  genesis.rules.min_allowed_weights = 2;
  genesis.rules.weights_rate_limit = 0;
  genesis.rules.stake_threshold_rao = 500 * kRaoPerTao;
  World world(genesis);
  build_subnet(world);
  EXPECT_EQ(world.run("alice/hot", SetWeights{kNetuid, {2, 3}, {1, 1}, 2}),
            "IncorrectWeightVersionKey");
  EXPECT_EQ(world.run("alice/hot", SetWeights{kNetuid, {2}, {1}, 3}), "WeightVecLengthIsLow");
  EXPECT_EQ(world.run("alice/hot", SetWeights{kNetuid, {2, 3}, {1, 1}, 3}), "");
  EXPECT_EQ(world.run("bob/hot", SetWeights{kNetuid, {2}, {1}, 3}), "pool: Custom error: 1");
}

// The order of checks, by calls that break several rules at once: the earliest must speak.
TEST(Weights, TheEarlierCheckSpeaksFirst) {
  World world;
  build_subnet(world);
  const Storage& storage = world.state.storage();
  const uint64_t block = world.state.head().header.number + 1;
  const auto first = [&](const std::string& who, const SetWeights& call) {
    const Outcome outcome = check_weights(storage, block, World::account(who), call);
    return outcome ? error_name(*outcome) : "";
  };
  EXPECT_EQ(first("eve", {0, {9, 9}, {1}, 0}), "CanNotSetRootNetworkWeights");
  EXPECT_EQ(first("eve", {9, {9, 9}, {1}, 0}), "WeightVecNotEqualSize");
  EXPECT_EQ(first("eve", {9, {9, 9}, {1, 1}, 0}), "SubnetNotExists");
  EXPECT_EQ(first("eve", {kNetuid, {9, 9, 9, 9, 9}, {1, 1, 1, 1, 1}, 0}),
            "UidsLengthExceedUidsInSubNet");
  EXPECT_EQ(first("eve", {kNetuid, {9, 9}, {1, 1}, 0}), "HotKeyNotRegisteredInSubNet");
  EXPECT_EQ(first("bob/hot", {kNetuid, {9, 9}, {1, 1}, 0}), "NeuronNoValidatorPermit");
  EXPECT_EQ(first("alice/hot", {kNetuid, {9, 9}, {1, 1}, 0}), "DuplicateUids");
  EXPECT_EQ(first("alice/hot", {kNetuid, {9, 8}, {1, 1}, 0}), "UidVecContainInvalidOne");
}

TEST(Serving, AnAxonIsHeldToItsRules) {
  World world;
  build_subnet(world);
  const auto serve = [&](substrate::Uint128 ip, uint16_t port, uint8_t type = 4) {
    return world.run("bob/hot", ServeAxon{kNetuid, 1, ip, port, type});
  };
  EXPECT_EQ(world.run("eve", ServeAxon{kNetuid, 1, 0x01020304, 9000}), "pool: Custom error: 10");
  EXPECT_EQ(serve(0x01020304, 9000, 5), "pool: Custom error: 11");
  EXPECT_EQ(serve(0x7F000001, 9000), "pool: Custom error: 11");
  EXPECT_EQ(serve(0xFFFFFFFF, 9000), "pool: Custom error: 11");
  EXPECT_EQ(serve(1, 9000, 6), "pool: Custom error: 11");
  EXPECT_EQ(serve(0x01020304, 0), "pool: Custom error: 13");
  EXPECT_EQ(serve(0, 9000), "");
  EXPECT_EQ(serve(0x01020304, 9000), "pool: Custom error: 12");
  world.blocks(4);
  EXPECT_EQ(serve(0x01020304, 9000), "");
}

TEST(Commitments, AreNeuronsOnlyAndLimitedInAnEpoch) {
  World world;
  build_subnet(world);
  const auto commit = [&](const std::string& who, size_t fields, size_t size) {
    return world.run(who,
                     SetCommitment{kNetuid, {{std::vector<Data>(fields, Data::of(Bytes(size)))}}});
  };
  EXPECT_EQ(commit("eve", 1, 10), "AccountNotAllowedCommit");
  EXPECT_EQ(commit("bob/hot", 3, 512), "");
  EXPECT_EQ(commit("bob/hot", 3, 512), "");                  // 3,072 of 3,100 bytes
  EXPECT_EQ(commit("bob/hot", 1, 1), "SpaceLimitExceeded");  // Costs 100 at least.
  while (world.number(items::kLastEpochBlock) == 10) world.block();
  EXPECT_EQ(commit("bob/hot", 1, 1), "");
  const Bytes* value =
      world.state.storage().find(items::kCommitmentOf.key(kNetuid, World::account("bob/hot")));
  ASSERT_NE(value, nullptr);
  // deposit u64, block u32, one field: Raw1 (2), a zero byte
  EXPECT_EQ(value->size(), 8u + 4 + 1 + 1 + 1);
}

TEST(Emission, SplitsExactly) {
  EXPECT_EQ(split_exactly(10, {1, 1, 1}), (std::vector<uint64_t>{3, 3, 4}));
  EXPECT_EQ(split_exactly(10, {0, 0}), (std::vector<uint64_t>{0, 0}));
  EXPECT_EQ(split_exactly(7, {0, 5, 0}), (std::vector<uint64_t>{0, 7, 0}));
  for (uint64_t total : {0ull, 1ull, 999'999'937ull, 1ull << 62}) {
    const auto parts = split_exactly(total, {3, 1ull << 40, 17, 0, 12345});
    uint64_t sum = 0;
    for (const uint64_t part : parts) sum += part;
    EXPECT_EQ(sum, total);
    EXPECT_EQ(parts[3], 0u);
  }
}

TEST(Emission, AnEpochIsDueEveryTempoBlocks) {
  World world;
  std::vector<uint64_t> at;
  uint64_t epochs = 0;
  for (int i = 0; i < 45; ++i) {
    world.block();
    if (world.number(items::kSubnetEpochIndex) == epochs) continue;
    epochs = world.number(items::kSubnetEpochIndex);
    at.push_back(world.state.head().header.number);
  }
  EXPECT_EQ(at, (std::vector<uint64_t>{10, 20, 30, 40}));
  expect_nothing_is_lost(world.state);
}

TEST(Emission, GoesEighteenFortyOneFortyOne) {
  World world;
  build_subnet(world);
  ASSERT_EQ(world.run("alice/hot", SetWeights{kNetuid, {2, 3}, {30, 10}, 0}), "");
  while (world.number(items::kSubnetEpochIndex) < 2) world.block();  // The weights count now.
  const uint64_t owner = world.stake_rao("owner/hot");
  const uint64_t alice = world.stake_rao("alice/hot");
  const uint64_t bob = world.stake_rao("bob/hot");
  const uint64_t carol = world.stake_rao("carol/hot");
  expect_nothing_is_lost(world.state);
  while (world.number(items::kSubnetEpochIndex) < 3) world.block();

  // Ten blocks of one TAO: floor(1e9 * 11796 / 65535) to the owner, and half of the rest to each
  // side.
  const uint64_t owner_cut = 1'000'000'000ull * 11'796 / 65'535;
  const uint64_t half = (1'000'000'000 - owner_cut) / 2;
  EXPECT_EQ(world.stake_rao("owner/hot") - owner, 10 * owner_cut);
  EXPECT_EQ(world.stake_rao("alice/hot") - alice, 10 * (1'000'000'000 - owner_cut - half));
  const uint64_t miners = world.stake_rao("bob/hot") - bob + world.stake_rao("carol/hot") - carol;
  EXPECT_EQ(miners, 10 * half);
  EXPECT_NEAR(static_cast<double>(world.stake_rao("bob/hot") - bob),
              0.75 * static_cast<double>(miners), 1e-4 * static_cast<double>(miners));
  EXPECT_NEAR(10.0 * static_cast<double>(owner_cut) / 1e10, 0.18, 1e-5);
  EXPECT_NEAR(static_cast<double>(miners) / 1e10, 0.41, 1e-5);
  expect_nothing_is_lost(world.state);
}

TEST(Emission, WithoutIncentivesValidatorsGetBothHalves) {
  World world;
  build_subnet(world);
  const uint64_t alice = world.stake_rao("alice/hot");
  const uint64_t index = world.number(items::kSubnetEpochIndex);
  while (world.number(items::kSubnetEpochIndex) == index) world.block();
  const uint64_t owner_cut = 1'000'000'000ull * 11'796 / 65'535;
  // The owner's hotkey holds stake, too: the first epoch's cut.
  const auto dividends = [&](const char* hot) {
    return get_number<uint64_t>(world.state.storage(),
                                kAlphaDividends.key(kNetuid, World::account(hot)));
  };
  EXPECT_EQ(dividends("alice/hot") + dividends("owner/hot"), 10 * (1'000'000'000 - owner_cut));
  EXPECT_EQ(world.stake_rao("alice/hot"), alice + dividends("alice/hot"));
  expect_nothing_is_lost(world.state);
}

TEST(Emission, WhatGoesToTheOwnersOwnHotkeyAsAMinerIsBurned) {
  World world;
  build_subnet(world);
  ASSERT_EQ(world.run("alice/hot", SetWeights{kNetuid, {0, 2}, {1, 1}, 0}), "");
  while (world.number(items::kSubnetEpochIndex) < 2) world.block();
  const uint64_t owner = world.stake_rao("owner/hot");
  const uint64_t bob = world.stake_rao("bob/hot");
  const uint64_t out = world.number(kSubnetAlphaOut);
  while (world.number(items::kSubnetEpochIndex) < 3) world.block();
  const uint64_t owner_cut = 1'000'000'000ull * 11'796 / 65'535;
  const uint64_t half = (1'000'000'000 - owner_cut) / 2;
  const auto dividend = get_number<uint64_t>(
      world.state.storage(), kAlphaDividends.key(kNetuid, World::account("owner/hot")));
  EXPECT_EQ(world.stake_rao("owner/hot") - owner, 10 * owner_cut + dividend);
  EXPECT_NEAR(static_cast<double>(world.stake_rao("bob/hot") - bob),
              5.0 * static_cast<double>(half), 1e6);
  EXPECT_EQ(world.number(kSubnetAlphaOut), out + 10 * kRaoPerTao);  // Burned is not unminted.
}

TEST(Emission, WhatNobodyEarnedIsNotMinted) {
  Genesis genesis = small_genesis();
  genesis.rules.owner_cut = 0;
  World world(genesis);
  world.blocks(9);
  EXPECT_EQ(world.number(kSubnetAlphaOut), 9 * kRaoPerTao);
  world.block();  // Nobody has stake.
  EXPECT_EQ(world.number(kSubnetAlphaOut), 0u);
  expect_nothing_is_lost(world.state);
}

}  // namespace
}  // namespace chain::embedded
