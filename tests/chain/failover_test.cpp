// Goal: several nodes are one: lost connections are made again, with growing pauses, at the next
// node that is of the same chain; subscriptions go on. Method: transports that live, die, stall and
// lie as the test says, under a clock that only sleeps move; and once over real sockets.
#include "chain/substrate/failover.h"

#include <gtest/gtest.h>

#include "chain/substrate/networks.h"
#include "chain/substrate/rpc_client.h"
#include "tests/chain/fake_node.h"
#include "tests/chain/fake_ws_node.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;

testing::AssertionResult says(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

struct Node {
  Hash genesis{{1}};
  bool up = true;
  std::optional<Error> answer_error = {};
  int connections = 0;
  int questions = 0;
  int subscriptions = 0;
};

class Wire final : public Transport {
 public:
  Wire(Node& node, const std::string& url) : node_(node), url_(url) {}
  Result<std::vector<RpcReply>> exchange(std::span<const RpcRequest> requests) override {
    ++node_.questions;
    if (!node_.up) return Error{Code::kUnavailable, url_ + " is gone"};
    std::vector<RpcReply> out;
    for (const RpcRequest& request : requests) {
      if (request.method == "chain_getBlockHash") {
        out.emplace_back(Json(hex0x(node_.genesis.bytes)));
      } else if (node_.answer_error) {
        return *node_.answer_error;
      } else {
        out.emplace_back(Json(url_));
      }
    }
    return out;
  }
  Result<Subscribed> subscribe(const RpcRequest&, std::string_view) override {
    if (!node_.up) return Error{Code::kUnavailable, url_ + " is gone"};
    return Subscribed(SubscriptionId(++node_.subscriptions));
  }
  Result<Json> next(SubscriptionId, milliseconds) override {
    if (!node_.up) return Error{Code::kUnavailable, url_ + " is gone"};
    return Json("news of " + url_);
  }
  bool subscribes() const override { return true; }

 private:
  Node& node_;
  std::string url_;
};

class FailoverTest : public testing::Test {
 protected:
  std::unique_ptr<Failover> over(std::vector<std::string> urls,
                                 std::optional<Hash> genesis = std::nullopt) {
    return std::make_unique<Failover>(
        std::move(urls), genesis, clock_, options_,
        [this](const std::string& url, const RpcOptions&) -> Result<std::unique_ptr<Transport>> {
          Node& node = nodes_[url];
          if (!node.up) return Error{Code::kUnavailable, url + " refuses connections"};
          ++node.connections;
          return std::unique_ptr<Transport>(std::make_unique<Wire>(node, url));
        });
  }
  static std::string ask(Transport& transport) {
    const RpcRequest request{"who"};
    const auto replies = transport.exchange({&request, 1});
    return replies ? std::get<Json>(replies->front()).get<std::string>() : replies.error().message;
  }

  std::map<std::string, Node> nodes_;
  TestClock clock_;
  RpcOptions options_;
};

TEST_F(FailoverTest, UsesTheFirstThatAnswersAndMovesOnWhenItIsLost) {
  auto failover = over({"a", "b"});
  EXPECT_EQ(ask(*failover), "a");
  EXPECT_EQ(ask(*failover), "a");
  EXPECT_EQ(nodes_["a"].connections, 1);
  nodes_["a"].up = false;
  EXPECT_EQ(ask(*failover), "a is gone");  // This question was lost with it,
  EXPECT_EQ(ask(*failover), "b");          //   the next one is not.
  nodes_["a"].up = true;
  EXPECT_EQ(ask(*failover), "b");  // No reason to go back.
}

TEST_F(FailoverTest, ReadsDoNotNoticeThatANodeWasLost) {
  auto failover = over({"a", "b"});
  RpcClient rpc(std::move(failover), clock_, options_);
  EXPECT_EQ(rpc.read("who").value(), "a");
  nodes_["a"].up = false;
  EXPECT_EQ(rpc.read("who").value(), "b");
}

TEST_F(FailoverTest, ANodeThatStallsOrFloodsIsLeftToo) {
  for (const Code code : {Code::kTimeout, Code::kExhausted}) {
    nodes_.clear();
    auto failover = over({"a", "b"});
    nodes_["a"].answer_error = Error{code, "a stalls"};
    EXPECT_EQ(ask(*failover), "a stalls");
    EXPECT_EQ(ask(*failover), "b");
  }
}

TEST_F(FailoverTest, ARefusalIsNoReasonToLeave) {
  auto failover = over({"a", "b"});
  nodes_["a"].answer_error = Error{Code::kRefused, "no"};
  EXPECT_EQ(ask(*failover), "no");
  nodes_["a"].answer_error.reset();
  EXPECT_EQ(ask(*failover), "a");
}

TEST_F(FailoverTest, ALoneNodeIsTriedAgainWithGrowingPauses) {
  auto failover = over({"a"});
  nodes_["a"].up = false;
  std::vector<int64_t> pauses;
  for (int i = 0; i < 10; ++i) {
    const Instant before = clock_.now();
    EXPECT_EQ(ask(*failover), "a refuses connections");
    pauses.push_back((clock_.now() - before).count());
  }
  EXPECT_EQ(pauses[0], 0);
  for (int i = 1; i < 10; ++i) {
    const int64_t longest = std::min<int64_t>(100 << (i - 1), 5'000);
    EXPECT_LE(pauses[static_cast<size_t>(i)], longest);
    EXPECT_GE(pauses[static_cast<size_t>(i)], longest / 2 - 1);
  }
  nodes_["a"].up = true;
  EXPECT_EQ(ask(*failover), "a");
  clock_.stop = true;
  nodes_["a"].up = false;
  ask(*failover);
  EXPECT_TRUE(says(ask(*failover), "told to stop"));
}

TEST_F(FailoverTest, ANodeOfAnotherChainIsNotUsed) {
  nodes_["a"].genesis = {{2}};
  auto failover = over({"a", "b"}, Hash{{1}});
  EXPECT_EQ(ask(*failover), "b");
  // The first node says which chain it is, if nobody else does; then all must be of that.
  auto other = over({"a", "b"});
  EXPECT_EQ(ask(*other), "a");
  nodes_["a"].up = false;
  ask(*other);
  const std::string said = ask(*other);
  EXPECT_TRUE(says(said, "no node is of use"));
  EXPECT_TRUE(says(said, "b: it is of another chain: its genesis is 0x01"));
}

TEST_F(FailoverTest, TheWrongNetworkIsAConflictWithASentence) {
  auto failover = over({"a"}, parse_endpoints("finney")->genesis);
  const RpcRequest request{"who"};
  const auto wrong = failover->exchange({&request, 1});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kConflict);
  EXPECT_TRUE(says(wrong.error().message, "check the address, and the network's name"));
}

TEST_F(FailoverTest, ASubscriptionGoesOnAtTheNextNode) {
  auto failover = over({"a", "b"});
  const auto made = failover->subscribe({"heads"}, "end");
  ASSERT_TRUE(made);
  const SubscriptionId heads = std::get<SubscriptionId>(*made);
  EXPECT_EQ(failover->next(heads, milliseconds(1)).value(), "news of a");
  nodes_["a"].up = false;
  EXPECT_EQ(failover->next(heads, milliseconds(1)).error().code, Code::kUnavailable);
  EXPECT_EQ(failover->next(heads, milliseconds(1)).value(), "news of b");
  EXPECT_EQ(nodes_["b"].subscriptions, 1);
  failover->unsubscribe(heads);
  EXPECT_EQ(failover->next(heads, milliseconds(1)).error().code, Code::kRefused);
}

TEST(FailoverOverSockets, AServerThatDropsEverybodyIsFoundAgain) {
  std::atomic<int> served{0};
  FakeWsNode node([&](WsPeer& peer) {
    // Two answers a connection: the chain, and one question.
    for (int i = 0; i < 2; ++i) {
      const auto text = peer.read();
      if (!text) return;
      const Json request = Json::parse(*text);
      const bool chain = request["method"] == "chain_getBlockHash";
      const Json result = chain ? Json(hex0x(Hash{}.bytes)) : Json(++served);
      peer.send(Json{{"id", request["id"]}, {"result", result}}.dump());
    }
  });
  TestClock clock;
  RpcOptions options;
  options.timeout = milliseconds(2'000);
  RpcClient rpc(std::make_unique<Failover>(std::vector<std::string>{node.url()}, std::nullopt,
                                           clock, options),
                clock, options);
  for (int i = 1; i <= 5; ++i) {
    const auto answer = rpc.read("count");
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, i);
  }
  EXPECT_GE(node.connections(), 5);
}

TEST(Networks, AreKnownByNameAndMayBeMixedWithUrlsOfTheSameChain) {
  const auto both = parse_endpoints("finney, wss://my.node:443").value();
  EXPECT_EQ(both.urls, (std::vector<std::string>{"wss://entrypoint-finney.opentensor.ai:443",
                                                 "wss://my.node:443"}));
  ASSERT_TRUE(both.genesis);
  EXPECT_TRUE(is_public_network(*both.genesis));
  EXPECT_FALSE(parse_endpoints("local")->genesis);
  EXPECT_FALSE(is_public_network(Hash{}));
  EXPECT_TRUE(says(parse_endpoints("finney,test").error().message, "different networks"));
  for (const char* wrong : {"", "fini", "ftp://x", "http://", "finney,,test"}) {
    EXPECT_EQ(parse_endpoints(wrong).error().code, Code::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace chain::substrate
