// Goal: batches, sudo, hyperparameters, subnets, and stake that moves do what they say, to the last
// rao, for whom they may and for nobody else; storage written by hand cannot break the ledger.
// Method: calls into blocks of a small chain.
#include <gtest/gtest.h>

#include "chain/embedded/networks.h"
#include "chain/embedded/subtensor_events.h"
#include "chain/embedded/weights.h"
#include "chain/substrate/value.h"
#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

using calls::AddStake;
using calls::Batch;

Genesis ruled_genesis() {
  Genesis genesis = small_genesis();
  genesis.sudo = World::account("alice");
  genesis.accounts.push_back({World::account("owner"), kRichRao});
  return genesis;
}

class LedgerPallets : public testing::Test {
 protected:
  LedgerPallets() : world_(ruled_genesis()) {}

  // The one event of this kind in the last block.
  template <typename Event>
  std::optional<Event> event() const {
    for (const EventRecord& record : world_.events()) {
      if (auto found = event_as<Event>(record)) return found;
    }
    return std::nullopt;
  }
  static RawCall pay(const char* to, uint64_t rao) {
    return {encode_call(TransferKeepAlive{World::account(to), rao})};
  }
  std::string batch(const char* kind, const Batch& calls) {
    return world_.run("bob", encode_named("Utility", kind, calls));
  }
  std::string sudo(const std::string& who, const Bytes& call) {
    return world_.run(who, calls::Sudo{{call}});
  }

  World world_;
};

TEST_F(LedgerPallets, ABatchEndsWhereItFailsAndKeepsWhatCameBefore) {
  const Batch calls{{pay("eve", kRaoPerTao), pay("eve", 2 * kRichRao), pay("eve", kRaoPerTao)}};
  EXPECT_EQ(batch("batch", calls), "");
  EXPECT_EQ(world_.free_rao("eve"), kRaoPerTao);
  ASSERT_TRUE(event<events::BatchInterrupted>());
  EXPECT_EQ(event<events::BatchInterrupted>()->index, 1u);
  EXPECT_FALSE(event<events::BatchCompleted>());
}

TEST_F(LedgerPallets, ABatchOfAllOrNothingIsNothingIfOneFails) {
  EXPECT_NE(batch("batch_all", {{pay("eve", kRaoPerTao), pay("eve", 2 * kRichRao)}}), "");
  EXPECT_EQ(world_.free_rao("eve"), 0u);
  EXPECT_FALSE(event<events::Transfer>());
  EXPECT_EQ(batch("batch_all", {{pay("eve", kRaoPerTao), pay("eve", kRaoPerTao)}}), "");
  EXPECT_EQ(world_.free_rao("eve"), 2 * kRaoPerTao);
}

TEST_F(LedgerPallets, AForcedBatchGoesOn) {
  const Batch calls{{pay("eve", 2 * kRichRao), pay("eve", kRaoPerTao)}};
  EXPECT_EQ(batch("force_batch", calls), "");
  EXPECT_EQ(world_.free_rao("eve"), kRaoPerTao);
  EXPECT_TRUE(event<events::ItemFailed>());
  EXPECT_TRUE(event<events::BatchCompletedWithErrors>());
}

TEST_F(LedgerPallets, ABatchCostsWhatItHolds) {
  const Bytes one = encode_named("Utility", "batch", Batch{{pay("eve", 1)}});
  const Bytes two = encode_named("Utility", "batch", Batch{{pay("eve", 1), pay("eve", 1)}});
  EXPECT_EQ(dispatch_info(*find_call(two)).weight.ref_time -
                dispatch_info(*find_call(one)).weight.ref_time,
            172'000'000u);
}

TEST_F(LedgerPallets, SudoIsForItsKeyAndTellsWhatCameOfIt) {
  const Bytes tempo = substrate::encode_call(runtime_metadata(), "AdminUtils", "sudo_set_tempo",
                                             {{"netuid", kNetuid}, {"tempo", 77}})
                          .value();
  EXPECT_EQ(sudo("bob", tempo), "RequireSudo");
  EXPECT_EQ(sudo("alice", tempo), "");
  EXPECT_EQ(world_.number<uint16_t>(items::kTempo), 77);
  EXPECT_FALSE(event<events::Sudid>()->sudo_result.error);
  const Bytes zero = substrate::encode_call(runtime_metadata(), "AdminUtils", "sudo_set_tempo",
                                            {{"netuid", kNetuid}, {"tempo", 0}})
                         .value();
  EXPECT_EQ(sudo("alice", zero), "");
  EXPECT_EQ(error_name(*event<events::Sudid>()->sudo_result.error), "ValueNotInBounds");
  EXPECT_EQ(world_.number<uint16_t>(items::kTempo), 77);
}

