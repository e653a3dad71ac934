// Goal: the client reads a subnet in few round trips, and names what a node says wrong. Method: a
// fake node of mainnet's runtime with hand-made storage, and lies told one at a time.
#include "chain/substrate/substrate_ledger.h"

#include <gtest/gtest.h>

#include "chain/substrate/subnet_reader.h"
#include "tests/chain/golden_metadata.h"
#include "tests/chain/subnet_world.h"

namespace chain::substrate {
namespace {

using common::Code;
using testing::Test;

class SubstrateLedgerTest : public Test {
 protected:
  SubstrateLedgerTest() {
    ledger_ = SubstrateLedger::make(node_.transport(), kNetuid, clock_, {}, "").value();
  }
  void put(std::string_view item, const Json& value) {
    node_.put("SubtensorModule", item, Json::array({kNetuid}), value);
  }

  FakeNode node_;
  TestClock clock_;
  std::unique_ptr<SubstrateLedger> ledger_;
  Keypair key_ = Keypair::from_uri("//Alice").value();
};

bool says(const common::Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

TEST_F(SubstrateLedgerTest, ReadsTheHeadAndBlocksWithTheirTimes) {
  const auto head = ledger_->head();
  ASSERT_TRUE(head) << head.error().message;
  const auto same = ledger_->block(head->number);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->hash, head->hash);
  EXPECT_EQ(same->time.unix_ms, static_cast<int64_t>(12'000 * head->number.index));
  EXPECT_EQ(ledger_->block({1'000'000}).error().code, Code::kNotFound);
}

TEST_F(SubstrateLedgerTest, AReorganisedBlockIsReadAnew) {
  make_subnet(node_, 1);
  for (int i = 0; i < 5; ++i) node_.seal();
  const Block head = ledger_->head().value();
  const Block before = ledger_->block(head.number).value();
  EXPECT_EQ(before.hash, head.hash);
  node_.asks_per_block = 1'000'000;
  node_.fork(3, /*pool_keeps=*/false);
  const Block after = ledger_->block(head.number).value();
  EXPECT_NE(after.hash, before.hash);
  EXPECT_EQ(after.hash, node_.blocks()[head.number.index].hash);
  EXPECT_EQ(ledger_->head()->hash, node_.blocks().back().hash);
}

// Answers SubnetInfoRuntimeApi.get_metagraph for make_subnet(count), the rest as JSON says.
Bytes metagraph_answer(uint16_t count, Json fields) {
  const Metadata& metadata = golden_424();
  const ApiMethod* method = metadata.api("SubnetInfoRuntimeApi", "get_metagraph");
  const TypeId inner = *metadata.types[method->output].params.at(0).type;
  for (const Field& field : std::get<CompositeType>(metadata.types[inner].def).fields) {
    if (fields.contains(field.name)) continue;
    const TypeDef& def = metadata.types[field.type].def;
    const bool is_list = std::holds_alternative<SequenceType>(def);
    const std::string_view name = metadata.types[field.type].name();
    Json value = is_list ? Json::array() : Json(0);
    if (std::holds_alternative<Primitive>(def)) value = false;
    if (name == "Option") value = nullptr;
    if (name == "AccountId32") value = key_of({{9}});
    if (name == "FixedI128" || name == "I96F32") value = {{"bits", 0}};
    fields[field.name] = value;
  }
  for (uint16_t uid = 0; uid < count; ++uid) {
    fields["hotkeys"].push_back(key_of(hotkey_of(uid)));
    fields["coldkeys"].push_back(key_of({{100}}));
    fields["block_at_registration"].push_back(uid + 50);
  }
  return encode_value(metadata, method->output, fields, "metagraph").value();
}

TEST_F(SubstrateLedgerTest, AMetagraphOf256TakesTwoRoundTripsByEitherWay) {
  make_subnet(node_, 256);
  put("ValidatorPermit", {true, false, true});
  put("Incentive", {7});
  put("LastUpdate", std::vector<int>(256, 9));
  put("ValidatorTrust", {1, 2, 3});
  node_.lie = [&](const std::string& method, const Json& params) -> std::optional<Json> {
    if (method != "state_call" || params[0] != "SubnetInfoRuntimeApi_get_metagraph") return {};
    return hex0x(metagraph_answer(256, {{"validator_permit", {true, false, true}},
                                        {"incentives", {7}},
                                        {"last_update", std::vector<int>(256, 9)}}));
  };
  RpcClient rpc(node_.transport(), clock_);
  ChainReader chain(rpc);
  const View at = chain.head().value();
  const int before = node_.exchanges;
  const auto by_api = read_metagraph(chain, kNetuid, at);
  ASSERT_TRUE(by_api) << by_api.error().message;
  EXPECT_EQ(node_.exchanges - before, 2);
  const auto by_storage = read_metagraph_by_storage(chain, kNetuid, at);
  ASSERT_TRUE(by_storage) << by_storage.error().message;
  EXPECT_EQ(node_.exchanges - before, 4);
  for (const Metagraph& graph : {*by_api, *by_storage}) {
    ASSERT_EQ(graph.neurons.size(), 256u);
    const Neuron& second = graph.neurons[2];
    EXPECT_EQ(second.hotkey, hotkey_of(2));
    EXPECT_EQ(second.coldkey, (AccountId{{100}}));
    EXPECT_EQ(second.stake_rao, 20u);
    EXPECT_EQ(second.registered_at, BlockNumber{52});
    EXPECT_EQ(second.last_update, BlockNumber{9});
    EXPECT_EQ(second.validator_trust, 3);
    EXPECT_TRUE(second.validator_permit);
    EXPECT_EQ(graph.neurons[0].incentive, 7);
    EXPECT_EQ(graph.neurons[1].incentive, 0);  // The vector on the chain is shorter.
    EXPECT_EQ(graph.leads(), (std::vector<Uid>{{2}, {0}}));
    EXPECT_EQ(graph.find(hotkey_of(200))->uid, Uid{200});
    EXPECT_EQ(graph.find({{255, 255}}), nullptr);
  }
}

TEST_F(SubstrateLedgerTest, MoreNeuronsThanAreAskedForAtOnceAreReadToo) {
  make_subnet(node_, 300);
  RpcClient rpc(node_.transport(), clock_);
  ChainReader chain(rpc);
  const auto graph = read_metagraph_by_storage(chain, kNetuid, chain.head().value());
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->neurons.size(), 300u);
  EXPECT_EQ(graph->neurons[299].hotkey, hotkey_of(299));
}

TEST_F(SubstrateLedgerTest, ASubnetThatIsNotThereIsNotFound) {
  EXPECT_EQ(ledger_->metagraph({}).error().code, Code::kNotFound);
  EXPECT_EQ(ledger_->hyperparameters().error().code, Code::kNotFound);
}

TEST_F(SubstrateLedgerTest, AValueThatDoesNotDecodeIsNamed) {
  make_subnet(node_, 1);
  node_.raw("SubtensorModule", "Tempo", Json::array({kNetuid})) = {4};  // Half a u16.
  const auto rules = ledger_->hyperparameters();
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, Code::kCorrupt);
  EXPECT_TRUE(says(rules.error(), "SubtensorModule.Tempo")) << rules.error().message;
}

TEST_F(SubstrateLedgerTest, ACountWithoutItsKeysProvesNothing) {
  make_subnet(node_, 2);
  node_.erase("SubtensorModule", "Keys", Json::array({kNetuid, 1}));
  RpcClient rpc(node_.transport(), clock_);
  ChainReader chain(rpc);
  const auto graph = read_metagraph_by_storage(chain, kNetuid, chain.head().value());
  ASSERT_FALSE(graph);
  EXPECT_TRUE(says(graph.error(), "Keys of uid 1")) << graph.error().message;
}

TEST_F(SubstrateLedgerTest, ReadsWeightsHyperparametersAndBalances) {
  make_subnet(node_, 2);
  node_.raw("SubtensorModule", "Weights", Json::array({kNetuid, 1})) =
      *common::from_hex("080300ff7f0400ffff");
  put("Tempo", 20);
  put("ActivityCutoffFactorMilli", 5'000);
  const auto rows = ledger_->weights();
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().validator, Uid{1});
  EXPECT_EQ(rows->front().weights, (std::vector<Weight>{{{3}, 32767}, {{4}, 65535}}));
  const auto params = ledger_->hyperparameters();
  ASSERT_TRUE(params) << params.error().message;
  EXPECT_EQ(params->tempo, 20);
  EXPECT_EQ(params->activity_cutoff, 100u);  // 5000 thousandths of 20 blocks.
  EXPECT_EQ(params->kappa, 32767);           // The runtime's own defaults.
  EXPECT_EQ(params->weights_rate_limit, 100u);
  EXPECT_TRUE(params->commit_reveal_enabled);
  EXPECT_EQ(ledger_->balance(key_.account()).value(), 0u);
  node_.put("System", "Account", Json::array({key_of(key_.account())}),
            {{"nonce", 1},
             {"consumers", 0},
             {"providers", 1},
             {"sufficients", 0},
             {"data", {{"free", 12'345}, {"reserved", 0}, {"frozen", 0}, {"flags", "0"}}}});
  EXPECT_EQ(ledger_->balance(key_.account()).value(), 12'345u);
}

TEST_F(SubstrateLedgerTest, ReadsMoreCommitmentsThanAPageHolds) {
  for (uint16_t i = 0; i < 1'500; ++i) {
    const Json fields = {{{"Raw6", "bucket"}}, {{"BigRaw", hex0x(Bytes(200))}}, "ResetBondsFlag"};
    node_.put("Commitments", "CommitmentOf", Json::array({kNetuid, key_of(hotkey_of(i))}),
              {{"deposit", 0}, {"block", i}, {"info", {{"fields", fields}}}});
  }
  const auto all = ledger_->commitments(std::nullopt);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 1'500u);
  EXPECT_TRUE(std::is_sorted(all->begin(), all->end(),
                             [](const auto& a, const auto& b) { return a.hotkey < b.hotkey; }));
  EXPECT_EQ(common::text_of(all->front().fields.at(0)), "bucket");
  EXPECT_EQ(all->front().fields.at(1), Bytes(200));
  EXPECT_TRUE(all->front().fields.at(2).empty());
}

TEST_F(SubstrateLedgerTest, RegisteringTellsTheUid) {
  make_subnet(node_, 18);
  EXPECT_EQ(ledger_->register_neuron(key_, hotkey_of(17)).value(), Uid{17});
  const ReadExtrinsic sent = call_of(golden_424(), node_.submitted.at(0));
  EXPECT_EQ(sent.pallet + "." + sent.call, "SubtensorModule.burned_register");
  EXPECT_EQ(sent.arguments["hotkey"], hotkey_of(17).ss58());
}

TEST_F(SubstrateLedgerTest, WhatTheChainCannotTakeIsNotSent) {
  EXPECT_EQ(ledger_->commit(key_, std::vector<Bytes>(4)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(ledger_->commit(key_, std::vector<Bytes>{Bytes(513)}).error().code,
            Code::kInvalidArgument);
  EXPECT_TRUE(node_.submitted.empty());
}

TEST_F(SubstrateLedgerTest, CommitmentsAxonsAndStakesAreSentByName) {
  ASSERT_TRUE(ledger_->commit(key_, std::vector<Bytes>{{1, 2}, Bytes(129, 7)}));
  ASSERT_TRUE(ledger_->serve_axon(key_, {0x7F000001, 8091}));
  ASSERT_TRUE(ledger_->add_stake(key_, hotkey_of(1), 5));
  ASSERT_TRUE(ledger_->transfer(key_, hotkey_of(1), 6));
  std::vector<std::string> calls;
  std::vector<Json> arguments;
  for (const Bytes& bytes : node_.submitted) {
    ReadExtrinsic sent = call_of(golden_424(), bytes);
    calls.push_back(sent.pallet + "." + sent.call);
    arguments.push_back(sent.arguments);
  }
  EXPECT_EQ(calls, (std::vector<std::string>{
                       "Commitments.set_commitment", "SubtensorModule.serve_axon",
                       "SubtensorModule.add_stake", "Balances.transfer_keep_alive"}));
  EXPECT_EQ(arguments[0]["info"]["fields"][0], Json({{"Raw2", "0x0102"}}));
  EXPECT_EQ(arguments[0]["info"]["fields"][1], Json({{"BigRaw", hex0x(Bytes(129, 7))}}));
  EXPECT_EQ(arguments[1]["ip"], "2130706433");
  EXPECT_EQ(arguments[2]["amount_staked"], 5);
  EXPECT_EQ(arguments[3]["value"], 6);
}

// -- a node that lies -----------------------------------------------------------------------------

TEST_F(SubstrateLedgerTest, AHeaderThatIsAnotherBlocksIsNotBelieved) {
  node_.seal();
  node_.lie = [&](const std::string& method, const Json& params) -> std::optional<Json> {
    if (method != "chain_getHeader" || params.empty()) return {};
    return node_.blocks()[0].header;
  };
  RpcClient rpc(node_.transport(), clock_);
  ChainReader chain(rpc);
  const auto header = chain.header(node_.blocks()[1].hash);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, Code::kCorrupt);
  EXPECT_TRUE(says(header.error(), "the header of the block that was asked for"));
}

TEST_F(SubstrateLedgerTest, AnAnswerOfAnotherShapeIsNamedWhereverItComes) {
  make_subnet(node_, 1);
  for (const char* method : {"chain_getHeader", "state_getRuntimeVersion", "state_getStorage",
                             "state_queryStorageAt", "state_getKeysPaged"}) {
    for (const Json& nonsense :
         {Json(true), Json(-1), Json("0xzz"), Json({{"x", 1}}), Json::array({1, 2})}) {
      node_.lie = [&](const std::string& asked, const Json&) -> std::optional<Json> {
        return asked == method ? std::optional(nonsense) : std::nullopt;
      };
      const auto all = ledger_->commitments(std::nullopt);
      const auto weights = ledger_->weights();
      EXPECT_TRUE(!all || !weights) << method << " " << nonsense;
      for (const Code code : {all ? Code::kCorrupt : all.error().code,
                              weights ? Code::kCorrupt : weights.error().code}) {
        EXPECT_EQ(code, Code::kCorrupt) << method << " " << nonsense;
      }
    }
  }
}

TEST_F(SubstrateLedgerTest, KeysWithoutEndAreEnded) {
  uint64_t next = 0;
  node_.lie = [&](const std::string& method, const Json& params) -> std::optional<Json> {
    if (method != "state_getKeysPaged") return {};
    Json page = Json::array();
    const std::string prefix = params[0];
    for (int i = 0; i < 1'000; ++i) {
      Encoder key;
      key.number(__builtin_bswap64(next++));
      page.push_back(prefix + common::to_hex(key.done()));
    }
    return page;
  };
  const auto all = ledger_->commitments(std::nullopt);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, Code::kExhausted);
  // And keys that stand still.
  node_.lie = [&](const std::string& method, const Json& params) -> std::optional<Json> {
    if (method != "state_getKeysPaged") return {};
    return Json(std::vector<Json>(1'000, params[0]));
  };
  EXPECT_EQ(ledger_->commitments(std::nullopt).error().code, Code::kCorrupt);
}

TEST_F(SubstrateLedgerTest, MetadataThatIsMalformedIsNamed) {
  FakeNode node;
  node.lie = [&](const std::string& method, const Json& params) -> std::optional<Json> {
    if (method != "state_call" || params[0] != "Metadata_metadata_at_version") return {};
    return hex0x(Encoder().number(true).bytes(common::view_of("meta\x10 and nonsense")).done());
  };
  const auto made = SubstrateLedger::make(node.transport(), kNetuid, clock_, {}, "");
  ASSERT_FALSE(made);
  EXPECT_TRUE(says(made.error(), "metadata is malformed in its types")) << made.error().message;
}

TEST_F(SubstrateLedgerTest, AnUpgradedRuntimeIsReadAgain) {
  make_subnet(node_, 1);
  put("Tempo", 20);
  EXPECT_EQ(ledger_->hyperparameters()->tempo, 20);
  static const Bytes old = golden_metadata_bytes("293-v15");
  node_.set_runtime(293, golden_293(), old);
  node_.put("SubtensorModule", "ActivityCutoff", Json::array({kNetuid}), 77);
  const auto rules = ledger_->hyperparameters();
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->activity_cutoff, 77u);  // Only the older one counts it so.
}

TEST(OpenLedger, SaysWhatAnEndpointIs) {
  TestClock clock;
  const auto wrong = open_ledger("localhost:9944", 1, clock);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kInvalidArgument);
  EXPECT_TRUE(says(wrong.error(), "http://host:port"));
  const auto nobody = open_ledger("http://127.0.0.1:1", 1, clock);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnavailable);
  EXPECT_TRUE(says(nobody.error(), "http://127.0.0.1:1"));
  EXPECT_GE(clock.sleeps, 3);  // Four attempts.
  EXPECT_LE(clock.sleeps, 7);
}

}  // namespace
}  // namespace chain::substrate
