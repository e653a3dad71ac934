// Goal: the ledger's JSON-RPC answers what Substrate's would, gives every wrong request its proper
// error, and the common client over it is a whole chain::Ledger. Method: texts straight into
// LedgerRpc; then the client over the loopback, on a clock that makes blocks.
#include <gtest/gtest.h>

#include "chain/embedded/in_process.h"
#include "chain/embedded/rpc.h"
#include "chain/private_network.h"
#include "tests/chain/block_making_clock.h"
#include "tests/chain/ledger_world.h"

namespace chain::embedded {
namespace {

using Json = nlohmann::json;

class LedgerRpcTest : public testing::Test {
 protected:
  LedgerRpcTest()
      : chain_(State::from_genesis(small_genesis()), common::milliseconds(250), "seed"),
        rpc_(chain_, nullptr) {}

  Json call(const std::string& method, Json params = Json::array()) {
    const Json request = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    return Json::parse(rpc_.answer(request.dump()));
  }
  Json result(const std::string& method, Json params = Json::array()) {
    const Json reply = call(method, std::move(params));
    EXPECT_TRUE(reply.contains("result")) << reply;
    return reply.value("result", Json());
  }
  int error(const std::string& body) {
    const Json reply = Json::parse(rpc_.answer(body));
    return reply.contains("error") ? reply["error"]["code"].get<int>() : 0;
  }
  template <typename Call>
  std::string signed_hex(const std::string& who, const Call& call, uint32_t nonce,
                         uint64_t tip = 0) {
    return hex(substrate::sign_extrinsic(World::key(who), encode_call(call), {{}, nonce, tip},
                                         World().context()));
  }
  static std::string hex(ByteView bytes) { return "0x" + common::to_hex(bytes); }