TEST_F(LedgerPallets, HyperparametersAreTheOwnersOrRoots) {
  const auto set = [](const char* call, const nlohmann::json& args) {
    return substrate::encode_call(runtime_metadata(), "AdminUtils", call, args).value();
  };
  const Bytes hidden =
      set("sudo_set_commit_reveal_weights_enabled", {{"netuid", kNetuid}, {"enabled", true}});
  EXPECT_EQ(world_.run("bob", hidden), "Error.2");  // BadOrigin
  EXPECT_EQ(world_.run("owner", hidden), "");
  EXPECT_TRUE(world_.number<bool>(items::kCommitRevealEnabled));
  EXPECT_EQ(world_.run("owner", set("sudo_set_kappa", {{"netuid", kNetuid}, {"kappa", 1}})),
            "Error.2");  // Root's alone.
  EXPECT_EQ(world_.run("owner", set("sudo_set_min_burn",
                                    {{"netuid", kNetuid}, {"min_burn", 200 * kRaoPerTao}})),
            "ValueNotInBounds");
  EXPECT_EQ(world_.run("owner", set("sudo_set_max_allowed_uids",
                                    {{"netuid", kNetuid}, {"max_allowed_uids", 0}})),
            "MaxAllowedUIdsLessThanCurrentUIds");
  EXPECT_EQ(world_.run("owner", set("sudo_set_rho", {{"netuid", 9}, {"rho", 1}})),
            "SubnetDoesNotExist");
}

TEST_F(LedgerPallets, ASubnetIsBoughtStartedAndThenLivesLikeAnother) {
  const uint64_t cost_rao = lock_cost_rao(world_.state.storage(), 1);
  EXPECT_EQ(cost_rao, 1000 * kRaoPerTao);
  const uint64_t before_rao = world_.free_rao("bob");
  const auto call = [](const char* name, const auto& args) {
    return encode_named("SubtensorModule", name, args);
  };
  ASSERT_EQ(world_.run("bob", call("register_network", calls::Hotkey{World::account("bob/sub")})),
            "");
  EXPECT_LT(world_.free_rao("bob"), before_rao - cost_rao);
  const uint16_t netuid = event<events::NetworkAdded>()->netuid;
  EXPECT_EQ(netuid, 1);
  EXPECT_EQ(uid_of(world_.state.storage(), netuid, World::account("bob/sub")), 0);
  EXPECT_GT(lock_cost_rao(world_.state.storage(), 3), cost_rao);
  const AddStake stake{World::account("bob/sub"), netuid, kRaoPerTao};
  EXPECT_EQ(world_.run("bob", stake), "SubtokenDisabled");
  EXPECT_EQ(world_.run("carol", call("start_call", calls::Netuid{netuid})), "NotSubnetOwner");
  EXPECT_EQ(world_.run("bob", call("start_call", calls::Netuid{netuid})), "");
  EXPECT_EQ(world_.run("bob", call("start_call", calls::Netuid{netuid})),
            "FirstEmissionBlockNumberAlreadySet");
  EXPECT_EQ(world_.run("bob", stake), "");
  const uint64_t total_rao = total_issuance_rao(world_.state.storage());
  world_.block();
  EXPECT_EQ(total_issuance_rao(world_.state.storage()), total_rao + 2 * kRaoPerTao);
}

