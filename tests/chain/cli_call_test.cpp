// Goal: any call of the chain can be made by its name, with its fee and a question first; and what
// can go wrong at a command line has a sentence that says what to do. Method: a real development
// ledger, the real program, one wrong thing at a time; a server that is no node.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>

#include "tests/chain/cli_dev_ledger.h"

namespace tests {
namespace {

using MusterCall = MusterWithDevLedger;
using nlohmann::json;

std::vector<std::string> pay_bob(const std::string& rao) {
  return {"Balances.transfer_keep_alive", "dest=5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
          "value=" + rao};
}

// -- What works -----------------------------------------------------------------------------------

TEST_F(MusterCall, ADryRunShowsTheCallAndItsFeeAndSendsNothing) {
  std::vector<std::string> words = pay_bob("5000");
  words.emplace_back("--dry-run");
  const json plan = chain_json("call", words);
  EXPECT_EQ(names_of(plan), "arguments call call_hex fee_rao pallet");
  EXPECT_GT(plan["fee_rao"], 0);
  EXPECT_TRUE(plan["call_hex"].get<std::string>().starts_with("0x0503")) << plan;
  const Ran text = chain("call", words);
  EXPECT_TRUE(has(text.out, "Nothing was sent")) << text.out << text.trouble;
  EXPECT_EQ(chain_json("storage", {"System.Account", kAlice})["value"]["nonce"], 0);
}

TEST_F(MusterCall, ACallIsSentAndItsEventsAreShown) {
  const json sent = called("alice", pay_bob("5000"));
  EXPECT_EQ(names_of(sent),
            "arguments block call call_hex events extrinsic fee_rao finalized pallet signer");
  EXPECT_EQ(sent["signer"], kAlice);
  const json free = chain_json("storage", {"System.Account", kBob})["value"]["data"]["free"];
  EXPECT_EQ(free, 1'000'000'000'005'000u);
  const Ran ran = call(
      "alice",
      {"Balances.transfer_keep_alive",
       R"({"dest": {"Id": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"}, "value": 7000})",
       "--finalized", "--tip", "0.000001"});
  EXPECT_EQ(ran.code, 0) << ran.trouble;
  EXPECT_TRUE(has(ran.out, ", final")) << ran.out;
  EXPECT_TRUE(has(ran.out, "Balances.Transfer")) << ran.out;
}

TEST_F(MusterCall, NothingIsSentWithoutConsent) {
  std::vector<std::string> words = pay_bob("5000");
  words.insert(words.end(), {"--wallet.path", wallets().string(), "--wallet.name", "alice"});
  const Ran ran = chain("call", words);
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(has(ran.trouble, "--yes")) << ran.trouble;
  EXPECT_EQ(chain_json("storage", {"System.Account", kAlice})["value"]["nonce"], 0);
}

TEST_F(MusterCall, CallsAreListedWithTheirArguments) {
  const Ran ran = chain("call", {"--list", "set_weights"});
  EXPECT_TRUE(has(ran.out, "dests: Vec<u16>")) << ran.out << ran.trouble;
  const json calls = chain_json("call", {"--list", "transfer_keep"})["calls"];
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(names_of(calls[0]), "arguments docs name pallet");
}

TEST_F(MusterCall, AnUnencryptedColdkeyIsWarnedOf) {
  const Ran ran = call("alice", pay_bob("5000"));
  EXPECT_TRUE(has(ran.trouble, "never needed by a running miner or validator")) << ran.trouble;
}

// -- What does not --------------------------------------------------------------------------------

TEST_F(MusterCall, WhatTheChainDoesNotHaveIsNamedWithWhatLooksLikeIt) {
  struct Case {
    std::string verb;
    std::vector<std::string> words;
    std::string says;
  };
  const Case cases[] = {
      {"call", {"Balance.transfer_keep_alive", "--dry-run"}, "Balances"},
      {"call", {"Balances.transfer_keep", "--dry-run"}, "transfer_keep_alive"},
      {"call", {"Balances.tranfser_keep_alive", "--dry-run"}, "transfer_keep_alive"},
      {"storage", {"SubtensorModul.Tempo", "1"}, "SubtensorModule"},
      {"storage", {"SubtensorModule.Tepmo", "1"}, "Tempo"},
      {"storage", {"--list", "nothing like it"}, "--list"},
      {"constants", {"nothing like it"}, "muster chain constants"},
  };
  for (const Case& one : cases) {
    const Ran ran = chain(one.verb, one.words);
    EXPECT_EQ(ran.code, 1) << ran.trouble;
    EXPECT_TRUE(has(ran.trouble, one.says)) << ran.trouble;
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  }
}