  PrivateChain chain_;
  LedgerRpc rpc_;
};

TEST_F(LedgerRpcTest, NamesTheChainAndItsMethods) {
  EXPECT_EQ(result("system_chain"), "Muster private network");
  EXPECT_EQ(result("system_properties")["ss58Format"], 42);
  EXPECT_EQ(result("system_health")["isSyncing"], false);
  EXPECT_EQ(result("state_getRuntimeVersion")["specVersion"], kSpecVersion);
  const Json methods = result("rpc_methods")["methods"];
  EXPECT_GE(methods.size(), 20u);
  for (const Json& name : methods) {
    const Json reply = call(name.get<std::string>());
    const Json trouble = reply.value("error", Json{{"code", 0}});
    EXPECT_NE(trouble["code"], -32601) << name;
  }
}

TEST_F(LedgerRpcTest, ShowsBlocksByNumberHashAndList) {
  chain_.make_block();
  chain_.make_block();
  const Json head = result("chain_getBlockHash");
  EXPECT_EQ(result("chain_getBlockHash", {2}), head);
  EXPECT_EQ(result("chain_getBlockHash", {"0x2"}), head);
  EXPECT_EQ(result("chain_getBlockHash", {3}), nullptr);
  const Json list = result("chain_getBlockHash", Json::array({Json::array({0, 2, 9})}));
  EXPECT_EQ(list, Json::array({hex(World().state.genesis_hash().bytes), head, nullptr}));
  const Json header = result("chain_getHeader", Json::array({head}));
  EXPECT_EQ(header["number"], "0x2");
  EXPECT_EQ(header["parentHash"], result("chain_getBlockHash", {1}));
  EXPECT_EQ(result("chain_getBlock")["block"]["header"], header);
  EXPECT_EQ(result("chain_getBlock")["block"]["extrinsics"].size(), 1u);
  EXPECT_EQ(result("chain_getFinalizedHead"), head);
  EXPECT_EQ(result("chain_getHeader", {"0x" + std::string(64, '0')}), nullptr);
}

TEST_F(LedgerRpcTest, ShowsStorageAtAnyRecentBlock) {
  chain_.make_block();
  const Json first = result("chain_getBlockHash");
  chain_.make_block();
  const std::string number = hex(items::kNumber.key());
  EXPECT_EQ(result("state_getStorage", {number}), "0x02000000");
  EXPECT_EQ(result("state_getStorageAt", {number, first}), "0x01000000");
  EXPECT_EQ(result("state_getStorage", {"0x1234"}), nullptr);
  const Json sets = result("state_queryStorageAt", {Json::array({number, "0x12"}), first});
  EXPECT_EQ(sets[0]["block"], first);
  EXPECT_EQ(sets[0]["changes"][0], Json::array({number, "0x01000000"}));
  EXPECT_EQ(sets[0]["changes"][1], Json::array({"0x12", nullptr}));
  const Json all = result("state_getKeysPaged", {hex(items::kAccount.prefix()), 1000});
  const Json rest = result("state_getKeysPaged", {hex(items::kAccount.prefix()), 1000, all[0]});
  EXPECT_EQ(all.size(), rest.size() + 1);
  EXPECT_EQ(all[1], rest[0]);
  const Json unknown = call("state_getStorage", {number, "0x" + std::string(64, '1')});
  EXPECT_NE(unknown["error"]["message"].get<std::string>().find("UnknownBlock"), std::string::npos);
}

TEST_F(LedgerRpcTest, TakesExtrinsicsAndSaysWhyNot) {
  const TransferKeepAlive gift{World::account("bob"), kRaoPerTao};
  const std::string sent = signed_hex("alice", gift, 0);
  EXPECT_TRUE(result("author_submitExtrinsic", {sent}).is_string());
  EXPECT_EQ(result("author_pendingExtrinsics"), Json::array({sent}));
  EXPECT_EQ(result("system_accountNextIndex", {World::account("alice").ss58()}), 1);
  EXPECT_EQ(call("author_submitExtrinsic", {sent})["error"]["code"], 1013);
  EXPECT_EQ(call("author_submitExtrinsic", {signed_hex("alice", gift, 0)})["error"]["code"], 1014);
  EXPECT_TRUE(call("author_submitExtrinsic", {signed_hex("alice", gift, 0, 5)}).contains("result"));
  EXPECT_EQ(call("author_submitExtrinsic", {"0x00"})["error"]["code"], 1001);
  const Json poor = call("author_submitExtrinsic", {signed_hex("eve", gift, 0)});
  EXPECT_EQ(poor["error"]["code"], 1010);
  EXPECT_EQ(poor["error"]["message"], "Invalid Transaction");
  const calls::AddStake stake{World::account("eve"), kNetuid, kRaoPerTao};
  EXPECT_EQ(call("author_submitExtrinsic", {signed_hex("bob", stake, 0)})["error"]["data"],
            "Custom error: 4");
  EXPECT_EQ(result("payment_queryInfo", {sent})["class"], "normal");
  chain_.make_block();
  EXPECT_EQ(result("author_pendingExtrinsics"), Json::array());
  EXPECT_EQ(call("author_submitExtrinsic", {sent})["error"]["data"], "Transaction is outdated");
}

TEST_F(LedgerRpcTest, SequencesOfOneAccountGoIntoOneBlockInOrder) {
  const TransferKeepAlive gift{World::account("bob"), kRaoPerTao};
  for (const uint32_t nonce : {2u, 0u, 1u, 5u}) {
    EXPECT_TRUE(
        call("author_submitExtrinsic", {signed_hex("alice", gift, nonce)}).contains("result"));
  }
  EXPECT_EQ(result("system_accountNextIndex", {World::account("alice").ss58()}), 3);
  chain_.make_block();
  EXPECT_EQ(result("chain_getBlock")["block"]["extrinsics"].size(), 1u + 3);
  EXPECT_EQ(result("author_pendingExtrinsics").size(), 1u);  // Waits for nonces 3 and 4.
  EXPECT_EQ(call("author_submitExtrinsic", {signed_hex("alice", gift, 99)})["error"]["code"], 1010);
}

TEST_F(LedgerRpcTest, WrongRequestsGetTheirProperErrors) {
  EXPECT_EQ(error(""), -32700);
  EXPECT_EQ(error("{"), -32700);
  EXPECT_EQ(error("\xff\xfe"), -32700);
  EXPECT_EQ(error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}"), -32700);
  EXPECT_EQ(error("1"), -32600);
  EXPECT_EQ(error("[]"), -32600);
  EXPECT_EQ(error(R"({"id":1,"method":"system_chain"})"), -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":{},"method":"system_chain"})"), -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":7})"), -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":"state_no"})"), -32601);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":"system_chain","params":{}})"), -32602);
  for (const char* params :
       {"[]", "[1]", "[null]", "[\"0x1\"]", "[\"12\"]", "[\"0xzz\"]", "[[]]"}) {
    for (const char* method : {"state_getStorage", "author_submitExtrinsic", "payment_queryInfo",
                               "system_accountNextIndex", "state_queryStorageAt"}) {
      const std::string body = std::string(R"({"jsonrpc":"2.0","id":1,"method":")") + method +
                               R"(","params":)" + params + "}";
      if (std::string(params) == "[[]]" && std::string(method) == "state_queryStorageAt") continue;
      EXPECT_EQ(error(body), -32602) << body;
    }
  }
  EXPECT_EQ(call("chain_getBlockHash", {"x"})["error"]["code"], -32602);
  EXPECT_EQ(call("chain_getBlockHash", {-1})["error"]["code"], -32602);
  EXPECT_EQ(call("state_getKeysPaged", {"0x", 1001})["error"]["code"], -32602);
  EXPECT_EQ(error(std::string(1'000'000, '[')), -32700);
  EXPECT_EQ(error(std::string(kRequestSizeMax + 1, ' ')), -32600);
}