TEST_F(LedgerPallets, AnEpochMayBeTriggeredByTheOwner) {
  const auto trigger = encode_named("SubtensorModule", "trigger_epoch", calls::Netuid{kNetuid});
  EXPECT_EQ(world_.run("bob", trigger), "NotSubnetOwner");
  EXPECT_EQ(world_.run("owner", trigger), "AutoEpochAlreadyImminent");
  Genesis genesis = ruled_genesis();
  genesis.rules.tempo = 100;
  world_ = World(genesis);
  EXPECT_EQ(world_.run("owner", trigger), "");
  EXPECT_EQ(world_.run("owner", trigger), "EpochTriggerAlreadyPending");
  world_.blocks(kTriggerBlocks - 1);
  EXPECT_EQ(world_.number(items::kSubnetEpochIndex), 1u);
}

TEST_F(LedgerPallets, StakeMovesToTheLastRao) {
  ASSERT_EQ(world_.register_hotkey("alice", "alice/hot"), "");
  ASSERT_EQ(world_.register_hotkey("bob", "bob/hot"), "");
  const AccountId from = World::account("alice/hot");
  const AccountId to = World::account("bob/hot");
  ASSERT_EQ(world_.run("alice", AddStake{from, kNetuid, 30 * kRaoPerTao}), "");
  EXPECT_EQ(world_.run("alice", calls::MoveStake{from, to, kNetuid, kNetuid, 10 * kRaoPerTao}), "");
  EXPECT_EQ(world_.stake_rao("alice/hot"), 20 * kRaoPerTao);
  EXPECT_EQ(world_.stake_rao("bob/hot"), 10 * kRaoPerTao);
  const calls::TransferStake gift{World::account("carol"), from, kNetuid, kNetuid, 5 * kRaoPerTao};
  EXPECT_EQ(world_.run("alice", gift), "");
  EXPECT_EQ(coldkey_alpha_rao(world_.state.storage(), from, World::account("carol"), kNetuid),
            5 * kRaoPerTao);
  EXPECT_EQ(world_.run("alice", calls::MoveStake{from, to, kNetuid, kNetuid, kRichRao}),
            "NotEnoughStakeToWithdraw");
  EXPECT_EQ(world_.run("alice", calls::MoveStake{from, to, kNetuid, 9, 5 * kRaoPerTao}),
            "SubnetNotExists");
  world_.blocks(12);
  expect_nothing_is_lost(world_.state);
}

TEST_F(LedgerPallets, WhatIsWrittenByHandMustBeWhatTheLedgerCanRead) {
  using Entries = std::vector<std::pair<Bytes, std::optional<Bytes>>>;
  const auto set = [&](Entries entries) {
    const auto outcome = world_.state.set_storage(entries);
    return outcome ? std::string() : outcome.error().message;
  };
  const Bytes tempo = items::kTempo.key(kNetuid);
  EXPECT_EQ(set({{tempo, Bytes{5, 0}}}), "");
  EXPECT_EQ(world_.number<uint16_t>(items::kTempo), 5);
  for (const Entries& wrong : std::vector<Entries>{
           {{tempo, Bytes{5}}},
           {{tempo, Bytes{0, 0}}},
           {{tempo, std::nullopt}},
           {{items::kActive.key(kNetuid), Bytes{0}}},
           {{items::kSubnetworkN.key(kNetuid), Bytes{2, 0}}},
           {{items::kKeys.key(kNetuid, 0), std::nullopt}},
           {{items::kWeights.key(kNetuid, 0), Bytes{4, 9, 0, 1, 0}}},
           {{items::kNumber.key(), Bytes{9, 0, 0, 0}}},
           {{kSubnetTao.key(kNetuid), std::nullopt}, {kPendingServer.key(kNetuid), Bytes(8, 1)}},
           {{items::kAccount.key(World::account("eve")), Bytes(56, 0xFF)}},
       }) {
    const Storage::Entries before = world_.state.storage().entries();
    EXPECT_NE(set(wrong), "");
    EXPECT_EQ(world_.state.storage().entries(), before);
  }
  AccountInfo rich;
  rich.providers = 1;
  rich.free_rao = 5 * kRaoPerTao;
  Storage scratch;
  put_account_info(scratch, World::account("eve"), rich);
  EXPECT_EQ(set({{items::kAccount.key(World::account("eve")),
                  *scratch.find(items::kAccount.key(World::account("eve")))}}),
            "");
  expect_nothing_is_lost(world_.state);
  world_.blocks(12);
  expect_nothing_is_lost(world_.state);
}

}  // namespace
}  // namespace chain::embedded
