// Goal: one WebSocket carries the questions of many threads, and a node that does anything but
// answer is named, in time, and left. Method: a server in this process that speaks byte by byte,
// TLS with certificates made here, and the inbox alone where the order of messages matters.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "chain/substrate/ws_inbox.h"
#include "common/files.h"
#include "tests/chain/fake_ws_node.h"
#include "tests/temp_folder.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::milliseconds;

RpcOptions quick() {
  RpcOptions options;
  options.connect_timeout = milliseconds(2'000);
  options.timeout = milliseconds(400);
  options.strays_max = 3;
  options.notifications_max = 4;
  options.response_size_max = 1 << 16;
  return options;
}

testing::AssertionResult says(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

// Answers each question with its own parameters.
void echo(WsPeer& peer) {
  while (const auto text = peer.read()) {
    const Json request = Json::parse(*text);
    peer.send(
        Json{{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", request["params"]}}.dump());
  }
}

// The error of one question to a node that does `serve` once it was asked.
common::Error asked(const FakeWsNode::Serve& serve, RpcOptions options = quick()) {
  FakeWsNode node([&](WsPeer& peer) {
    if (peer.read()) serve(peer);
    while (peer.read()) {
    }
  });
  auto transport = ws_transport(node.url(), options);
  if (!transport) return transport.error();
  const RpcRequest request{"x"};
  const auto replies = (*transport)->exchange({&request, 1});
  return replies ? common::Error{Code::kNotFound, "answered"} : replies.error();
}

TEST(WebSocket, CarriesTheQuestionsOfManyThreadsAtOnce) {
  FakeWsNode node(echo);
  auto transport = ws_transport(node.url(), {}).value();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int who = 0; who < 8; ++who) {
    threads.emplace_back([&, who] {
      for (int i = 0; i < 50; ++i) {
        const RpcRequest requests[] = {{"a", Json::array({who, i})}, {"b", Json::array({i})}};
        const auto replies = transport->exchange(requests);
        if (!replies) continue;
        right += std::get<Json>((*replies)[0]) == Json::array({who, i}) &&
                 std::get<Json>((*replies)[1]) == Json::array({i});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 400);
  EXPECT_EQ(node.connections(), 1);
}

TEST(WebSocket, ALargeAnswerArrivesWhole) {
  FakeWsNode node(echo);
  RpcOptions options = quick();
  options.response_size_max = 8 << 20;
  options.timeout = milliseconds(20'000);
  auto transport = ws_transport(node.url(), options).value();
  const RpcRequest request{"x", Json::array({std::string(4 << 20, 'm')})};
  const auto replies = transport->exchange({&request, 1});
  ASSERT_TRUE(replies) << replies.error().message;
  EXPECT_EQ(std::get<Json>(replies->front()), request.params);
}

TEST(WebSocket, NobodyThereIsUnavailable) {
  uint16_t port = 0;
  { port = FakeWsNode(echo).port(); }
  const auto nobody = ws_transport("ws://127.0.0.1:" + std::to_string(port), quick());
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnavailable);
  EXPECT_TRUE(says(nobody.error().message, "connecting: Connection refused"));
}

TEST(WebSocket, UrlsThatAreNoneAreRefused) {
  for (const char* url :
       {"http://x:1", "ws://", "ws://:1", "ws://x:port", "ws://x:123456", "ws://[::1", "x:1"}) {
    const auto wrong = ws_transport(url, quick());
    ASSERT_FALSE(wrong) << url;
    EXPECT_EQ(wrong.error().code, Code::kInvalidArgument) << url;
  }
}

TEST(WebSocket, ANodeThatStallsTimesOut) {
  const auto error = asked([](WsPeer&) {});
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_TRUE(says(error.message, "did not answer within 400 ms"));
}

TEST(WebSocket, ANodeThatDripsOneMessageForEverTimesOut) {
  const auto error = asked([](WsPeer& peer) {
    peer.send_header(1, 1'000);
    for (int i = 0; i < 20; ++i) {
      peer.send_raw("x");
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  EXPECT_EQ(error.code, Code::kTimeout);
}

TEST(WebSocket, AMessageThatSaysItIsEndlessIsEnded) {
  const auto error = asked([](WsPeer& peer) { peer.send_header(1, uint64_t{1} << 62); });
  EXPECT_EQ(error.code, Code::kExhausted);
  EXPECT_TRUE(says(error.message, "longer than 65536 bytes"));
}

TEST(WebSocket, WhatIsNotJsonRpcIsNamed) {
  for (const char* text : {"", "hello", "7", "[]", "{}", R"({"id":1})", R"({"method":"x"})",
                           R"({"method":"x","params":{"subscription":[],"result":1}})"}) {
    const auto error = asked([&](WsPeer& peer) { peer.send(text); });
    EXPECT_EQ(error.code, Code::kUnavailable) << text;
    EXPECT_TRUE(says(error.message, "not JSON-RPC")) << text;
  }
  // Nested so deep that whoever copies it would fall.
  const auto bomb = asked([&](WsPeer& peer) { peer.send(std::string(60'000, '[')); });
  EXPECT_TRUE(says(bomb.message, "not JSON-RPC"));
}

TEST(WebSocket, AnswersToWhatWasNotAskedEndTheConnection) {
  const auto error = asked([](WsPeer& peer) {
    for (int i = 0; i < 10; ++i) peer.send(R"({"id":999,"result":1})");
  });
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_TRUE(says(error.message, "keeps sending what was not asked for"));
}

TEST(WebSocket, FramesThatAreNoneEndTheConnection) {
  EXPECT_EQ(asked([](WsPeer& peer) { peer.send_raw(std::string(20, '\xff')); }).code,
            Code::kUnavailable);
  EXPECT_EQ(asked([](WsPeer& peer) { peer.send("\xc3\x28"); }).code, Code::kUnavailable);
}

TEST(WebSocket, AServerThatIsNoWebSocketIsNamed) {
  FakeWsNode node([](WsPeer&) {});
  // A node whose handshake is cut short: the peer leaves at once.
  auto transport = ws_transport(node.url(), quick());
  if (transport) {
    const RpcRequest request{"x"};
    EXPECT_EQ((*transport)->exchange({&request, 1}).error().code, Code::kUnavailable);
  }
}

TEST(WebSocket, OnceFailedItStaysFailed) {
  FakeWsNode node([](WsPeer& peer) { peer.read(); });
  auto transport = ws_transport(node.url(), quick()).value();
  const RpcRequest request{"x"};
  EXPECT_EQ(transport->exchange({&request, 1}).error().code, Code::kUnavailable);
  const auto again = transport->exchange({&request, 1});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kUnavailable);
  EXPECT_EQ(node.connections(), 1);
}

// -- subscriptions --------------------------------------------------------------------------------

TEST(WebSocket, NotificationsComeInOrderEvenBeforeTheNameIsKnown) {
  std::atomic<bool> ended{false};
  FakeWsNode node([&](WsPeer& peer) {
    const Json request = Json::parse(peer.read().value());
    // The name and the first two in one breath.
    peer.send(Json{{"id", request["id"]}, {"result", "abc"}}.dump());
    for (int i = 0; i < 3; ++i) {
      const Json params = {{"subscription", "abc"}, {"result", i}};
      peer.send(Json{{"method", "chain_newHead"}, {"params", params}}.dump());
    }
    const Json end = Json::parse(peer.read().value_or("{}"));
    EXPECT_EQ(end["method"], "chain_unsubscribeNewHeads");
    EXPECT_EQ(end["params"], Json::array({"abc"}));
    ended = true;
    while (peer.read()) {
    }
  });
  auto transport = ws_transport(node.url(), quick()).value();
  const auto made = transport->subscribe({"chain_subscribeNewHeads"}, "chain_unsubscribeNewHeads");
  ASSERT_TRUE(made) << made.error().message;
  const SubscriptionId heads = std::get<SubscriptionId>(*made);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(transport->next(heads, milliseconds(400)).value(), i);
  EXPECT_EQ(transport->next(heads, milliseconds(10)).error().code, Code::kTimeout);
  transport->unsubscribe(heads);
  EXPECT_EQ(transport->next(heads, milliseconds(10)).error().code, Code::kRefused);
  for (int i = 0; i < 200 && !ended; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_TRUE(ended);
}

TEST(WebSocket, ARefusedSubscriptionCarriesItsWords) {
  FakeWsNode node([](WsPeer& peer) {
    const Json request = Json::parse(peer.read().value());
    peer.send(Json{{"id", request["id"]}, {"error", {{"code", 1010}, {"message", "no"}}}}.dump());
    while (peer.read()) {
    }
  });
  auto transport = ws_transport(node.url(), quick()).value();
  const auto made = transport->subscribe({"author_submitAndWatchExtrinsic"}, "author_unwatch");
  ASSERT_TRUE(made);
  EXPECT_EQ(std::get<RpcRefusal>(*made).text(), "1010 no");
}

std::string notification(int value) {
  return Json{{"method", "x"}, {"params", {{"subscription", "s"}, {"result", value}}}}.dump();
}

TEST(WsInbox, AStreamThatNobodyTakesIsCutOff) {
  WsInbox inbox(quick());
  const uint64_t id = inbox.expect(1, true);
  ASSERT_TRUE(inbox.deliver(Json{{"id", id}, {"result", "s"}}.dump()));
  const SubscriptionId heads = std::get<SubscriptionId>(inbox.collect_subscription(id).value());
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(inbox.deliver(notification(i)));
  EXPECT_EQ(inbox.next(heads, milliseconds(0)).error().code, Code::kExhausted);
  EXPECT_EQ(inbox.next(heads, milliseconds(0)).error().code, Code::kRefused);
}

TEST(WsInbox, LateAnswersAndLateNewsAreNoLies) {
  WsInbox inbox(quick());
  for (int i = 0; i < 20; ++i) {
    const uint64_t id = inbox.disregard();
    EXPECT_TRUE(inbox.deliver(Json{{"id", id}, {"result", 1}}.dump()));
  }
  const uint64_t id = inbox.expect(1, true);
  ASSERT_TRUE(inbox.deliver(Json{{"id", id}, {"result", "s"}}.dump()));
  inbox.forget(std::get<SubscriptionId>(inbox.collect_subscription(id).value()));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(inbox.deliver(notification(i)));
}

TEST(WsInbox, TheSameAnswerTwiceIsOneTooMany) {
  WsInbox inbox(quick());
  const uint64_t id = inbox.expect(2, false);
  const std::string first = Json{{"id", id}, {"result", 1}}.dump();
  ASSERT_TRUE(inbox.deliver(first));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(inbox.deliver(first));  // strays_max
  EXPECT_FALSE(inbox.deliver(first));
}

// -- TLS ------------------------------------------------------------------------------------------

class TlsTest : public testing::Test {
 protected:
  void trust(const FakeWsNode& node) {
    const auto file = folder_ / "authority.pem";
    ASSERT_TRUE(common::write_file(file, common::view_of(node.certificate())));
    setenv("SSL_CERT_FILE", file.c_str(), 1);
  }
  ~TlsTest() override { unsetenv("SSL_CERT_FILE"); }
  tests::TempFolder folder_;
};

TEST_F(TlsTest, ATrustedHostIsSpokenTo) {
  FakeWsNode node(echo, "localhost");
  trust(node);
  auto transport = ws_transport(node.url(), quick());
  ASSERT_TRUE(transport) << transport.error().message;
  const RpcRequest request{"x", Json::array({5})};
  const auto replies = (*transport)->exchange({&request, 1});
  ASSERT_TRUE(replies) << replies.error().message;
  EXPECT_EQ(std::get<Json>(replies->front()), Json::array({5}));
}

TEST_F(TlsTest, AStrangersCertificateIsRefused) {
  FakeWsNode node(echo, "localhost");
  const auto refused = ws_transport(node.url(), quick());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_TRUE(says(refused.error().message, "the TLS handshake"));
  EXPECT_TRUE(says(refused.error().message, "certificate verify failed"));
}

TEST_F(TlsTest, ACertificateOfAnotherHostIsRefused) {
  FakeWsNode node(echo, "elsewhere.example");
  trust(node);
  const auto refused = ws_transport(node.url(), quick());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(says(refused.error().message, "certificate verify failed"));
}

}  // namespace
}  // namespace chain::substrate