TEST_F(LedgerRpcTest, BatchesAnswerInOrderAndNotificationsNot) {
  const std::string one = R"({"jsonrpc":"2.0","id":"a","method":"system_name"})";
  const std::string quiet = R"({"jsonrpc":"2.0","method":"system_name"})";
  const Json replies = Json::parse(rpc_.answer("[" + one + ",7," + quiet + "," + one + "]"));
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(replies[0]["id"], "a");
  EXPECT_EQ(replies[1]["error"]["code"], -32600);
  EXPECT_EQ(rpc_.answer(quiet), "");
  EXPECT_EQ(rpc_.answer("[" + quiet + "]"), "");
  std::string many = "[" + one;
  for (size_t i = 0; i < kBatchMax; ++i) many += "," + one;
  EXPECT_EQ(error(many + "]"), -32600);
}

TEST_F(LedgerRpcTest, TellsSubscribersOnceOfEachThingInItsOrder) {
  const auto talk = rpc_.converse();
  std::vector<std::string> heard;
  const auto ask = [&](const std::string& method, const Json& params) {
    const Json request = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    heard.clear();
    talk->hear(request.dump(), heard);
    return Json::parse(heard.at(0))["result"];
  };
  const auto news = [&] {
    heard.clear();
    talk->news(heard);
    std::vector<Json> out;
    for (const std::string& text : heard) out.push_back(Json::parse(text)["params"]["result"]);
    return out;
  };
  const std::string key = hex(items::kAccount.key(World::account("bob")));
  ask("state_subscribeStorage", Json::array({Json::array({key})}));
  EXPECT_EQ(heard.size(), 2u);  // The reply, and the value now.
  const std::string sent =
      signed_hex("alice", TransferKeepAlive{World::account("bob"), kRaoPerTao}, 0);
  const Json watched = ask("author_submitAndWatchExtrinsic", {sent});
  EXPECT_EQ(Json::parse(heard.at(1))["params"]["result"], "ready");
  EXPECT_TRUE(news().empty());
  const uint64_t version = rpc_.news_version();
  chain_.make_block();
  EXPECT_NE(rpc_.news_version(), version);
  const Json head = result("chain_getBlockHash");
  const auto told = news();
  ASSERT_EQ(told.size(), 2u);
  const bool storage_first = told[0].contains("changes");
  EXPECT_EQ(told[storage_first ? 0 : 1]["changes"].size(), 1u);
  EXPECT_EQ(told[storage_first ? 1 : 0]["inBlock"], head);
  EXPECT_TRUE(talk->has_more());
  const auto last = news();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0]["finalized"], head);
  EXPECT_FALSE(talk->has_more());
  chain_.make_block();
  EXPECT_TRUE(news().empty());  // Bob's account has not changed, and the extrinsic is done with.
  EXPECT_EQ(ask("author_unwatchExtrinsic", Json::array({watched})), false);
  // One that another with a higher tip displaced is told, too.
  ask("author_submitAndWatchExtrinsic",
      {signed_hex("bob", TransferKeepAlive{World::account("alice"), kRaoPerTao}, 0)});
  result("author_submitExtrinsic",
         {signed_hex("bob", TransferKeepAlive{World::account("alice"), kRaoPerTao}, 0, 9)});
  EXPECT_EQ(news().at(0), "invalid");
}