TEST_F(MusterCall, AWrongArgumentIsNamedByItsPath) {
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  const Case cases[] = {
      {{"netuid=1", "dests=[0,70000]", "weights=[1,2]", "version_key=0"}, "dests[1]: 70000"},
      {{"netuid=many", "dests=[]", "weights=[]", "version_key=0"}, "netuid"},
      {{"netuid=1", "dests=[]", "weights=[]"}, "'version_key' is missing"},
      {{"netuid=1", "dest=[]"}, "there is no 'dest'"},
      {{"netuid=1", "dests=[0"}, "dests"},
      {{"netuid"}, "name=value"},
      {{"netuid=1", "netuid=2"}, "twice"},
  };
  for (const Case& one : cases) {
    std::vector<std::string> words = {"SubtensorModule.set_weights", "--dry-run"};
    words.insert(words.end(), one.arguments.begin(), one.arguments.end());
    const Ran ran = chain("call", words);
    EXPECT_EQ(ran.code, 2) << ran.trouble;
    EXPECT_TRUE(has(ran.trouble, one.says)) << ran.trouble;
  }
  EXPECT_EQ(chain("call", {"set_weights"}).code, 2);
  EXPECT_EQ(chain("storage", {"SubtensorModule.Tempo", "1", "2"}).code, 2);
  EXPECT_TRUE(has(chain("storage", {"SubtensorModule.Tempo", "x"}).trouble, "u16"));
}

TEST_F(MusterCall, AKeyWithoutMoneyIsTold) {
  make_wallet("poor", "//Nobody", "//Nobody//hot");
  const Ran ran = call("poor", pay_bob("5000"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(has(ran.trouble, "holds 0.0")) << ran.trouble;
  EXPECT_TRUE(has(ran.trouble, "muster transfer --dest")) << ran.trouble;
}

TEST_F(MusterCall, AFailureIsNamedWithWhatToDo) {
  const Ran ran = call("alice", pay_bob("9000000000000000000"));
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(has(ran.trouble, "free TAO")) << ran.trouble;
}

TEST_F(MusterCall, AnUnregisteredKeyIsToldToRegister) {
  make_wallet("bob", "//Bob", "//Bob");  // Its hotkey has money, and no uid.
  const Ran ran = call("bob", weights_call(), true);
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(has(ran.trouble, "register it first")) << ran.trouble;
}

TEST_F(MusterCall, WhoIsTooFastIsToldToWait) {
  called("alice", weights_call(), true);
  const Ran again = call("alice", weights_call(), true);
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again.trouble, "wait")) << again.trouble;
}

TEST_F(MusterCall, AWrongPasswordIsToldAndNothingIsSent) {
  std::ofstream(folder_ / "right") << "correct horse\n";
  std::ofstream(folder_ / "wrong") << "battery staple\n";
  ASSERT_EQ(
      wallet("regen-coldkey",
             {"--wallet.name", "safe", "--password-file", (folder_ / "right").string()}, "//Alice")
          .code,
      0);
  std::vector<std::string> words = pay_bob("5000");
  words.insert(words.end(), {"--password-file", (folder_ / "wrong").string()});
  const Ran wrong = call("safe", words);
  EXPECT_EQ(wrong.code, 1);
  EXPECT_TRUE(has(wrong.trouble, "wrong password")) << wrong.trouble;
  const Ran without = call("safe", pay_bob("5000"));
  EXPECT_EQ(without.code, 1);
  EXPECT_TRUE(has(without.trouble, "--password-file")) << without.trouble;
  words.back() = (folder_ / "right").string();
  const Ran right = call("safe", words);
  EXPECT_EQ(right.code, 0) << right.trouble;
  EXPECT_FALSE(has(right.trouble, "unencrypted"));
}

TEST_F(MusterCall, ANodeOfAnotherNetworkIsRefused) {
  for (const std::string network : {"finney", "test"}) {
    const Ran ran = chain("metagraph", {"--network", network});
    EXPECT_EQ(ran.code, 1) << ran.out;
    EXPECT_TRUE(has(ran.trouble, "another chain")) << ran.trouble;
  }
  EXPECT_EQ(chain("metagraph", {"--network", "local"}).code, 0);
  EXPECT_EQ(chain("metagraph", {"--network", "mars"}).code, 2);
}

// Answers every connection with the same bytes.
class Nonsense {
 public:
  explicit Nonsense(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    serve_ = std::jthread([this] { serve(); });
  }
  ~Nonsense() {
    done_ = true;
    shutdown(listener_, SHUT_RDWR);
    serve_.join();
    close(listener_);
  }
  const std::string& url() const { return url_; }

 private:
  void serve() {
    while (!done_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      char request[4096];
      if (recv(client, request, sizeof request, 0) > 0) {
        send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
      close(client);
    }
  }

  std::string answer_;
  std::string url_;
  int listener_ = -1;
  std::atomic<bool> done_ = false;
  std::jthread serve_;
};

TEST_F(MusterCli, ANodeThatAnswersNonsenseIsNamed) {
  const auto page = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  for (const std::string& answer :
       {page("<html>It works!</html>"), page(R"({"jsonrpc": "2.0", "id": 1, "result": [}])"),
        page("[]"), std::string("no HTTP at all\r\n\r\n")}) {
    const Nonsense node(answer);
    const Ran ran = muster({"chain", "metagraph", "--chain", node.url(), "--patience", "0"});
    EXPECT_EQ(ran.code, 1) << answer;
    EXPECT_TRUE(ran.out.empty());
    EXPECT_TRUE(has(ran.trouble, node.url())) << ran.trouble;
  }
}

}  // namespace
}  // namespace tests
