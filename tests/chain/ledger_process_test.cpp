// Goal: the ledger process serves the common client, shrugs off hostile connections, says clearly
// why it does not start, ends cleanly when told to, and loses nothing it has acknowledged when it
// is killed. Method: the real process on a free port and a temporary folder; clients over HTTP; raw
// sockets for what no client would send; kill -9 at seeded random moments while two clients write.
#include "tests/chain/ledger_process.h"

#include <atomic>
#include <random>
#include <set>
#include <thread>

namespace chain {
namespace {

// A recipient of its own for every payment.
AccountId recipient(uint32_t number) {
  AccountId account;
  std::memcpy(account.bytes.data(), &number, sizeof number);
  account.bytes[31] = 1;
  return account;
}

// Tells its users to stop when the test says so: a payment whose ledger was killed would wait for
// minutes whether a block holds it yet.
class StoppedWithLedger final : public common::Clock {
 public:
  explicit StoppedWithLedger(const std::atomic<bool>& stop) : stop_(stop) {}
  Instant now() override { return common::system_clock().now(); }
  bool sleep(milliseconds span) override {
    return !stop_ && common::system_clock().sleep(span) && !stop_;
  }
  bool stop_requested() override { return stop_; }

 private:
  const std::atomic<bool>& stop_;
};

// Sends bytes as they are and returns what comes back until the other side closes or 2 s are
// over.
std::string raw(uint16_t port, const std::string& bytes, bool half_close = true) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const timeval patience{2, 0};
  setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count = send(socket_fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += static_cast<size_t>(count);
  }
  if (half_close) shutdown(socket_fd, SHUT_WR);
  std::string reply;
  char buffer[4096];
  for (;;) {
    const auto count = recv(socket_fd, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    reply.append(buffer, static_cast<size_t>(count));
  }
  close(socket_fd);
  return reply;
}
std::string post(const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST_F(LedgerProcess, ServesTheCommonClientAndEndsCleanly) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto ledger = client();
  const auto alice = key("alice");
  const auto hot = key("alice//hot");
  const auto uid = ledger->register_neuron(alice, hot.account());
  ASSERT_TRUE(uid) << uid.error().message;
  EXPECT_EQ(uid->index, 1);
  ASSERT_TRUE(ledger->add_stake(alice, hot.account(), kRaoPerTao));
  const Bytes field = {1, 2, 3};
  ASSERT_TRUE(ledger->commit(hot, std::span(&field, 1)));
  EXPECT_EQ(ledger->commitments(std::nullopt)->front().fields.front(), field);
  EXPECT_EQ(ledger->metagraph(std::nullopt)->neurons.size(), 2u);
  const int status = end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << log();
}

TEST_F(LedgerProcess, MakesBlocksWithoutDrift) {
  ASSERT_NO_FATAL_FAILURE(start(50));
  const auto ledger = client();
  common::system_clock().sleep(milliseconds(300));
  const Block first = ledger->head().value();
  common::system_clock().sleep(milliseconds(1'500));
  const Block last = ledger->head().value();
  const auto blocks = static_cast<int64_t>(last.number.index - first.number.index);
  EXPECT_GE(blocks, 15);
  // A late block does not delay the next one: the mean is the block time, within one block's
  // jitter.
  EXPECT_NEAR(static_cast<double>((last.time - first.time).count()), 50.0 * double(blocks), 60.0);
}

TEST_F(LedgerProcess, SaysWhyItDoesNotStart) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto fails = [&](uint16_t port) {
    const pid_t other = spawn(20, port);
    int status = 0;
    waitpid(other, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 1);
    return log();
  };
  EXPECT_NE(fails(free_port()).find("in use by another process"), std::string::npos) << log();
  fs::rename(folder_ / "data", folder_ / "elsewhere");  // Another folder, the same port.
  EXPECT_NE(fails(port_).find("is in use by another program"), std::string::npos) << log();
  end(SIGKILL);
  fs::remove_all(folder_ / "data");
  fs::rename(folder_ / "elsewhere", folder_ / "data");
  std::string other = genesis();
  other.replace(other.find("1000000000000"), 13, "2000000000000");
  put_genesis(other);
  EXPECT_NE(fails(port_).find("another genesis"), std::string::npos) << log();
  put_genesis("{\"netuid\": 7, ");
  EXPECT_NE(fails(port_).find("genesis.json"), std::string::npos) << log();
}

TEST_F(LedgerProcess, AnswersHostileConnectionsAndLivesOn) {
  ASSERT_NO_FATAL_FAILURE(start(100));
  const auto status = [&](const std::string& bytes, bool half_close = true) {
    const std::string reply = raw(port_, bytes, half_close);
    return reply.size() > 12 ? reply.substr(9, 3) : "none";
  };
  EXPECT_EQ(status("\x16\x03\x01 no http at all\r\n\r\n"), "400");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "405");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", false), "413");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), "400");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"), "431");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "400");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nonly this"), "400");
  EXPECT_EQ(status(post(std::string(100'000, '['))), "200");
  EXPECT_NE(raw(port_, post("nonsense")).find("-32700"), std::string::npos);
  EXPECT_EQ(status(post(R"({"jsonrpc":"2.0","method":"system_name"})")), "204");
  // Two requests on one connection, one behind the other.
  const std::string one = post(R"({"jsonrpc":"2.0","id":5,"method":"system_name"})");
  const std::string both = raw(port_, one + one);
  EXPECT_NE(both.find("Muster"), both.rfind("Muster"));
  // Connections that say nothing do not keep others out.
  std::vector<int> silent;
  for (int i = 0; i < 100; ++i) {
    const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    EXPECT_EQ(connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    silent.push_back(socket_fd);
  }
  EXPECT_NE(client(), nullptr);
  for (const int socket_fd : silent) close(socket_fd);
  EXPECT_NE(client(), nullptr);
}

// A WebSocket client in the plainest form: it sends whole texts, masked with zeros, and reads
// frames of texts.
class PlainWs {
 public:
  explicit PlainWs(uint16_t port, const std::string& headers = "") {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    put("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
        headers + "\r\n");
    while (answer_.find("\r\n\r\n") == std::string::npos) {
      const std::string byte = take(1);
      if (byte.empty()) break;
      answer_ += byte;
    }
  }
  ~PlainWs() { close(fd_); }
  PlainWs(const PlainWs&) = delete;
  PlainWs& operator=(const PlainWs&) = delete;

  const std::string& answer() const { return answer_; }
  bool say(const std::string& text) {
    std::string frame = "\x81";
    if (text.size() < 126) {
      frame += static_cast<char>(0x80 | text.size());
    } else {
      frame += static_cast<char>(0x80 | 127);
      for (int i = 7; i >= 0; --i) frame += static_cast<char>(text.size() >> (8 * i));
    }
    return put(frame + std::string(4, '\0') + text);
  }
  bool ask(const std::string& method, const std::string& params = "[]") {
    return say(R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}");
  }
  // The next frame's text; "" if the other side has closed, or says nothing for five seconds.
  std::string hear() {
    const std::string head = take(2);
    if (head.size() < 2) return "";
    uint64_t size = head[1] & 0x7F;
    if (size >= 126) {
      const std::string more = take(size == 126 ? 2 : 8);
      size = 0;
      for (const char byte : more) size = size << 8 | static_cast<uint8_t>(byte);
    }
    return take(size);
  }

 private:
  bool put(const std::string& bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  std::string take(uint64_t size) {
    std::string out(size, '\0');
    size_t at = 0;
    while (at < size) {
      const ssize_t got = recv(fd_, out.data() + at, size - at, 0);
      if (got <= 0) return "";
      at += static_cast<size_t>(got);
    }
    return out;
  }

  int fd_ = -1;
  std::string answer_;
};

TEST_F(LedgerProcess, WebSocketClientsHearOfWhatTheyAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start(50));
  PlainWs ws(port_);
  ASSERT_NE(ws.answer().find(" 101 "), std::string::npos) << ws.answer();
  ASSERT_TRUE(ws.ask("chain_subscribeNewHeads"));
  const std::string reply = ws.hear();
  ASSERT_NE(reply.find("\"result\":\"muster-"), std::string::npos) << reply;
  for (int i = 0; i < 3; ++i) {
    const std::string head = ws.hear();
    EXPECT_NE(head.find("chain_newHead"), std::string::npos) << head;
    EXPECT_NE(head.find("parentHash"), std::string::npos) << head;
  }
  ASSERT_TRUE(ws.ask("chain_unsubscribeNewHeads", R"(["muster-1"])"));
  std::string last;
  for (int i = 0; i < 20 && last.find("\"result\":true") == std::string::npos; ++i)
    last = ws.hear();
  EXPECT_NE(last.find("\"result\":true"), std::string::npos);
  ASSERT_TRUE(ws.say("nonsense"));
  EXPECT_NE(ws.hear().find("-32700"), std::string::npos);
  ASSERT_TRUE(ws.ask("state_subscribeStorage", "[[]]"));
  EXPECT_NE(ws.hear().find("-32602"), std::string::npos);
  // Over HTTP nobody would hear.
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"})";
  EXPECT_NE(raw(port_, post(body)).find("need a WebSocket"), std::string::npos);
}

TEST_F(LedgerProcess, WhoDoesNotReadItsNewsIsDroppedAndOthersAreNot) {
  ASSERT_NO_FATAL_FAILURE(start(10));
  PlainWs slow(port_);
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(slow.ask("chain_subscribeNewHeads"));
  PlainWs other(port_);
  ASSERT_TRUE(other.ask("chain_subscribeNewHeads"));
  // Half a megabyte a block: the bound is reached within a second.
  for (int i = 0; i < 200; ++i) ASSERT_NE(other.hear(), "");
  bool closed = false;
  for (int i = 0; i < 100'000 && !closed; ++i) closed = slow.hear().empty();
  EXPECT_TRUE(closed);
  EXPECT_NE(other.hear(), "");
  // One subscription more than there may be is refused.
  PlainWs greedy(port_);
  std::string last;
  for (int i = 0; i < 1025; ++i) {
    ASSERT_TRUE(greedy.ask("state_subscribeRuntimeVersion"));
    last = greedy.hear();
    if (last.find("error") != std::string::npos) break;
    greedy.hear();
  }
  EXPECT_NE(last.find("too many subscriptions"), std::string::npos) << last;
}

TEST_F(LedgerProcess, HostileWebSocketsAreClosedAndOthersServed) {
  ASSERT_NO_FATAL_FAILURE(start(100));
  const PlainWs page(port_, "Origin: https://example.org\r\n");
  EXPECT_NE(page.answer().find(" 403 "), std::string::npos) << page.answer();
  const PlainWs own(port_, "Origin: http://localhost:3000\r\n");
  EXPECT_NE(own.answer().find(" 101 "), std::string::npos) << own.answer();
  PlainWs large(port_);
  large.say(std::string((8u << 20) + 1, ' '));
  while (!large.hear().empty()) {
  }
  EXPECT_FALSE(large.ask("system_name") && large.ask("system_name") && !large.hear().empty());
  EXPECT_NE(client(), nullptr);
}

TEST_F(LedgerProcess, LosesNothingItAcknowledgedWhenKilled) {
  std::mt19937 random(20'260'701);
  std::set<uint32_t> paid;  // Recipients whose payment was acknowledged.
  Block seen{};
  for (int round = 0; round < 20; ++round) {
    ASSERT_NO_FATAL_FAILURE(start(10));
    const auto ledger = client();
    if (round > 0) {
      const auto same = ledger->block(seen.number);
      ASSERT_TRUE(same) << same.error().message;
      EXPECT_EQ(same->hash, seen.hash) << "round " << round;
    }
    for (const uint32_t number : paid) {
      EXPECT_EQ(ledger->balance(recipient(number)).value(), 1'000'000u) << "round " << round;
    }
    std::vector<std::vector<uint32_t>> acknowledged(2);
    std::atomic<bool> stop = false;
    std::vector<std::thread> writers;
    for (uint32_t writer = 0; writer < 2; ++writer) {
      writers.emplace_back([&, writer] {
        StoppedWithLedger clock(stop);
        const auto own = client(clock);
        const auto payer = key(writer == 0 ? "alice" : "bob");
        for (uint32_t i = 0; own && !stop && i < 1000; ++i) {
          const uint32_t number = static_cast<uint32_t>(round) << 16 | writer << 12 | i;
          if (!own->transfer(payer, recipient(number), 1'000'000)) break;
          acknowledged[writer].push_back(number);
        }
      });
    }
    common::system_clock().sleep(milliseconds(60 + random() % 200));
    if (const auto head = ledger->head()) seen = *head;
    end(SIGKILL);
    stop = true;
    for (std::thread& writer : writers) writer.join();
    for (const auto& numbers : acknowledged) paid.insert(numbers.begin(), numbers.end());
  }
  EXPECT_GE(paid.size(), 20u);  // Or the test has tested nothing.
  ASSERT_NO_FATAL_FAILURE(start(10));
  const auto ledger = client();
  for (const uint32_t number : paid) {
    EXPECT_EQ(ledger->balance(recipient(number)).value(), 1'000'000u);
  }
}

}  // namespace
}  // namespace chain
