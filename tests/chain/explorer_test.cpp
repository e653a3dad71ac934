// Goal: everything the chain describes can be asked for, shown and sent by its own names. Method: a
// fake node of mainnet's runtime behind a real WebSocket; wrong names and values, one by one.
#include "chain/explorer.h"

#include <gtest/gtest.h>

#include "tests/chain/fake_node.h"
#include "tests/chain/fake_ws_node.h"
#include "tests/chain/golden_metadata.h"

namespace chain {
namespace {

using common::Code;
using substrate::FakeNode;
using substrate::FakeWsNode;
using substrate::TestClock;
using substrate::WsPeer;

testing::AssertionResult says(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

class ExplorerTest : public testing::Test {
 protected:
  ExplorerTest() : server_([this](WsPeer& peer) { serve(peer); }) {
    node_.lie = [](const std::string& method, const Json&) -> std::optional<Json> {
      if (method == "payment_queryInfo") return Json{{"partialFee", "140000"}};
      return std::nullopt;
    };
    explorer_ = std::make_unique<Explorer>(open_explorer(server_.url(), clock_).value());
  }
  void serve(WsPeer& peer) {
    while (const auto text = peer.read()) {
      const Json request = Json::parse(*text);
      if (request["method"] == "author_submitAndWatchExtrinsic") {
        Json error;
        node_.result("author_submitExtrinsic", request["params"], error);
        peer.send(Json{{"id", request["id"]}, {"result", "watch"}}.dump());
      } else if (request["method"] == "chain_subscribeNewHeads") {
        peer.send(Json{{"id", request["id"]}, {"result", "heads"}}.dump());
        const Json params = {{"subscription", "heads"}, {"result", nullptr}};
        for (int i = 0; i < 20; ++i) peer.send(Json{{"method", "x"}, {"params", params}}.dump());
      } else {
        peer.send(node_.answer(*text).value());
      }
    }
  }

  FakeNode node_;
  TestClock clock_;
  FakeWsNode server_;
  std::unique_ptr<Explorer> explorer_;
  Keypair key_ = Keypair::from_uri("//Alice").value();
};

TEST_F(ExplorerTest, ShowsWhatThereIs) {
  const auto forms = explorer_->forms();
  ASSERT_TRUE(forms) << forms.error().message;
  EXPECT_EQ(forms->spec_version, 424u);
  EXPECT_EQ(forms->pallets.size(), 28u);
  const auto call = std::find_if(forms->calls.begin(), forms->calls.end(),
                                 [](const CallForm& it) { return it.name == "set_weights"; });
  ASSERT_NE(call, forms->calls.end());
  EXPECT_EQ(call->arguments[1].name + ": " + call->arguments[1].type, "dests: Vec<u16>");
  EXPECT_FALSE(call->docs.empty());
  const auto item = std::find_if(forms->storage.begin(), forms->storage.end(),
                                 [](const StorageForm& it) { return it.name == "Uids"; });
  ASSERT_NE(item, forms->storage.end());
  EXPECT_EQ(item->keys, (std::vector<std::string>{"u16", "AccountId32"}));
}

TEST_F(ExplorerTest, ReadsStorageByName) {
  node_.put("SubtensorModule", "Tempo", Json::array({3}), 99);
  EXPECT_EQ(explorer_->storage("SubtensorModule", "Tempo", Json::array({3}), {}).value(), 99);
  EXPECT_EQ(explorer_->storage("SubtensorModule", "Tempo", Json::array({4}), {}).value(), 360);
  const auto few = explorer_->storage("SubtensorModule", "Weights", Json::array({1}), {});
  EXPECT_TRUE(says(few.error().message, "has 2 keys: give all, or list it"));
  const auto wrong = explorer_->storage("SubtensorModule", "Tempoo", Json::array({1}), {});
  EXPECT_EQ(wrong.error().code, Code::kNotFound);
  EXPECT_TRUE(says(wrong.error().message, "there is Tempo"));
}

TEST_F(ExplorerTest, ListsAMap) {
  for (int netuid = 0; netuid < 5; ++netuid) {
    node_.put("SubtensorModule", "Tempo", Json::array({netuid}), netuid * 10);
  }
  const auto all = explorer_->entries("SubtensorModule", "Tempo", Json::array(), {}, 100);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 5u);
  EXPECT_EQ(all->at(2).keys, Json::array({2}));
  EXPECT_EQ(all->at(2).value, 20);
  EXPECT_EQ(explorer_->entries("SubtensorModule", "Tempo", Json::array(), {}, 4).error().code,
            Code::kExhausted);
}

TEST_F(ExplorerTest, ReadsConstantsAndCallsRuntimeFunctions) {
  EXPECT_EQ(explorer_->constant("Balances", "ExistentialDeposit").value(), 500);
  EXPECT_TRUE(says(explorer_->constant("Balances", "Deposit").error().message,
                   "there is ExistentialDeposit"));
  const auto next =
      explorer_->api("SubnetInfoRuntimeApi", "get_next_epoch_start_block", {{"netuid", 3}}, {});
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_GT(next->get<int>(), 100);
  EXPECT_TRUE(says(
      explorer_->api("SubnetInfoRuntimeApi", "get_next_epoch_start_block", {}, {}).error().message,
      "takes 1 arguments; give 'netuid', a u16"));
}

TEST_F(ExplorerTest, PlansACallAndThenSendsIt) {
  const Json arguments = {{"dest", key_.account().ss58()}, {"value", 5}};
  const auto plan = explorer_->plan(key_, "Balances", "transfer_keep_alive", arguments, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->fee_rao, 140'000u);
  EXPECT_EQ(plan->arguments["value"], 5);
  EXPECT_TRUE(node_.submitted.empty());
  const auto sent = explorer_->send(key_, "Balances", "transfer_keep_alive", arguments, {});
  ASSERT_TRUE(sent) << sent.error().message;
  ASSERT_EQ(sent->events.size(), 1u);
  EXPECT_EQ(sent->events[0].name, "ExtrinsicSuccess");
  const auto found = explorer_->extrinsic(sent->extrinsic, 20);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->block.hash, sent->block.hash);
  EXPECT_EQ(found->extrinsic.signer, key_.account().ss58());
  EXPECT_EQ(found->extrinsic.call, "transfer_keep_alive");
  EXPECT_EQ(explorer_->extrinsic(Hash{}, 20).error().code, Code::kNotFound);
  EXPECT_EQ(explorer_->plan(key_, "Balances", "transfer_keep_alive", arguments, {.era_blocks = 5})
                .error()
                .code,
            Code::kInvalidArgument);
}

TEST_F(ExplorerTest, ShowsABlockWithWhatFailedInIt) {
  node_.outcome = {node_.failed("Balances", "InsufficientBalance")};
  const Json arguments = {{"dest", key_.account().ss58()}, {"value", 5}};
  EXPECT_FALSE(explorer_->send(key_, "Balances", "transfer_keep_alive", arguments, {}));
  for (uint64_t number = 0; number < node_.blocks().size(); ++number) {
    const auto block = explorer_->block(BlockNumber{number});
    ASSERT_TRUE(block) << block.error().message;
    if (block->extrinsics.size() < 2) continue;
    EXPECT_TRUE(
        says(block->extrinsics[1].failure, "Balances.InsufficientBalance: the account has"));
    EXPECT_EQ(block->events.size(), 2u);
    return;
  }
  FAIL() << "no block holds it";
}

TEST_F(ExplorerTest, WatchesBlocksAsTheyCome) {
  std::vector<uint64_t> seen;
  const auto done = explorer_->watch([&](const Block& block) {
    seen.push_back(block.number.index);
    return seen.size() < 4;
  });
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

}  // namespace
}  // namespace chain
