// Goal: the client reads a subnet in few round trips and tells what came of a write, whatever the
// node says. Method: a fake node with hand-made storage, refusals, failures inside a block, lost
// extrinsics, and stops.
#include "chain/substrate/substrate_ledger.h"

#include <gtest/gtest.h>

#include "chain/substrate/dispatch_error.h"
#include "chain/substrate/subnet_reader.h"
#include "tests/chain/fake_node.h"

namespace chain::substrate {
namespace {

using common::Code;

constexpr uint16_t kNetuid = 3;

class SubstrateLedgerTest : public testing::Test {
 protected:
  SubstrateLedgerTest() {
    ledger_ = SubstrateLedger::make(node_.transport(), kNetuid, clock_).value();
  }

  template <typename Map, typename T>
  void put(const Map& map, const std::vector<T>& values) {
    node_.stored(map.key(kNetuid)) = Encoder().numbers(values).done();
  }
  template <typename T>
  void put_number(const Bytes& key, T value) {
    node_.stored(key) = Encoder().number(value).done();
  }

  // `count` neurons; the hotkey of uid i starts with i + 1, its coldkey with 100.
  void make_subnet(uint16_t count) {
    put_number(storage::kSubnetworkN.key(kNetuid), count);
    for (uint16_t uid = 0; uid < count; ++uid) {
      node_.stored(storage::kKeys.key(kNetuid, uid)) = Encoder().account(hotkey(uid)).done();
      node_.stored(storage::kOwner.key(hotkey(uid))) = Encoder().account({{100}}).done();
      put_number(storage::kTotalHotkeyAlpha.key(hotkey(uid), kNetuid), uint64_t{uid} * 10);
      put_number(storage::kBlockAtRegistration.key(kNetuid, uid), uint64_t{uid} + 50);
    }
  }
  static AccountId hotkey(uint16_t uid) {
    return {{static_cast<uint8_t>(uid + 1), static_cast<uint8_t>(uid >> 8)}};
  }

