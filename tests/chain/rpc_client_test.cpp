// Goal: JSON-RPC over HTTP keeps its bounds: time, size, retries of reads only, errors told apart.
// Method: canned answers, and a small HTTP server in this process for what libcurl does.
#include "chain/substrate/rpc_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <thread>

#include "tests/chain/fake_node.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

// Answers what it was told to, in order.
class Canned final : public BodyTransport {
 public:
  explicit Canned(std::deque<Result<std::string>> answers, int& posts)
      : answers_(std::move(answers)), posts_(posts) {}
  Result<std::string> post(const std::string&) override {
    ++posts_;
    if (answers_.empty()) return Error{Code::kUnavailable, "nobody answers"};
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

 private:
  std::deque<Result<std::string>> answers_;
  int& posts_;
};

class RpcClientTest : public testing::Test {
 protected:
  RpcClient client(std::deque<Result<std::string>> answers) {
    return RpcClient(std::make_unique<Canned>(std::move(answers), posts_), clock_);
  }
  int posts_ = 0;
  TestClock clock_;
};

TEST_F(RpcClientTest, ReadsAreRepeatedWhileNobodyAnswers) {
  const Error gone{Code::kUnavailable, "gone"};
  const Error slow{Code::kTimeout, "slow"};
  auto rpc = client({gone, slow, R"({"jsonrpc":"2.0","id":3,"result":7})"});
  EXPECT_EQ(rpc.read("x").value(), 7);
  EXPECT_EQ(posts_, 3);
}

TEST_F(RpcClientTest, ReadsEndAfterFourAttempts) {
  auto rpc = client({});
  EXPECT_EQ(rpc.read("x").error().code, Code::kUnavailable);
  EXPECT_EQ(posts_, 4);
}

TEST_F(RpcClientTest, AStopEndsTheAttempts) {
  clock_.stop = true;
  auto rpc = client({});
  EXPECT_EQ(rpc.read("x").error().code, Code::kCancelled);
  EXPECT_EQ(posts_, 1);
}

TEST_F(RpcClientTest, WhatIsNotAReadIsAskedOnce) {
  auto rpc = client({});
  EXPECT_EQ(rpc.ask("author_submitExtrinsic", {}).error().code, Code::kUnavailable);
  EXPECT_EQ(posts_, 1);
}

TEST_F(RpcClientTest, ARefusalIsNotRepeatedAndCarriesItsWords) {
  auto rpc =
      client({R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no","data":"why"}})"});
  const auto refused = rpc.read("x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_EQ(refused.error().message, "x: -32601 no (why)");
  EXPECT_EQ(posts_, 1);
}

TEST_F(RpcClientTest, ABatchIsPutInOrder) {
  auto rpc = client({R"([{"id":2,"result":"b"},{"id":1,"result":"a"}])"});
  const RpcRequest requests[] = {{"x"}, {"y"}};
  const auto results = rpc.read_all(requests);
  ASSERT_TRUE(results);
  EXPECT_EQ(results->at(0), "a");
  EXPECT_EQ(results->at(1), "b");
}

TEST_F(RpcClientTest, AnErrorAboutAWholeBatchIsARefusal) {
  auto rpc = client({R"({"id":null,"error":{"code":-32010,"message":"batches are not for you"}})"});
  const RpcRequest requests[] = {{"x"}, {"y"}};
  EXPECT_EQ(rpc.read_all(requests).error().code, Code::kRefused);
}

TEST_F(RpcClientTest, WhatIsNotJsonRpcIsNobody) {
  for (const char* text : {"", "<html>", "7", "[]", "[7]", R"({"id":1})", R"({"id":9,"result":1})",
                           R"({"result":1})", R"([{"id":1,"result":1},{"id":1,"result":1}])"}) {
    posts_ = 0;
    auto rpc = client({std::string(text)});
    EXPECT_EQ(rpc.ask("x", {}).error().code, Code::kUnavailable) << text;
  }
}

// Serves one connection at a time with the bytes it is given, until it is destroyed.
class HttpServer {
 public:
  explicit HttpServer(std::string answer) : answer_(std::move(answer)) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    CHECK(listen(socket_, 8) == 0);
    socklen_t size = sizeof address;
    CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    shutdown(socket_, SHUT_RDWR);
    close(socket_);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    for (;;) {
      const int peer = accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      char request[4096];
      if (recv(peer, request, sizeof request, 0) > 0 && !answer_.empty()) {
        send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        shutdown(peer, SHUT_WR);
      }
      // Until the client has read it all, or given up.
      while (recv(peer, request, sizeof request, 0) > 0) {
      }
      close(peer);
    }
  }

  std::string answer_;
  int socket_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

std::string http(std::string_view status, const std::string& body) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

Result<std::string> post_to(const HttpServer& server, RpcOptions options = {}) {
  return http_transport(server.url(), options).value()->post("{}");
}

TEST(HttpTransport, BringsTheBodyBack) {
  const HttpServer server(http("200 OK", "hello"));
  EXPECT_EQ(post_to(server).value(), "hello");
}

TEST(HttpTransport, TellsServersTroubleFromANo) {
  const HttpServer busy(http("503 Busy", "later"));
  EXPECT_EQ(post_to(busy).error().code, Code::kUnavailable);
  const HttpServer many(http("429 Slow down", "later"));
  EXPECT_EQ(post_to(many).error().code, Code::kUnavailable);
  const HttpServer no(http("403 No", "never"));
  EXPECT_EQ(post_to(no).error().code, Code::kRefused);
}

TEST(HttpTransport, EndsAnAnswerThatIsTooLong) {
  const HttpServer server(http("200 OK", std::string(100'000, 'x')));
  RpcOptions options;
  options.response_size_max = 99'999;
  EXPECT_EQ(post_to(server, options).error().code, Code::kExhausted);
  options.response_size_max = 100'000;
  EXPECT_TRUE(post_to(server, options));
}

TEST(HttpTransport, ASilentServerTimesOut) {
  const HttpServer server("");
  RpcOptions options;
  options.timeout = common::milliseconds(100);
  EXPECT_EQ(post_to(server, options).error().code, Code::kTimeout);
}

TEST(HttpTransport, ABrokenAnswerIsUnavailable) {
  const HttpServer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
  EXPECT_EQ(post_to(server).error().code, Code::kUnavailable);
}

TEST(HttpTransport, SpeaksHttpOnly) {
  for (const char* url : {"ftp://x", "file:///etc/passwd", "127.0.0.1:9944", ""}) {
    EXPECT_EQ(http_transport(url, {}).error().code, Code::kInvalidArgument) << url;
  }
}

}  // namespace
}  // namespace chain::substrate