TEST_F(LedgerRpcTest, DevelopmentMethodsAreThereOnlyWhereTheyAreAllowed) {
  EXPECT_EQ(call("dev_newBlock")["error"]["code"], -32601);
  EXPECT_EQ(call("dev_setStorage", Json::array({Json::array()}))["error"]["code"], -32601);
  LedgerRpc dev(chain_, nullptr, [&]() -> Result<void> {
    chain_.make_block();
    return {};
  });
  const auto ask = [&](const char* method, const Json& params) {
    const Json request = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    return Json::parse(dev.answer(request.dump()));
  };
  EXPECT_TRUE(ask("dev_newBlock", Json::array()).contains("result"));
  EXPECT_TRUE(ask("dev_newBlock", Json::array({{{"count", 3}}})).contains("result"));
  EXPECT_EQ(result("chain_getHeader")["number"], "0x4");
  EXPECT_TRUE(ask("engine_createBlock", {true, true}).contains("result"));
  EXPECT_EQ(ask("dev_newBlock", {0})["error"]["code"], -32602);
  EXPECT_EQ(ask("dev_newBlock", {1'000'000})["error"]["code"], -32602);
  const std::string tempo = hex(items::kTempo.key(kNetuid));
  const auto set = [&](const Json& value) {
    return ask("dev_setStorage", Json::array({Json::array({Json::array({tempo, value})})}));
  };
  EXPECT_TRUE(set("0x0900").contains("result"));
  EXPECT_EQ(result("state_getStorage", {tempo}), "0x0900");
  EXPECT_EQ(set("0x")["error"]["code"], -32000);
  EXPECT_EQ(set(7)["error"]["code"], -32602);
  EXPECT_EQ(result("state_getStorage", {tempo}), "0x0900");
}

TEST_F(LedgerRpcTest, RuntimeCallsAnswerAsOfAnyRecentBlock) {
  const std::string alice = hex(World::account("alice").bytes);
  const Json genesis = result("chain_getBlockHash", {0});
  call("author_submitExtrinsic",
       {signed_hex("alice", TransferKeepAlive{World::account("bob"), kRaoPerTao}, 0)});
  chain_.make_block();
  const char* nonce = "AccountNonceApi_account_nonce";
  EXPECT_EQ(result("state_call", {nonce, alice}), "0x01000000");
  EXPECT_EQ(result("state_call", {nonce, alice, genesis}), "0x00000000");
  EXPECT_EQ(call("state_call", {nonce, "0x00"})["error"]["code"], 4003);
  const Json unknown = call("state_call", {"Core_execute_block", "0x"});
  EXPECT_EQ(unknown["error"]["message"],
            "Client error: Execution failed: Other: Exported method Core_execute_block is not "
            "found");
  EXPECT_EQ(result("state_call", {"Metadata_metadata_at_version", "0x10000000"}), "0x00");
  const std::string metadata = result("state_getMetadata").get<std::string>();
  EXPECT_EQ(metadata.substr(0, 12), "0x6d6574610e");
}