  FakeNode node_;
  TestClock clock_;
  std::unique_ptr<SubstrateLedger> ledger_;
  Keypair key_ = Keypair::from_uri("//Alice").value();
};

TEST_F(SubstrateLedgerTest, ReadsTheHeadAndBlocksWithTheirTimes) {
  const auto head = ledger_->head();
  ASSERT_TRUE(head) << head.error().message;
  const auto same = ledger_->block(head->number);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->hash, head->hash);
  EXPECT_EQ(same->time.unix_ms, static_cast<int64_t>(12'000 * head->number.index));
  EXPECT_EQ(ledger_->block({1'000'000}).error().code, Code::kNotFound);
}

TEST_F(SubstrateLedgerTest, ReadsAMetagraphOf256InThreeRoundTrips) {
  make_subnet(256);
  put<SubnetMap, bool>(storage::kValidatorPermit, {true, false, true});
  put<SubnetMap, uint16_t>(storage::kIncentive, {7});
  put<SubnetMap, uint64_t>(storage::kLastUpdate, std::vector<uint64_t>(256, 9));
  const int before = node_.exchanges;
  const auto graph = ledger_->metagraph(BlockNumber{0});
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(node_.exchanges - before, 2 + 3);  // The block's hash and time; then the subnet.
  ASSERT_EQ(graph->neurons.size(), 256u);
  const Neuron& second = graph->neurons[2];
  EXPECT_EQ(second.hotkey, hotkey(2));
  EXPECT_EQ(second.coldkey, (AccountId{{100}}));
  EXPECT_EQ(second.stake_rao, 20u);
  EXPECT_EQ(second.registered_at, BlockNumber{52});
  EXPECT_EQ(second.last_update, BlockNumber{9});
  EXPECT_TRUE(second.validator_permit);
  EXPECT_EQ(graph->neurons[0].incentive, 7);
  EXPECT_EQ(graph->neurons[1].incentive, 0);  // The vector on the chain is shorter.
  EXPECT_EQ(graph->leads(), (std::vector<Uid>{{2}, {0}}));
  EXPECT_EQ(graph->find(hotkey(200))->uid, Uid{200});
  EXPECT_EQ(graph->find({{255, 255}}), nullptr);
}

TEST_F(SubstrateLedgerTest, ASubnetThatIsNotThereIsNotFound) {
  EXPECT_EQ(ledger_->metagraph({}).error().code, Code::kNotFound);
  EXPECT_EQ(ledger_->hyperparameters().error().code, Code::kNotFound);
}

TEST_F(SubstrateLedgerTest, AValueThatDoesNotDecodeIsNamed) {
  make_subnet(1);
  node_.stored(storage::kIncentive.key(kNetuid)) = {4, 1};  // One u16, of which one byte is there.
  const auto graph = ledger_->metagraph({});
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, Code::kCorrupt);
  EXPECT_NE(graph.error().message.find("Incentive"), std::string::npos);
}

TEST_F(SubstrateLedgerTest, ReadsWeightsHyperparametersAndBalances) {
  make_subnet(2);
  node_.stored(storage::kWeights.key(kNetuid, 1)) = *common::from_hex("080300ff7f0400ffff");
  put_number(storage::kTempo.key(kNetuid), uint16_t{20});
  put_number(storage::kActivityCutoffFactorMilli.key(kNetuid), uint32_t{5'000});
  const auto rows = ledger_->weights();
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().validator, Uid{1});
  EXPECT_EQ(rows->front().weights, (std::vector<Weight>{{{3}, 32767}, {{4}, 65535}}));
  const auto params = ledger_->hyperparameters();
  ASSERT_TRUE(params);
  EXPECT_EQ(params->tempo, 20);
  EXPECT_EQ(params->activity_cutoff, 100u);  // 5000 thousandths of 20 blocks.
  EXPECT_EQ(params->kappa, 32767);           // The pallet's default.
  EXPECT_EQ(ledger_->balance(key_.account()).value(), 0u);
  Encoder account;
  account.number(uint32_t{1}).number(uint32_t{0}).number(uint32_t{1}).number(uint32_t{0});
  account.number(uint64_t{12'345}).number(uint64_t{0}).number(uint64_t{0}).number128(0);
  node_.stored(storage::kAccount.key(key_.account())) = account.done();
  EXPECT_EQ(ledger_->balance(key_.account()).value(), 12'345u);
}

TEST_F(SubstrateLedgerTest, ReadsMoreCommitmentsThanAPageHolds) {
  for (uint16_t i = 0; i < 1'500; ++i) {
    Encoder value;
    value.number(uint64_t{0}).number(uint32_t{i});
    value.sequence(std::vector<Data>{Data::of(common::view_of("bucket")), Data::of(Bytes(200))},
                   encode_data);
    node_.stored(storage::kCommitmentOf.key(kNetuid, hotkey(i))) = value.done();
  }
  const auto all = ledger_->commitments(std::nullopt);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 1'500u);
  EXPECT_TRUE(std::is_sorted(all->begin(), all->end(),
                             [](const auto& a, const auto& b) { return a.hotkey < b.hotkey; }));
  EXPECT_EQ(common::text_of(all->front().fields.at(0)), "bucket");
  EXPECT_EQ(all->front().fields.at(1), Bytes(200));
}

TEST_F(SubstrateLedgerTest, AWriteReturnsOnceItStandsInABlock) {
  const auto done = ledger_->transfer(key_, hotkey(1), 5);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(node_.submitted.size(), 1u);
  const auto sent = decode_extrinsic(node_.submitted[0]);
  ASSERT_TRUE(sent && sent->signer);
  EXPECT_EQ(decode_call(sent->call).value(), Call(TransferKeepAlive{hotkey(1), 5}));
  EXPECT_EQ(sent->signer->extra.era.period, 64u);
  const Hash& genesis = node_.blocks()[0].hash;
  const Hash& birth = node_.blocks()[sent->signer->extra.era.phase].hash;
  EXPECT_TRUE(signature_holds(*sent, {1, 1, genesis, birth}));
}

TEST_F(SubstrateLedgerTest, RegisteringTellsTheUid) {
  put_number(storage::kUids.key(kNetuid, hotkey(1)), uint16_t{17});
  EXPECT_EQ(ledger_->register_neuron(key_, hotkey(1)).value(), Uid{17});
}

TEST_F(SubstrateLedgerTest, AFailureInTheBlockIsToldByNameWithAdvice) {
  node_.outcome = {ExtrinsicFailed{DispatchError::module(7, 29), {}}};
  const auto failed = ledger_->set_weights(key_, std::vector<Weight>{{{1}, 1}}, 0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kRefused);
  EXPECT_NE(failed.error().message.find("SettingWeightsTooFast: wait until"), std::string::npos);
}

TEST_F(SubstrateLedgerTest, ARefusalOfThePoolIsToldWithAdviceAndNotRepeated) {
  node_.refusal = RpcRefusal{1010, "Invalid Transaction", "Custom error: 10"};
  const auto refused = ledger_->commit(key_, std::vector<Bytes>{{1}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_NE(refused.error().message.find("not registered in this subnet"), std::string::npos);
  EXPECT_EQ(std::count(node_.methods.begin(), node_.methods.end(), "author_submitExtrinsic"), 1);
}

TEST_F(SubstrateLedgerTest, AnExtrinsicThatNoBlockTookIsGivenUpWhenItsEraIsOver) {
  node_.forget_submissions = true;
  const auto lost = ledger_->transfer(key_, hotkey(1), 5);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kTimeout);
  EXPECT_NE(lost.error().message.find("none will"), std::string::npos);
  EXPECT_LT(node_.blocks().size(), 80u);
}

TEST_F(SubstrateLedgerTest, AChainThatStandsStillIsReported) {
  node_.asks_per_block = 1'000'000;
  const auto stuck = ledger_->transfer(key_, hotkey(1), 5);
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().code, Code::kTimeout);
  EXPECT_NE(stuck.error().message.find("stands still"), std::string::npos);
}

TEST_F(SubstrateLedgerTest, AStopEndsTheWait) {
  node_.asks_per_block = 1'000'000;
  clock_.stop = true;
  EXPECT_EQ(ledger_->transfer(key_, hotkey(1), 5).error().code, Code::kCancelled);
}

TEST_F(SubstrateLedgerTest, WhatTheChainCannotTakeIsNotSent) {
  EXPECT_EQ(ledger_->commit(key_, std::vector<Bytes>(4)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(ledger_->commit(key_, std::vector<Bytes>{Bytes(513)}).error().code,
            Code::kInvalidArgument);
  EXPECT_TRUE(node_.submitted.empty());
}

TEST(PoolRefusals, AreExplained) {
  const auto said = [](int64_t code, std::string message, Json data) {
    return explain_refusal({code, std::move(message), std::move(data)}, "call").message;
  };
  EXPECT_NE(
      said(1010, "Invalid Transaction", {{"invalid", {{"custom", 4}}}}).find("register it first"),
      std::string::npos);
  EXPECT_NE(said(1010, "Invalid Transaction", "Transaction is outdated").find("try again"),
            std::string::npos);
  EXPECT_NE(said(1014, "Priority is too low", nullptr).find("next block"), std::string::npos);
  EXPECT_NE(said(1010, "Invalid Transaction", "Inability to pay some fees").find("free TAO"),
            std::string::npos);
  EXPECT_EQ(said(-32601, "Method not found", nullptr),
            "call was refused (-32601 Method not found)");
}

TEST(OpenLedger, SaysWhatAnEndpointIs) {
  TestClock clock;
  const auto wrong = open_ledger("localhost:9944", 1, clock);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kInvalidArgument);
  EXPECT_NE(wrong.error().message.find("http://host:port"), std::string::npos);
  const auto nobody = open_ledger("http://127.0.0.1:1", 1, clock);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnavailable);
  EXPECT_NE(nobody.error().message.find("http://127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(clock.sleeps, 3);  // Four attempts.
}

}  // namespace
}  // namespace chain::substrate