TEST(InProcess, IsAWholeLedger) {
  PrivateChain chain(State::from_genesis(small_genesis()), common::milliseconds(250), "seed");
  BlockMakingClock clock(chain, small_genesis().time);
  const auto ledger = in_process_ledger(chain, kNetuid, clock).value();
  ASSERT_EQ(ledger->head()->number.index, 0u);
  const auto uid = ledger->register_neuron(World::key("alice"), World::account("alice/hot"));
  ASSERT_TRUE(uid) << uid.error().message;
  EXPECT_EQ(uid->index, 1);
  ASSERT_TRUE(ledger->register_neuron(World::key("bob"), World::account("bob/hot")));
  ASSERT_TRUE(ledger->add_stake(World::key("alice"), World::account("alice/hot"), 50 * kRaoPerTao));
  ASSERT_TRUE(ledger->transfer(World::key("alice"), World::account("eve"), kRaoPerTao));
  EXPECT_EQ(ledger->balance(World::account("eve")).value(), kRaoPerTao);
  const Bytes field = {1, 2, 3};
  ASSERT_TRUE(ledger->commit(World::key("bob/hot"), std::span(&field, 1)));
  ASSERT_TRUE(ledger->serve_axon(World::key("bob/hot"), {0x01020304, 9000}));
  chain.advance_to(small_genesis().time + common::milliseconds(250 * 12));
  const Weight weight{{2}, 100};
  const auto set = ledger->set_weights(World::key("alice/hot"), std::span(&weight, 1), 0);
  ASSERT_TRUE(set) << set.error().message;

  const Metagraph graph = ledger->metagraph(std::nullopt).value();
  ASSERT_EQ(graph.neurons.size(), 3u);
  EXPECT_EQ(graph.neurons[1].hotkey, World::account("alice/hot"));
  EXPECT_EQ(graph.neurons[1].coldkey, World::account("alice"));
  EXPECT_TRUE(graph.neurons[1].validator_permit);
  EXPECT_GE(graph.neurons[1].stake_rao, 50 * kRaoPerTao);
  EXPECT_EQ(graph.leads().front().index, 1);
  const auto rows = ledger->weights().value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].validator.index, 1);
  EXPECT_EQ(rows[0].weights, (std::vector<Weight>{{{2}, 65535}}));
  const auto commitments = ledger->commitments(std::nullopt).value();
  ASSERT_EQ(commitments.size(), 1u);
  EXPECT_EQ(commitments[0].fields, (std::vector<Bytes>{field}));
  const Hyperparameters rules = ledger->hyperparameters().value();
  EXPECT_EQ(rules.tempo, 10);
  EXPECT_EQ(rules.activity_cutoff, 5000u);
  EXPECT_FALSE(rules.commit_reveal_enabled);
  EXPECT_EQ(ledger->block({99'999}).error().code, common::Code::kNotFound);
  EXPECT_EQ(ledger->block({3})->number.index, 3u);
}

TEST(InProcess, SaysTheChainsNoByName) {
  PrivateChain chain(State::from_genesis(small_genesis()), common::milliseconds(250), "seed");
  BlockMakingClock clock(chain, small_genesis().time);
  const auto ledger = in_process_ledger(chain, kNetuid, clock).value();
  const auto pool = ledger->add_stake(World::key("alice"), World::account("eve"), kRaoPerTao);
  EXPECT_EQ(pool.error().code, common::Code::kRefused);
  const auto failed = ledger->commit(World::key("alice"), {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, common::Code::kRefused);
  EXPECT_NE(failed.error().message.find("AccountNotAllowedCommit"), std::string::npos)
      << failed.error().message;
}

std::string genesis_json(const std::string& more = "") {
  return R"({"netuid": 7, "owner_coldkey": ")" + World::account("owner").ss58() +
         R"(", "owner_hotkey": ")" + World::account("owner/hot").ss58() + R"(", "accounts": {")" +
         World::account("alice").ss58() + R"(": 100000000000})" + more + "}";
}

TEST(GenesisJson, IsReadStrictly) {
  const Genesis genesis = parse_genesis(genesis_json()).value();
  EXPECT_EQ(genesis.netuid, 7);
  EXPECT_EQ(genesis.accounts.size(), 1u);
  EXPECT_EQ(parse_genesis(genesis_json(R"(, "rules": {"tempo": 12})"))->rules.tempo, 12);
  const auto message = [](const std::string& json) {
    const auto read = parse_genesis(json);
    return read ? std::string("fine") : read.error().message;
  };
  EXPECT_NE(message(genesis_json(R"(, "rules": {"temp": 12})")).find("tempo"), std::string::npos);
  EXPECT_NE(message(genesis_json(R"(, "netuids": 7)")).find("netuid"), std::string::npos);
  EXPECT_NE(message(genesis_json(R"(, "rules": {"tempo": 0})")).find("tempo"), std::string::npos);
  EXPECT_NE(message(genesis_json(R"(, "rules": 3)")), "fine");
  EXPECT_NE(message("{}"), "fine");
  EXPECT_NE(message(R"({"netuid": 7, "owner_coldkey": "x", "owner_hotkey": "y", "accounts": {}})"),
            "fine");
}

TEST(PrivateNetwork, IsTheDoorToAChainInMemory) {
  auto network = PrivateNetwork::make(genesis_json(), common::milliseconds(250), "seed").value();
  const auto ledger = network.ledger(common::system_clock()).value();
  network.make_block();
  EXPECT_EQ(ledger->head()->number.index, 1u);
  network.advance_to({2'500});
  EXPECT_EQ(ledger->head()->number.index, 10u);
  EXPECT_EQ(ledger->head()->time.unix_ms, 2'500);
  EXPECT_EQ(ledger->balance(World::account("alice")).value(), 100 * kRaoPerTao);
}

}  // namespace
}  // namespace chain::embedded
